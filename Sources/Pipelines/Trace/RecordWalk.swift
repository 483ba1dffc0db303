import AuditFormats
import Intake

/// Steps through the records of a range of a file, whatever their format: csvlog, or one JSON object a line.
struct RecordWalk {
    /// Bytes that one read brings; a longer record makes the window grow.
    static let chunkByteCount = 4 << 20

    /// One step: a record, or bytes that are none.
    struct Piece {
        /// Offset of its first byte in the file.
        var offset: UInt64
        /// Bytes, line end included.
        var byteCount: Int
        /// Whose record it is; nil for bytes that are no record.
        var identity: RecordIdentity?
        /// The number of records up to and with this one, from the start of the range.
        var ordinal: Int
    }

    /// Calls `body` with each piece, until it returns false or no whole record is left.
    ///
    /// - Parameters:
    ///   - reader: The file.
    ///   - format: What it holds.
    ///   - from: A record border.
    ///   - to: Where to stop.
    ///   - body: Returns whether to go on.
    /// - Returns: Offset one past the last piece.
    /// - Throws: `StorageError`.
    @discardableResult
    static func pieces(
        _ reader: FileReader,
        _ format: LogFormat,
        from: UInt64,
        to: UInt64,
        _ body: (Piece) throws -> Bool
    ) throws -> UInt64 {
        var window: [UInt8] = []
        var offset = from
        var splitter = PieceSplitter()
        var ordinal = 0
        while offset + UInt64(window.count) < to {
            let end = offset + UInt64(window.count)
            let count = try grow(
                &window,
                reader,
                at: end,
                by: Int(min(UInt64(max(chunkByteCount, window.count)), to - end))
            )
            if count == 0 { break }
            var at = 0
            var goesOn = true
            while goesOn {
                let found = window.withUnsafeBytes {
                    splitter.step(UnsafeRawBufferPointer(rebasing: $0[at...]), format)
                }
                guard let found else { break }
                ordinal += found.identity == nil ? 0 : 1
                goesOn = try body(
                    Piece(
                        offset: offset + UInt64(at),
                        byteCount: found.byteCount,
                        identity: found.identity,
                        ordinal: ordinal
                    )
                )
                at += found.byteCount
            }
            offset += UInt64(at)
            if !goesOn { return offset }
            window.removeFirst(at)
        }
        return offset
    }

    /// Offset one past the last whole record.
    static func border(
        _ reader: FileReader,
        _ format: LogFormat,
        from: UInt64,
        to: UInt64
    ) throws -> UInt64 {
        try pieces(reader, format, from: from, to: to) { _ in true }
    }

    private static func grow(
        _ window: inout [UInt8],
        _ reader: FileReader,
        at offset: UInt64,
        by byteCount: Int
    ) throws -> Int {
        let old = window.count
        window += [UInt8](repeating: 0, count: byteCount)
        let count = try window.withUnsafeMutableBytes { bytes in
            try reader.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[old...]))
        }
        window.removeLast(byteCount - count)
        return count
    }
}

/// Finds the piece at the start of some bytes.
private struct PieceSplitter: ~Copyable {
    private var csv = CSVLogSplitter()

    /// The piece, nil when the bytes end before it does.
    mutating func step(
        _ bytes: UnsafeRawBufferPointer,
        _ format: LogFormat
    ) -> (byteCount: Int, identity: RecordIdentity?)? {
        switch format {
        case .csvlog: return csvStep(bytes)
        case .jsonlog, .collector:
            guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let line = UnsafeRawBufferPointer(rebasing: bytes[..<newline])
            return (newline + 1, format == .jsonlog ? RecordIdentity(jsonLine: line) : nil)
        }
    }

    private mutating func csvStep(
        _ bytes: UnsafeRawBufferPointer
    ) -> (byteCount: Int, identity: RecordIdentity?)? {
        switch csv.step(bytes) {
        case .record(let byteCount): (byteCount, RecordIdentity(csvRecord: csv.record.bytes))
        case .blank(let byteCount), .envelope(let byteCount): (byteCount, nil)
        // Damage that reaches to the end of what was read may go on behind it.
        case .fault(let byteCount, _, _): byteCount < bytes.count ? (byteCount, nil) : nil
        case .incomplete: nil
        }
    }
}
