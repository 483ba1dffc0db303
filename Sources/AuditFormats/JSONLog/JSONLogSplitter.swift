import CByteScan
import CSimdJSON
import Columnar
import Glibc

/// Finds the records of a jsonlog file, bare or as CloudWatch Logs wraps them, and what lies between them.
///
/// A record is one line, so no damage reaches beyond a newline. A line that was torn and has the next record glued to it
/// is left at the first brace from which on it is sound: a brace before an unescaped quote stands in no string.
package struct JSONLogSplitter: ~Copyable {
    private let fields: UnsafeMutablePointer<bs_field>
    private let names: UnsafeMutablePointer<bs_field>
    private var reader = JSONLineReader()
    /// The present line as UTF-8 when it was Latin-1.
    private var transcoded = ByteBuffer()
    private var messages: [bs_field] = []
    /// The record that the last `.record` step found; valid while the bytes are, until the next step.
    package private(set) var record: LogRecord
    /// Whether the line was not valid UTF-8 and has been read as Latin-1.
    package private(set) var isLatin1 = false
    /// The line of the last `.envelope` step, in UTF-8.
    package private(set) var envelope = UnsafeRawBufferPointer(start: nil, count: 0)

    /// Creates a splitter.
    package init() {
        fields = .allocate(capacity: LogField.capacity)
        names = .allocate(capacity: LogField.capacity)
        record = LogRecord(
            bytes: UnsafeRawBufferPointer(start: nil, count: 0),
            fields: fields,
            fieldCount: 0,
            names: names
        )
    }

    deinit {
        fields.deallocate()
        names.deallocate()
    }

    /// Looks at the start of `bytes`, which is the start of a line or lies behind a fault in one.
    ///
    /// - Parameters:
    ///   - bytes: The rest of the input that has been read.
    ///   - isEnd: Nothing follows: a last line without a newline is whole when its object is.
    /// - Returns: What lies there.
    /// - Complexity: O(length of the line); for a damaged line a small multiple.
    package mutating func step(_ bytes: UnsafeRawBufferPointer, isEnd: Bool) -> LogStep {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return .incomplete }
        let newline = memchr(base, Int32(UInt8(ascii: "\n")), bytes.count).map { UnsafeRawPointer($0) - base }
        guard newline != nil || isEnd else { return .incomplete }
        let consumed = newline.map { $0 + 1 } ?? bytes.count
        var end = newline ?? bytes.count
        if end > 0, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        let line = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        switch read(line, readableByteCount: bytes.count) {
        case .record: return .record(byteCount: consumed)
        case .envelope: return .envelope(byteCount: consumed)
        case .unsound(let code, let detail):
            return damage(in: line, consumed: consumed)
                ?? .fault(byteCount: consumed, code: code, detail: detail)
        }
    }

    /// What a text is on its own.
    private enum Verdict {
        case record
        case envelope
        case unsound(RecordFault.Code, String)
    }

    private mutating func read(_ line: UnsafeRawBufferPointer, readableByteCount: Int) -> Verdict {
        isLatin1 = false
        let verdict = readUTF8(line, readableByteCount: readableByteCount)
        guard case .unsound = verdict else { return verdict }
        let bytes = line.bindMemory(to: UInt8.self)
        guard bs_is_utf8(bytes.baseAddress, bytes.count) == 0 else { return verdict }
        transcoded.removeAll()
        transcoded.append(atMost: bytes.count * 2) {
            bs_latin1_to_utf8(bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: UInt8.self))
        }
        isLatin1 = true
        return readUTF8(transcoded.bytes, readableByteCount: transcoded.bytes.count)
    }

    private mutating func readUTF8(_ line: UnsafeRawBufferPointer, readableByteCount: Int) -> Verdict {
        let prefix = ExportedLine.prefixLength(line)
        let object = UnsafeRawBufferPointer(rebasing: line[prefix...])
        let found = reader.read(
            object,
            readableByteCount: readableByteCount - prefix,
            fields: fields,
            names: names
        )
        record.bytes = object
        record.fieldCount = Int(found.field_count)
        envelope = object
        switch found.kind {
        case SJ_RECORD:
            if let fault = record.jsonFault() { return .unsound(fault.code, fault.detail) }
            return .record
        case SJ_EVENT:
            messages = [fields[LogField.message]]
            return .envelope
        case SJ_EVENTS:
            messages.removeAll(keepingCapacity: true)
            guard reader.findEvents(in: object, { messages.append($0) }) else {
                return .unsound(.malformedLine, "`logEvents` is no list of log events")
            }
            return .envelope
        default: return Self.verdict(on: found)
        }
    }

    private static func verdict(on found: sj_line) -> Verdict {
        switch found.kind {
        case SJ_NO_OBJECT: .unsound(.malformedLine, "a record is an object: {…}")
        case SJ_OTHER_OBJECT: .unsound(.timestamp, "the object has no `timestamp`")
        case SJ_DOUBLED_KEY: .unsound(.malformedLine, "a key stands twice")
        case SJ_VALUE_KIND: .unsound(.fieldValue, "column \(found.column + 1) has a value of another kind")
        case SJ_TOO_MANY_KEYS: .unsound(.fieldCount, "more than \(LogField.capacity) keys")
        default: .unsound(.malformedLine, "the line is no JSON")
        }
    }

    // MARK: Records inside an envelope

    /// The number of log events of the envelope that the last step found.
    package var eventCount: Int { messages.count }

    /// Where the message of an event lies in ``envelope``, escapes not undone; empty when it has none.
    package func message(of event: Int) -> (range: Range<Int>, escape: bs_escape) {
        let field = messages[event]
        return (Int(field.start)..<Int(field.end), bs_escape(rawValue: UInt32(field.escape)))
    }

    /// Reads the text of a log event's message.
    ///
    /// - Returns: The record, valid while the text is until the next step or event; or what is wrong.
    package mutating func readMessage(
        _ text: UnsafeRawBufferPointer
    ) -> (record: LogRecord?, code: RecordFault.Code, detail: String) {
        var text = text
        while let last = text.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            text = UnsafeRawBufferPointer(rebasing: text.dropLast())
        }
        return readAgain(text, fields: fields, names: names)
    }

    /// Reads a record whose bytes were changed, into arrays of the caller.
    mutating func readAgain(
        _ text: UnsafeRawBufferPointer,
        fields: UnsafeMutablePointer<bs_field>,
        names: UnsafeMutablePointer<bs_field>
    ) -> (record: LogRecord?, code: RecordFault.Code, detail: String) {
        let found = reader.read(text, readableByteCount: text.count, fields: fields, names: names)
        let record = LogRecord(bytes: text, fields: fields, fieldCount: Int(found.field_count), names: names)
        if found.kind == SJ_RECORD {
            if let fault = record.jsonFault() { return (nil, fault.code, fault.detail) }
            return (record, .malformedLine, "")
        }
        guard case .unsound(let code, let detail) = Self.verdict(on: found) else {
            return (nil, .malformedLine, "")
        }
        return (nil, code, detail)
    }

    /// Gives back the memory that a long line took.
    mutating func releaseCopies() {
        reader.releaseCopy()
        transcoded = ByteBuffer()
    }

    // MARK: Damage

    /// How often the bytes of a damaged line are read at the most, on average.
    private static let scansOfDamage = 16

    /// What lies at the start of a line that is no record, when a record begins inside it; nil when none does.
    private mutating func damage(in line: UnsafeRawBufferPointer, consumed: Int) -> LogStep? {
        // Every brace could turn out to begin no record only at the end of the line; past the budget all is damage.
        var budget = Self.scansOfDamage * line.count
        var at = nextStart(line, from: ExportedLine.prefixLength(line) + 1)
        if let first = at {
            // The newline between two records was lost.
            switch read(UnsafeRawBufferPointer(rebasing: line[..<first]), readableByteCount: line.count) {
            case .record: return .record(byteCount: first)
            case .envelope: return .envelope(byteCount: first)
            case .unsound: break
            }
        }
        while let start = at, budget > 0 {
            if isSound(UnsafeRawBufferPointer(rebasing: line[start...])) {
                let detail = "another record begins at byte \(start) of the line"
                return .fault(byteCount: start, code: .gluedRecords, detail: detail)
            }
            budget -= line.count - start
            at = nextStart(line, from: start + ExportedLine.prefixLength(line[start...]) + 1)
        }
        return nil
    }

    private mutating func isSound(_ text: UnsafeRawBufferPointer) -> Bool {
        if case .unsound = read(text, readableByteCount: text.count) { return false }
        return true
    }

    /// The next place inside a line where an object begins, the time that an export puts before it included.
    private func nextStart(_ line: UnsafeRawBufferPointer, from: Int) -> Int? {
        var at = from
        while at + 1 < line.count {
            guard let base = line.baseAddress,
                let brace = memchr(base + at, Int32(UInt8(ascii: "{")), line.count - 1 - at)
            else { return nil }
            at = UnsafeRawPointer(brace) - base
            if line[at + 1] == UInt8(ascii: "\"") {
                return ExportedLine.start(of: at, in: line, notBefore: from)
            }
            at += 1
        }
        return nil
    }
}
