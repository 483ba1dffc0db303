import AuditFormats
import BatchProtocol
import Intake

/// Reads one file through a window and decodes it: the same bytes give the same rows, whenever they are read.
struct RangeDecoding {
    /// Bytes that one read brings; a longer record makes the window grow.
    static let chunkByteCount = 4 << 20

    private var window = InputWindow()
    /// Bytes of the window that wait for the rest of their record.
    private var carried = 0

    /// What reading a file up to a limit came to.
    struct Outcome {
        /// Offset one past the last byte that is done with.
        var end: UInt64
        /// Hash of the bytes from the start up to `end`.
        var hash: String
    }

    /// Decodes the bytes of a file from one offset up to another, or up to the last record border before it.
    ///
    /// - Parameters:
    ///   - reader: The file.
    ///   - source: The name it is known by, whatever it is called now.
    ///   - format: What it holds.
    ///   - from: A record border.
    ///   - limit: Where to stop at the latest.
    ///   - isWhole: The range is that of a plan: all of its bytes are consumed.
    ///   - decoder: Receives the rows.
    ///   - flush: Called when row groups are full; has to empty them.
    ///   - onChunk: Called with the bytes consumed since the last call.
    /// - Returns: How far it came, and the hash of what was consumed.
    /// - Throws: `StorageError`, `PipelineError` with code `timeZone`, and what `flush` and `onChunk` throw.
    mutating func decode(
        _ reader: FileReader,
        source: String,
        format: LogFormat,
        from: UInt64,
        limit: UInt64,
        isWhole: Bool,
        into decoder: inout PostgresDecoder,
        flush: (inout PostgresDecoder) throws -> Void,
        onChunk: (Int, PostgresDecoder.Totals) throws -> Void
    ) throws -> Outcome {
        let hasher = RangeHasher()
        carried = 0
        var offset = from
        var readUpTo = from
        while readUpTo < limit {
            let wanted = Int(min(UInt64(max(Self.chunkByteCount, carried)), limit - readUpTo))
            let count = try window.fill(carried, wanted) { try reader.read(at: readUpTo, into: $0) }
            if count == 0 { break }
            readUpTo += UInt64(count)
            let filled = carried + count
            let isEnd = isWhole && readUpTo == limit
            let consumed = try window.withBytes(filled) { bytes, _ in
                try decodeWindow(
                    bytes,
                    at: offset,
                    path: source,
                    format: format,
                    isEnd: isEnd,
                    into: &decoder,
                    flush: flush
                )
            }
            window.withBytes(consumed) { bytes, _ in hasher.update(bytes) }
            carried = filled - consumed
            window.drop(consumed, keeping: carried)
            offset += UInt64(consumed)
            try onChunk(consumed, decoder.totals)
        }
        return Outcome(end: offset, hash: hasher.digest)
    }

    private func decodeWindow(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        path: String,
        format: LogFormat,
        isEnd: Bool,
        into decoder: inout PostgresDecoder,
        flush: (inout PostgresDecoder) throws -> Void
    ) throws -> Int {
        var consumed = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[consumed...])
            let step: (consumed: Int, stop: PostgresDecoder.Stop)
            do {
                step = try decoder.decode(
                    rest,
                    baseOffset: offset + UInt64(consumed),
                    source: path,
                    format: format,
                    isEnd: isEnd
                )
            } catch let error as PostgresDecoder.SettingsError {
                throw PipelineError(timeZone: error, path: path)
            }
            consumed += step.consumed
            guard step.stop == .rowGroupFull else { return consumed }
            try flush(&decoder)
        }
    }
}

extension PipelineError {
    /// A time zone that the configuration has to explain.
    package init(timeZone error: PostgresDecoder.SettingsError, path: String) {
        let reason =
            error.meaning == .ambiguous
            ? "several time zones are written \(error.abbreviation)"
            : "the time zone \(error.abbreviation) is not known"
        self.init(
            code: .timeZone,
            message: "\(path), byte \(error.offset): \(reason)",
            mend: "set `timezone:` of the pipeline to the value of log_timezone, for example Europe/Berlin"
        )
    }
}
