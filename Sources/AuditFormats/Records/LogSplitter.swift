import Columnar

/// The splitters of all formats.
package struct LogSplitter: ~Copyable {
    private var csv = CSVLogSplitter()
    var json = JSONLogSplitter()
    /// The message of the present event, escapes undone.
    private var message = ByteBuffer()

    /// Creates a splitter.
    package init() {}

    /// Looks at the start of `bytes`, which is a record border of a sound file.
    ///
    /// - Parameters:
    ///   - bytes: The rest of the input that has been read.
    ///   - format: What the input holds; jsonlog only where `LogFormat.isReadable`.
    ///   - isEnd: Nothing will ever follow.
    /// - Returns: What lies there.
    @inline(__always)
    package mutating func step(_ bytes: UnsafeRawBufferPointer, format: LogFormat, isEnd: Bool) -> LogStep {
        switch format {
        case .csvlog: csv.step(bytes)
        case .jsonlog: json.step(bytes, isEnd: isEnd)
        case .collector: CollectorSplitter.step(bytes, isEnd: isEnd)
        }
    }

    /// The record that the last `.record` step found; valid while the bytes are, until the next step.
    @inline(__always)
    package func record(_ format: LogFormat) -> LogRecord { format == .csvlog ? csv.record : json.record }

    /// How far the begun record at the start of `bytes` reaches when its end will never come.
    package mutating func byteCountOfBegunRecord(_ bytes: UnsafeRawBufferPointer, format: LogFormat) -> Int {
        format == .csvlog ? csv.byteCountOfBegunRecord(bytes) : bytes.count
    }

    /// Bytes of a damage that reaches to the end of what was read, as far as nothing that follows can belong to them.
    ///
    /// Whole lines, so that what stands in a line, a secret among it, is seen together; a line without an end only when
    /// it is longer than a record may be.
    ///
    /// - Parameters:
    ///   - damage: The bytes, up to the end of the input that has been read.
    ///   - maxRecordBytes: The longest line that may wait for its end.
    /// - Returns: 0 when all of them have to wait.
    package static func settledByteCount(of damage: UnsafeRawBufferPointer, maxRecordBytes: Int) -> Int {
        if let newline = damage.lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return damage.count > maxRecordBytes ? damage.count : 0
    }

    // MARK: Events of an envelope

    /// The number of log events of the envelope that the last step found.
    package var eventCount: Int { json.eventCount }

    /// Reads an event of the envelope that the last step found.
    ///
    /// - Parameters:
    ///   - index: Its number, from 0 on.
    ///   - line: The envelope's bytes as the step was given them.
    /// - Returns: The event; valid while the bytes are, until the next event or step.
    package mutating func event(_ index: Int, of line: UnsafeRawBufferPointer) -> LogEvent {
        let envelope = json.envelope
        let place = json.message(of: index)
        let stored = UnsafeRawBufferPointer(rebasing: envelope[place.range])
        message.removeAll()
        message.append(stored, undoing: place.escape)
        let found = json.readMessage(message.bytes)
        return LogEvent(
            range: json.isLatin1 ? 0..<line.count : Self.range(of: place.range, of: envelope, in: line),
            text: message.bytes,
            content: found.record.map { .record($0) } ?? .fault(code: found.code, detail: found.detail)
        )
    }

    /// A range of the envelope's object as one of its line.
    private static func range(
        of message: Range<Int>,
        of envelope: UnsafeRawBufferPointer,
        in line: UnsafeRawBufferPointer
    ) -> Range<Int> {
        guard let object = envelope.baseAddress, let start = line.baseAddress else { return message }
        let prefix = object - start
        return message.lowerBound + prefix..<message.upperBound + prefix
    }

    /// Gives back the memory that a long line took.
    mutating func releaseCopies() {
        json.releaseCopies()
        message = ByteBuffer()
    }
}
