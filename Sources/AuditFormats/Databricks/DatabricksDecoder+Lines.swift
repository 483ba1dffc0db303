import CByteScan
import CSimdJSON
import Columnar

extension DatabricksDecoder {
    /// A line or a part of one, as it is decoded.
    struct Record {
        /// In UTF-8.
        var text: UnsafeRawBufferPointer
        /// As it stands in the source, for its hash.
        var bytes: UnsafeRawBufferPointer
        var range: ByteRange
        var isLatin1: Bool
    }

    /// Appends a line to bronze, and its events to silver and gold.
    ///
    /// - Parameters:
    ///   - line: Without its end.
    ///   - offset: Of its first byte in the source.
    ///   - isNew: Bronze does not have it yet.
    mutating func append(_ line: UnsafeRawBufferPointer, at offset: UInt64, isNew: Bool) {
        let markByteCount = line.startsWithMark ? 3 : 0
        if Self.isBlank(line.dropping(markByteCount)) { return }
        if isNew { countLine() }
        let range = ByteRange(offset, offset + UInt64(line.count))
        var whole = Record(text: line, bytes: line, range: range, isLatin1: false)
        var record = whole.dropping(markByteCount)
        var kind = parse(record.text)
        if kind == SJ_EVENT_MALFORMED {
            whole = textOf(line, at: offset)
            record = whole.dropping(markByteCount)
            if whole.isLatin1 { kind = parse(record.text) }
        }
        if isNew, settings.buildsBronze { appendBronze(whole) }
        if kind == SJ_EVENT_RECORDS { appendRecords(of: record) } else { append(record, as: kind) }
        if scratch.latin1.count > Self.keptCapacity { scratch.latin1 = ByteBuffer() }
    }

    /// More room than this is not kept for the next line.
    private static var keptCapacity: Int { 1 << 20 }

    /// Counts a row of bronze.
    mutating func countLine() {
        totals.lineCount += 1
        totals.bronzeRowCount += 1
    }

    private static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let first = line.first else { return true }
        if first > UInt8(ascii: " ") { return false }
        return line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }

    /// Bytes as text: Latin-1 when they are no UTF-8.
    ///
    /// Valid until the next call.
    mutating func textOf(_ line: UnsafeRawBufferPointer, at offset: UInt64) -> Record {
        let range = ByteRange(offset, offset + UInt64(line.count))
        var record = Record(text: line, bytes: line, range: range, isLatin1: false)
        let bytes = line.bindMemory(to: UInt8.self)
        guard bs_is_utf8(bytes.baseAddress, bytes.count) == 0 else { return record }
        scratch.latin1.removeAll()
        scratch.latin1.append(atMost: bytes.count * 2) {
            bs_latin1_to_utf8(bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: UInt8.self))
        }
        record.text = scratch.latin1.bytes
        record.isLatin1 = true
        return record
    }

    private mutating func parse(_ text: UnsafeRawBufferPointer) -> sj_event_kind {
        let bytes = text.bindMemory(to: UInt8.self)
        let kind = sj_event_parse(parser, bytes.baseAddress, bytes.count, &found)
        // The process ends: memory that runs out is no fault of the line, which must not end in the quarantine, and Swift's own
        // allocations end it as well. The batch is done again by the next run.
        if kind == SJ_EVENT_OUT_OF_MEMORY { fatalError("no memory for a line of \(text.count) bytes") }
        return kind
    }

    mutating func appendBronze(_ record: Record) {
        sourceText.withUnsafeBytes {
            bronze.append(
                record.text,
                isLatin1: record.isLatin1,
                source: $0,
                offset: record.range.lowerBound,
                sourceTime: sourceTime,
                ingestTime: ingestTime
            )
        }
    }

    /// Appends the elements of a `records` array.
    private mutating func appendRecords(of line: Record) {
        scratch.spans.removeAll(keepingCapacity: true)
        scratch.spans.append(contentsOf: UnsafeBufferPointer(start: found.records, count: found.record_count))
        let fields = UnsafeBufferPointer(start: found.rescued, count: found.rescued_count)
        if scratch.spans.isEmpty, !fields.isEmpty {
            return appendFault(.noEvent, "the object has no record, but other fields", line)
        }
        if !fields.isEmpty { envelope.take(fields, recordCount: scratch.spans.count) }
        // How far bytes of the source have been counted, and how many there are up to there.
        var counted = 0
        var stored: UInt64 = 0
        func offset(of position: Int) -> UInt64 {
            stored += line.storedCount(counted..<position)
            counted = position
            return line.range.lowerBound + stored
        }
        for index in scratch.spans.indices {
            let span = scratch.spans[index]
            let text = UnsafeRawBufferPointer(rebasing: line.text[span.start..<span.end])
            let range = ByteRange(offset(of: span.start), offset(of: span.end))
            let kind = parse(text)
            append(Record(text: text, bytes: text, range: range, isLatin1: line.isLatin1), as: kind)
        }
        envelope.removeAll()
    }

    private mutating func append(_ record: Record, as kind: sj_event_kind) {
        switch kind {
        case SJ_EVENT_FOUND: appendEvent(record)
        case SJ_EVENT_NO_OBJECT: appendFault(.noEvent, "an event is an object: {…}", record)
        case SJ_EVENT_NONE, SJ_EVENT_RECORDS:
            appendFault(.noEvent, "the object has no time, no service and no action", record)
        case SJ_EVENT_TOO_DEEP:
            appendFault(.malformedJSON, "objects and arrays lie more than \(SJ_MAX_DEPTH) deep", record)
        default: appendFault(.malformedJSON, "the line is no JSON", record)
        }
    }

    /// Appends a record to the quarantine.
    mutating func appendFault(_ code: RecordFault.Code, _ detail: String, _ record: Record) {
        totals.recordCount += 1
        totals.quarantineRowCount += 1
        quarantine.append(
            RecordFault(code: code, detail: detail, range: record.range),
            raw: record.text,
            isLatin1: record.isLatin1,
            source: sourceName,
            ingestTime: ingestTime
        )
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes begin with a byte order mark in UTF-8.
    fileprivate var startsWithMark: Bool {
        first == 0xEF && count >= 3 && self[1] == 0xBB && self[2] == 0xBF
    }

    fileprivate func dropping(_ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: dropFirst(count))
    }
}

extension DatabricksDecoder.Record {
    /// The record without bytes at its start, none of which is ASCII.
    fileprivate func dropping(_ count: Int) -> DatabricksDecoder.Record {
        guard count > 0 else { return self }
        var rest = self
        rest.text = text.dropping(isLatin1 ? count * 2 : count)
        rest.bytes = bytes.dropping(count)
        rest.range.lowerBound += UInt64(count)
        return rest
    }

    /// How many bytes of the source some bytes of the text stand for.
    func storedCount(_ range: Range<Int>) -> UInt64 {
        guard isLatin1 else { return UInt64(range.count) }
        // A byte of Latin-1 above 0x7F became two of UTF-8.
        return text[range].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }
}
