import CByteScan

/// Finds the records of a csvlog file, and what lies between them when the file is damaged.
///
/// A strict scan of every record replaces a quote-parity bit map: one path serves sound and damaged input, and a lost
/// quote is seen at the next field instead of turning the rest of the file inside out.
package struct CSVLogSplitter: ~Copyable {
    private let fields: UnsafeMutablePointer<bs_field>
    /// The record that the last `.record` step found; valid while the bytes are, until the next step.
    package private(set) var record: LogRecord

    /// Creates a splitter.
    package init() {
        fields = .allocate(capacity: LogField.capacity)
        record = LogRecord(
            bytes: UnsafeRawBufferPointer(start: nil, count: 0),
            fields: fields,
            fieldCount: 0
        )
    }

    deinit { fields.deallocate() }

    /// Looks at the start of `bytes`, which is a record border of a sound file.
    ///
    /// - Parameter bytes: The rest of the input that has been read.
    /// - Returns: What lies there.
    /// - Complexity: O(length of the record); after damage O(length of the damage) more.
    package mutating func step(_ bytes: UnsafeRawBufferPointer) -> LogStep {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return .incomplete }
        switch split(base, count: bytes.count) {
        case .sound(let consumed): return .record(byteCount: consumed)
        case .incomplete: return .incomplete
        case .unsound(let code, let detail):
            return .fault(byteCount: endOfDamage(base, count: bytes.count), code: code, detail: detail)
        }
    }

    /// How far the begun record at the start of `bytes` reaches when its end will never come: up to the next record
    /// that is whole, or to the end of the bytes.
    ///
    /// A quote that was never closed hides the records after it only as long as its own end may still come.
    package mutating func byteCountOfBegunRecord(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        return endOfDamage(base, count: bytes.count, acceptsBegunRecord: false)
    }

    /// How often the bytes behind a fault are read at the most, on average.
    private static let scansOfDamage = 16

    private enum Verdict {
        case sound(consumed: Int)
        case incomplete
        case unsound(RecordFault.Code, String)
    }

    private mutating func split(_ base: UnsafeRawPointer, count: Int) -> Verdict {
        let bytes = base.assumingMemoryBound(to: UInt8.self)
        let found = bs_csv_split(bytes, count, fields, UInt32(LogField.capacity))
        record.bytes = UnsafeRawBufferPointer(start: base, count: Int(found.length))
        record.fieldCount = Int(found.field_count)
        switch found.status {
        case BS_CSV_COMPLETE:
            if let fault = record.csvFault(isWhole: true) { return .unsound(fault.code, fault.detail) }
            return .sound(consumed: Int(found.consumed))
        case BS_CSV_INCOMPLETE:
            if let fault = record.csvFault(isWhole: false) { return .unsound(fault.code, fault.detail) }
            return .incomplete
        default:
            return .unsound(
                .malformedField,
                "field \(found.field_count + 1), byte \(found.length) of the record"
            )
        }
    }

    /// The distance to the next sound record (or to one that may still become sound), or to the end of the bytes.
    private mutating func endOfDamage(
        _ base: UnsafeRawPointer,
        count: Int,
        acceptsBegunRecord: Bool = true
    ) -> Int {
        let bytes = base.assumingMemoryBound(to: UInt8.self)
        // A candidate may be read up to the end of the bytes before it turns out to be none; a hostile file could make
        // every byte one. Past the budget all the rest counts as damage.
        var budget = Self.scansOfDamage * count
        var at = 1
        while at < count, budget > 0 {
            at = nextStart(bytes, count: count, from: at)
            guard at < count else { break }
            let verdict = split(base + at, count: count - at)
            switch verdict {
            case .sound: return at
            case .incomplete where acceptsBegunRecord: return at
            case .incomplete: budget -= count - at
            case .unsound: budget -= record.bytes.count
            }
            at += 1
        }
        return count
    }

    /// The next place that reads like the begin of a record, also inside a line.
    private func nextStart(_ bytes: UnsafePointer<UInt8>, count: Int, from: Int) -> Int {
        var at = from
        while at + 24 <= count {
            if bytes[at] &- 0x30 <= 9, bytes[at + 4] == UInt8(ascii: "-"),
                bs_csvlog_starts(bytes + at, count - at) != 0
            {
                return at
            }
            at += 1
        }
        return count
    }
}
