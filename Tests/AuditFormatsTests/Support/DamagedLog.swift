import AuditFormats
import Columnar

/// Decodes damaged logs many times over with one decoder, and tells what became of their records.
struct DamageObserver: ~Copyable {
    let format: LogFormat
    private var decoder: PostgresDecoder

    init(format: LogFormat) {
        self.format = format
        decoder = PostgresDecoder(settings: .make { $0.redactsSecrets = false })
    }

    /// The rows of a log between what has to be there before and behind the damage.
    ///
    /// - Returns: How many rows there are of damaged bytes; or what is wrong: an undamaged record is missing, or a byte
    ///   is neither in a row nor in the quarantine, or in both.
    mutating func rowsOfDamage(
        in bytes: [UInt8],
        after before: ArraySlice<[UInt8]>,
        before after: ArraySlice<[UInt8]>
    ) throws -> (count: Int, fault: String?) {
        _ = try bytes.withUnsafeBytes {
            try decoder.decode($0, baseOffset: 0, source: "log", format: format, isEnd: true)
        }
        let batch = decoder.finishRows()
        let raws = batch.schema.firstIndex { $0.name == "raw" }.map { batch.columns[$0].texts } ?? []
        let faults = QuarantinedRow.rows(of: decoder.quarantine.finish())
        let rows = raws.map { Array(($0 ?? "").utf8) }
        if let fault = Self.coverageFault(rows, faults, bytes) { return (0, fault) }
        let first = before.map(Self.text)
        let last = after.map(Self.text)
        guard rows.count >= first.count + last.count, rows.starts(with: first),
            rows.suffix(last.count).elementsEqual(last)
        else { return (0, "an undamaged record is gone") }
        return (rows.count - first.count - last.count, nil)
    }

    /// The column `raw` of a stored record.
    private static func text(_ record: [UInt8]) -> [UInt8] {
        let line = record.last == UInt8(ascii: "\n") ? Array(record.dropLast()) : record
        return String(validating: line, as: UTF8.self) == nil ? utf8(latin1: line) : line
    }

    private static func utf8(latin1 bytes: some Sequence<UInt8>) -> [UInt8] {
        bytes.flatMap { $0 < 0x80 ? [$0] : [0xC0 | $0 >> 6, 0x80 | $0 & 0x3F] }
    }

    /// Why rows and faults do not lie side by side over all of the bytes.
    private static func coverageFault(
        _ rows: [[UInt8]],
        _ faults: [QuarantinedRow],
        _ bytes: [UInt8]
    ) -> String? {
        var at = 0
        var (rows, faults) = (rows[...], faults[...])
        while at < bytes.count {
            if let fault = faults.first, fault.range.lowerBound == at {
                guard fault.range.upperBound <= bytes.count, fault.rawBytes.elementsEqual(bytes[fault.range])
                else {
                    return "fault \(fault.range) holds other bytes"
                }
                at = fault.range.upperBound
                faults.removeFirst()
                // A whole record with a time that never was is quarantined without its line end.
                if fault.reason == "timestamp", at < bytes.count, bytes[at] == UInt8(ascii: "\n") { at += 1 }
            } else {
                guard let row = rows.popFirst() else { return "nothing covers byte \(at)" }
                if bytes[at...].starts(with: row) {
                    at += row.count
                } else {
                    let count = row.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
                    guard at + count <= bytes.count, utf8(latin1: bytes[at..<at + count]) == row else {
                        return "the row at byte \(at) is not in the log"
                    }
                    at += count
                }
                if at < bytes.count, bytes[at] == UInt8(ascii: "\n") { at += 1 }
            }
        }
        return rows.isEmpty && faults.isEmpty ? nil : "rows or faults that are not in the log"
    }
}

/// What a proof over many damages counted.
struct DamageCount {
    var damages = 0
    /// Rows that damaged bytes gave: records whose damage leaves them well-formed.
    var rowsOfDamage = 0
    var faults: [String] = []

    mutating func add(
        _ found: (count: Int, fault: String?),
        atMost limit: Int,
        _ name: @autoclosure () -> String
    ) {
        damages += 1
        rowsOfDamage += found.count
        if let fault = found.fault {
            faults.append("\(name()): \(fault)")
        } else if found.count > limit {
            faults.append("\(name()): \(found.count) rows of damaged bytes")
        }
    }
}
