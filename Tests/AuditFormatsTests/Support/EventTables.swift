import AuditFormats
import Columnar

/// One value of a row.
indirect enum Cell: Hashable, CustomStringConvertible {
    case null
    /// A text that is no UTF-8.
    case invalid
    case text(String)
    case number(Int64)
    case decimal(Double)
    case flag(Bool)
    case pairs([String: Cell])
    case fields([String: Cell])

    var description: String {
        switch self {
        case .null: "null"
        case .invalid: "no UTF-8"
        case .text(let text): "\"\(text)\""
        case .number(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .pairs(let pairs): "map\(pairs.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })"
        case .fields(let fields):
            "struct\(fields.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })"
        }
    }

    subscript(name: String) -> Cell? {
        switch self {
        case .pairs(let cells), .fields(let cells): cells[name]
        default: nil
        }
    }

    /// The texts of a map, or of those fields of a structure that are there.
    var texts: [String: String?] {
        switch self {
        case .pairs(let cells):
            cells.mapValues { if case .text(let text) = $0 { text } else { nil } }
        case .fields(let cells):
            cells.compactMapValues { if case .text(let text) = $0 { text } else { nil } }
        default: [:]
        }
    }
}

typealias EventTableRow = [String: Cell]

extension Column {
    private func isThere(_ index: Int) -> Bool {
        guard let validity else { return true }
        return validity.bytes[index / 8] >> UInt8(index % 8) & 1 == 1
    }

    /// The values of a column of any type that tables of events have.
    var cells: [Cell] {
        switch type {
        case .string, .dictionaryString:
            return texts.enumerated().map { index, text in
                text.map { .text($0) } ?? (isThere(index) ? .invalid : .null)
            }
        case .int64, .timestamp:
            return numbers.prefix(count).enumerated().map { isThere($0.offset) ? .number($0.element) : .null }
        case .double:
            return buffers[0].bytes.bindMemory(to: Double.self).prefix(count).enumerated().map {
                isThere($0.offset) ? .decimal($0.element) : .null
            }
        case .boolean:
            return (0..<count).map { index in
                isThere(index) ? .flag(buffers[0].bytes[index / 8] >> UInt8(index % 8) & 1 == 1) : .null
            }
        case .int32:
            return buffers[0].bytes.bindMemory(to: Int32.self).prefix(count).enumerated().map {
                isThere($0.offset) ? .number(Int64($0.element)) : .null
            }
        case .map:
            let offsets = buffers[0].bytes.bindMemory(to: Int32.self)
            let keys = children[0].children[0].texts
            let values = children[0].children[1].cells
            return (0..<count).map { row in
                guard isThere(row) else { return .null }
                let range = Int(offsets[row])..<Int(offsets[row + 1])
                let pairs = range.map { (keys[$0] ?? "no key", values[$0]) }
                return .pairs(Dictionary(pairs, uniquingKeysWith: { .text("\($0) and \($1)") }))
            }
        case .structure(let fields):
            let values = children.map(\.cells)
            return (0..<count).map { row in
                guard isThere(row) else { return .null }
                let pairs = zip(fields, values).map { ($0.name, $1[row]) }
                return .fields(Dictionary(uniqueKeysWithValues: pairs))
            }
        default: return Array(repeating: .null, count: count)
        }
    }
}

/// The rows of all tables, in the order in which they were handed out.
struct EventTables: Equatable {
    var bronze: [EventTableRow] = []
    var quarantine: [EventTableRow] = []
    /// By day.
    var silver: [Int32: [EventTableRow]] = [:]
    /// By table, then by day; fields that are missing in all rows of a structure are left out.
    var gold: [String: [Int32: [EventTableRow]]] = [:]
    var flushCount = 0

    static func == (left: EventTables, right: EventTables) -> Bool {
        left.bronze == right.bronze && left.quarantine == right.quarantine && left.silver == right.silver
            && left.gold == right.gold
    }

    /// All rows of silver, by day.
    var events: [EventTableRow] { silver.sorted { $0.key < $1.key }.flatMap(\.value) }

    mutating func take(_ target: DatabricksTarget, _ batch: RecordBatch, _ services: [ServiceSchema]) {
        var rows = Array(repeating: EventTableRow(), count: batch.rowCount)
        for (field, column) in zip(batch.schema, batch.columns) {
            precondition(column.count == batch.rowCount, "\(field.name) has \(column.count) rows")
            for (index, cell) in column.cells.enumerated() { rows[index][field.name] = cell }
        }
        switch target {
        case .bronze: bronze += rows
        case .quarantine: quarantine += rows
        case .silver(let date): silver[date, default: []] += rows
        case .gold(let service, let date):
            // A row group that came earlier may lack fields that a later one has.
            rows = rows.map { row in
                var row = row
                if case .fields(let fields) = row["requestParams"] {
                    row["requestParams"] = .fields(fields.filter { $0.value != .null })
                }
                return row
            }
            gold[services[service].table, default: [:]][date, default: []] += rows
        }
    }

    /// All rows of a gold table, by day.
    func rows(of table: String) -> [EventTableRow] {
        (gold[table] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)
    }
}

/// What came of decoding a text.
struct DecodedEvents {
    var tables = EventTables()
    var services: [ServiceSchema] = []
    var totals = DatabricksDecoder.Totals()
    var failure: DatabricksDecoder.RuleFailure?
}

/// 2026-11-21 00:00:00.000 UTC in microseconds.
let ingestTimeOfEvents: Int64 = 1_795_219_200_000_000

/// Decodes lines.
///
/// - Parameters:
///   - bytes: The lines.
///   - services: Those known from before.
///   - window: At most so many more bytes are handed over at once; nil for all.
///   - budget: Of the open row groups.
///   - piece: The longest piece of a long line in bronze.
///   - change: Changes the settings.
/// - Returns: All rows.
func decodeEvents(
    _ bytes: [UInt8],
    services: [ServiceSchema] = [],
    window: Int? = nil,
    budget: Int? = nil,
    piece: Int? = nil,
    _ change: (inout DatabricksDecoderSettings) -> Void = { _ in }
) -> DecodedEvents {
    var settings = DatabricksDecoderSettings()
    change(&settings)
    var decoder = DatabricksDecoder(settings: settings, services: services)
    decoder.ingestTime = ingestTimeOfEvents
    if let budget { decoder.rowGroupByteCount = budget }
    if let piece { decoder.pieceByteCount = piece }
    decoder.begin(source: "events.json", sourceTime: 5)
    var result = DecodedEvents()
    var at = 0
    var end = min(window ?? bytes.count, bytes.count)
    while true {
        let step = bytes[at..<end].withUnsafeBytes {
            decoder.decode($0, paddingByteCount: 0, baseOffset: UInt64(at), isEnd: end == bytes.count)
        }
        at += step.consumed
        if step.stop == .rowGroupFull {
            var groups: [(DatabricksTarget, RecordBatch)] = []
            decoder.flushLargest { groups.append(($0, $1)) }
            for (target, batch) in groups { result.tables.take(target, batch, decoder.services) }
            result.tables.flushCount += 1
        } else if end == bytes.count {
            break
        } else {
            end = min(end + (window ?? bytes.count), bytes.count)
        }
    }
    precondition(at == bytes.count, "all bytes are decoded")
    result.take(&decoder)
    return result
}

/// Decodes rows of bronze again.
func decodeEvents(
    bronze rows: [EventTableRow],
    piece: Int? = nil,
    _ change: (inout DatabricksDecoderSettings) -> Void = { _ in }
) -> DecodedEvents {
    var settings = DatabricksDecoderSettings()
    change(&settings)
    var decoder = DatabricksDecoder(settings: settings)
    decoder.ingestTime = ingestTimeOfEvents
    if let piece { decoder.pieceByteCount = piece }
    decoder.begin(source: "events.json", sourceTime: 5)
    for row in rows {
        guard case .text(let raw) = row["raw"], case .number(let offset) = row["source_offset"] else {
            continue
        }
        let bytes = row["raw_encoding"] == .text("latin1") ? latin1(raw) : Array(raw.utf8)
        let stop = bytes.withUnsafeBytes {
            decoder.decode(record: $0, paddingByteCount: 0, offset: UInt64(offset))
        }
        precondition(stop == nil, "all fits into the budget")
    }
    decoder.endLine()
    var result = DecodedEvents()
    result.take(&decoder)
    return result
}

extension DecodedEvents {
    /// Takes all that a decoder has left.
    fileprivate mutating func take(_ decoder: inout DatabricksDecoder) {
        var groups: [(DatabricksTarget, RecordBatch)] = []
        decoder.flushAll { groups.append(($0, $1)) }
        for (target, batch) in groups { tables.take(target, batch, decoder.services) }
        services = decoder.services
        totals = decoder.totals
        failure = decoder.failure
    }
}

func decodeEvents(
    _ text: String,
    _ change: (inout DatabricksDecoderSettings) -> Void = { _ in }
) -> DecodedEvents {
    decodeEvents(Array(text.utf8), change)
}
