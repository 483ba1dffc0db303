import AuditFormats
import Intake

/// Steps through the records of a range of a file as the decoder does, whatever their format.
struct RecordWalk: ~Copyable {
    /// Bytes that one read brings; a longer record makes the window grow.
    static let chunkByteCount = 4 << 20

    /// One step: a record, or bytes that are none.
    ///
    /// Bytes of an envelope count with the record that they precede, those behind the last with that. In an envelope in
    /// Latin-1 each record has all of the line.
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

    private let format: LogFormat
    private var splitter = LogSplitter()
    private var ordinal = 0

    private init(_ format: LogFormat) { self.format = format }

    /// Calls `body` with each piece, until it returns false or no whole record is left.
    ///
    /// - Parameters:
    ///   - reader: The file.
    ///   - format: What it holds.
    ///   - from: A record border.
    ///   - to: Where to stop.
    ///   - isWhole: The range is that of a plan: nothing of it waits for its end.
    ///   - body: Returns whether to go on.
    /// - Returns: Offset one past the last piece; when `body` stopped in an envelope, one past that.
    /// - Throws: `StorageError`, `PipelineError` with code `missingLibrary`, and what `body` throws.
    @discardableResult
    static func pieces(
        _ reader: FileReader,
        _ format: LogFormat,
        from: UInt64,
        to: UInt64,
        isWhole: Bool = false,
        _ body: (Piece) throws -> Bool
    ) throws -> UInt64 {
        try format.demandReadable(path: reader.path)
        var walk = RecordWalk(format)
        var window: [UInt8] = []
        var offset = from
        while offset + UInt64(window.count) < to {
            let end = offset + UInt64(window.count)
            let count = try grow(
                &window,
                reader,
                at: end,
                by: Int(min(UInt64(max(chunkByteCount, window.count)), to - end))
            )
            if count == 0 { break }
            let isEnd = isWhole && end + UInt64(count) == to
            var at = 0
            var goesOn = true
            while goesOn, at < window.count {
                let step = try window.withUnsafeBytes {
                    try walk.step(
                        UnsafeRawBufferPointer(rebasing: $0[at...]),
                        at: offset + UInt64(at),
                        isEnd: isEnd,
                        body
                    )
                }
                guard let step else { break }
                at += step.byteCount
                goesOn = step.goesOn
            }
            offset += UInt64(at)
            if !goesOn { return offset }
            window.removeFirst(at)
        }
        return offset
    }

    /// Offset one past the last whole record.
    ///
    /// - Throws: `StorageError`, `PipelineError` with code `missingLibrary`.
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

    // MARK: Steps

    /// Tells `body` what lies at the start of some bytes; nil when they end before it does.
    private mutating func step(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        isEnd: Bool,
        _ body: (Piece) throws -> Bool
    ) throws -> (byteCount: Int, goesOn: Bool)? {
        switch splitter.step(bytes, format: format, isEnd: isEnd) {
        case .record(let byteCount):
            let identity = RecordIdentity(splitter.record(format))
            return (byteCount, try body(piece(offset, byteCount, identity)))
        case .envelope(let byteCount):
            let line = UnsafeRawBufferPointer(rebasing: bytes[..<byteCount])
            return (byteCount, try tellEvents(of: line, at: offset, body))
        case .blank(let byteCount):
            return (byteCount, try body(piece(offset, byteCount, nil)))
        case .fault(let byteCount, _, _):
            let isOpen = byteCount == bytes.count && !isEnd
            let settled =
                isOpen ? LogSplitter.settledByteCount(of: bytes, maxRecordBytes: .max) : byteCount
            return settled > 0 ? (settled, try body(piece(offset, settled, nil))) : nil
        case .incomplete:
            guard isEnd else { return nil }
            let byteCount = splitter.byteCountOfBegunRecord(bytes, format: format)
            return (byteCount, try body(piece(offset, byteCount, nil)))
        }
    }

    /// Tells `body` the pieces of an envelope; whether to go on.
    private mutating func tellEvents(
        of line: UnsafeRawBufferPointer,
        at offset: UInt64,
        _ body: (Piece) throws -> Bool
    ) throws -> Bool {
        let count = splitter.eventCount
        guard count > 0 else { return try body(piece(offset, line.count, nil)) }
        var end = 0
        for index in 0..<count {
            let event = splitter.event(index, of: line)
            var identity: RecordIdentity?
            if case .record(let record) = event.content { identity = RecordIdentity(record) }
            let start = event.range.isEmpty ? end : min(end, event.range.lowerBound)
            end = index == count - 1 ? line.count : max(end, event.range.upperBound)
            guard try body(piece(offset + UInt64(start), end - start, identity)) else { return false }
        }
        return true
    }

    private mutating func piece(_ offset: UInt64, _ byteCount: Int, _ identity: RecordIdentity?) -> Piece {
        ordinal += identity == nil ? 0 : 1
        return Piece(offset: offset, byteCount: byteCount, identity: identity, ordinal: ordinal)
    }
}
