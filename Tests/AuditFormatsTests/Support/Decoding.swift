import AuditFormats
import Testing

/// What a decoder made of a log file.
struct Decoded {
    var rows: [Row] = []
    var faults: [QuarantinedRow] = []
    /// Rows of each row group.
    var rowGroups: [Int] = []
    var leftOut = LeftOut()
    /// Bytes that were done with.
    var consumed = 0

    /// The only row; a failure of the test when there is another number.
    func onlyRow(_ location: SourceLocation = #_sourceLocation) throws -> Row {
        try #require(rows.count == 1, "rows: \(rows.count), faults: \(faults)", sourceLocation: location)
        return rows[0]
    }
}

extension PostgresDecoderSettings {
    /// Settings of most tests, changed by `change`.
    static func make(_ change: (inout PostgresDecoderSettings) -> Void = { _ in }) -> Self {
        var settings = PostgresDecoderSettings(role: "primary", node: "pg1")
        change(&settings)
        return settings
    }
}

/// The ingest time of all rows here.
let ingestTime: Int64 = 1_795_000_000_000_000

/// Decodes a file that is read in windows, which end at `borders`.
func decode(
    _ bytes: [UInt8],
    settings: PostgresDecoderSettings = .make(),
    borders: [Int] = [],
    isEnd: Bool = true,
    format: LogFormat = .csvlog,
    rowGroupByteCount: Int = 48 << 20
) throws -> Decoded {
    var decoder = PostgresDecoder(settings: settings)
    decoder.ingestTime = ingestTime
    decoder.rowGroupByteCount = rowGroupByteCount
    var result = Decoded()
    for end in borders + [bytes.count] {
        var isFull = true
        while isFull {
            let step = try bytes[result.consumed..<end].withUnsafeBytes {
                try decoder.decode(
                    $0,
                    baseOffset: UInt64(result.consumed),
                    source: "pg.csv",
                    format: format,
                    isEnd: isEnd && end == bytes.count
                )
            }
            result.consumed += step.consumed
            isFull = step.stop == .rowGroupFull
            if isFull { take(&decoder, into: &result) }
        }
    }
    take(&decoder, into: &result)
    result.leftOut = decoder.leftOut
    return result
}

private func take(_ decoder: inout PostgresDecoder, into result: inout Decoded) {
    if decoder.quarantine.count > 0 {
        result.faults += QuarantinedRow.rows(of: decoder.quarantine.finish())
    }
    guard decoder.rows.count > 0 else { return }
    let rows = Row.rows(of: decoder.finishRows())
    result.rows += rows
    result.rowGroups.append(rows.count)
}

/// Decodes records that stand in one file.
func decode(
    _ records: [LogRecord],
    settings: PostgresDecoderSettings = .make()
) throws -> Decoded {
    try decode(file(records), settings: settings)
}

/// The row of one record.
func row(
    of record: LogRecord,
    settings: PostgresDecoderSettings = .make(),
    _ location: SourceLocation = #_sourceLocation
) throws -> Row {
    try decode([record], settings: settings).onlyRow(location)
}

/// Why rows and faults do not lie side by side over all of the input; nil when they do.
func coverageFault(of decoded: Decoded, over bytes: [UInt8]) -> String? {
    var at = 0
    var rows = decoded.rows[...]
    var faults = decoded.faults.sorted { $0.range.lowerBound < $1.range.lowerBound }[...]
    while at < bytes.count {
        if let fault = faults.first, fault.range.lowerBound == at {
            guard fault.range.upperBound > at, fault.range.upperBound <= bytes.count else {
                return "fault \(fault.range) does not fit at byte \(at)"
            }
            guard fault.rawBytes.elementsEqual(bytes[fault.range]) else {
                return "fault \(fault.range) holds other bytes"
            }
            at = fault.range.upperBound
            faults.removeFirst()
            // A whole record whose time never was: its line end belongs to no column, as with rows.
            if fault.detail == "no such date or time" { at = skipLineEnd(bytes, at) }
        } else {
            guard let row = rows.popFirst() else { return "nothing covers byte \(at)" }
            let raw = row.rawBytes
            guard bytes[at...].starts(with: raw) else { return "the row at byte \(at) is not in the input" }
            at += raw.count
            let end = skipLineEnd(bytes, at)
            guard end > at else { return "no line ends at byte \(at)" }
            at = end
        }
    }
    return rows.isEmpty && faults.isEmpty ? nil : "rows or faults that are not in the input"
}

private func skipLineEnd(_ bytes: [UInt8], _ at: Int) -> Int {
    if bytes[at...].starts(with: "\r\n".utf8) { return at + 2 }
    return bytes[at...].starts(with: "\n".utf8) ? at + 1 : at
}
