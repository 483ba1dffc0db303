import AuditFormats
import Columnar

/// What came of decoding CSV files.
struct DecodedCSV: Equatable {
    /// By day, in days since 1970-01-01.
    var days: [Int32: [EventTableRow]] = [:]
    var quarantine: [EventTableRow] = []
    var columns: [CSVColumn] = []
    var totals = CustomerCSVDecoder.Totals()
    /// Days that were asked for; nil for rows without a time.
    var askedDays: Set<Int32?> = []
    /// Bytes of all texts in all tables, one behind the other.
    var texts = ""
    var flushCount = 0

    static func == (left: DecodedCSV, right: DecodedCSV) -> Bool {
        left.days == right.days && left.quarantine == right.quarantine && left.columns == right.columns
            && left.totals == right.totals && left.askedDays == right.askedDays
    }

    /// All rows, by day and offset.
    var rows: [EventTableRow] { days.sorted { $0.key < $1.key }.flatMap(\.value) }

    /// A column of all rows.
    func column(_ name: String) -> [Cell?] { rows.map { $0[name] } }

    /// Columns and types as `name type`.
    var shape: [String] { columns.map { "\($0.column) \($0.type.name)" } }

    var reasons: [Cell?] { quarantine.map { $0["reason"] } }

    mutating func take(_ target: CustomerCSVTarget, _ batch: RecordBatch) {
        var rows = Array(repeating: EventTableRow(), count: batch.rowCount)
        for (field, column) in zip(batch.schema, batch.columns) {
            precondition(column.count == batch.rowCount, "\(field.name) has \(column.count) rows")
            for (index, cell) in column.cells.enumerated() {
                rows[index][field.name] = cell
                texts += "\(cell)\n"
            }
        }
        switch target {
        case .quarantine: quarantine += rows
        // A row group that came earlier may lack columns that a later one has.
        case .rows(let date): days[date, default: []] += rows.map { $0.filter { $0.value != .null } }
        }
    }
}

/// A CSV file.
struct CSVFile {
    var bytes: [UInt8]
    var source = "a.csv"
    var customer: String?
    var from: UInt64 = 0

    init(_ text: String, source: String = "a.csv", customer: String? = nil, from: UInt64 = 0) {
        self.init(Array(text.utf8), source: source, customer: customer, from: from)
    }

    init(_ bytes: [UInt8], source: String = "a.csv", customer: String? = nil, from: UInt64 = 0) {
        self.bytes = bytes
        self.source = source
        self.customer = customer
        self.from = from
    }
}

/// Decodes files one behind the other.
///
/// - Parameters:
///   - files: The files.
///   - columns: Those known from before.
///   - index: The ids that are known.
///   - window: At most so many more bytes are handed over at once; nil for all.
///   - budget: Of the open row groups.
///   - isPortable: The scan for any processor.
///   - change: Changes the settings.
/// - Returns: All rows.
func decodeCSV(
    _ files: [CSVFile],
    columns: [CSVColumn] = [],
    index: EventIndex = EventIndex(),
    window: Int? = nil,
    budget: Int? = nil,
    isPortable: Bool = false,
    _ change: (inout CustomerCSVSettings) -> Void = { _ in }
) -> DecodedCSV {
    var settings = CustomerCSVSettings()
    change(&settings)
    var decoder = CustomerCSVDecoder(settings: settings, columns: columns, index: index)
    decoder.ingestTime = ingestTimeOfEvents
    decoder.isPortable = isPortable
    if let budget { decoder.rowGroupByteCount = budget }
    var result = DecodedCSV()
    for file in files {
        decoder.begin(source: file.source, customer: file.customer, from: file.from)
        decode(file.bytes, window: window ?? file.bytes.count, &decoder, index, &result)
    }
    var groups: [(CustomerCSVTarget, RecordBatch)] = []
    decoder.flushAll { groups.append(($0, $1)) }
    for (target, batch) in groups { result.take(target, batch) }
    result.columns = decoder.columns
    result.totals = decoder.totals
    return result
}

private func decode(
    _ bytes: [UInt8],
    window: Int,
    _ decoder: inout CustomerCSVDecoder,
    _ index: EventIndex,
    _ result: inout DecodedCSV
) {
    var at = 0
    var end = min(window, bytes.count)
    while true {
        // A copy that ends with the window: what lies behind it is not to be read.
        let step = Array(bytes[at..<end]).withUnsafeBytes {
            decoder.decode($0, baseOffset: UInt64(at), isEnd: end == bytes.count)
        }
        at += step.consumed
        switch step.stop {
        case .rowGroupFull:
            var groups: [(CustomerCSVTarget, RecordBatch)] = []
            decoder.flushLargest { groups.append(($0, $1)) }
            for (target, batch) in groups { result.take(target, batch) }
            result.flushCount += 1
        case .needsDay(let day):
            result.askedDays.insert(day)
            index.open(day)
        case .needsUndated:
            result.askedDays.insert(nil)
            index.open(nil)
        case .needsMoreInput:
            guard end < bytes.count else {
                precondition(at == bytes.count, "all bytes are decoded")
                return
            }
            end = min(end + window, bytes.count)
        }
    }
}

func decodeCSV(_ text: String, _ change: (inout CustomerCSVSettings) -> Void = { _ in }) -> DecodedCSV {
    decodeCSV([CSVFile(text)], change)
}
