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
    mutating func append(
        _ line: UnsafeRawBufferPointer,
        at offset: UInt64,
        fault: RecordFault.Code?,
        buildsBronze: Bool
    ) {
        if fault == nil, Self.isBlank(line) { return }
        totals.lineCount += 1
        totals.bronzeRowCount += 1
        let range = ByteRange(offset, offset + UInt64(line.count))
        var record = Record(text: line, bytes: line, range: range, isLatin1: false)
        var kind = fault == nil ? parse(line) : SJ_EVENT_MALFORMED
        if kind == SJ_EVENT_MALFORMED {
            let bytes = line.bindMemory(to: UInt8.self)
            if bs_is_utf8(bytes.baseAddress, bytes.count) == 0 {
                scratch.latin1.removeAll()
                scratch.latin1.append(atMost: bytes.count * 2) {
                    bs_latin1_to_utf8(bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: UInt8.self))
                }
                record.text = scratch.latin1.bytes
                record.isLatin1 = true
                if fault == nil { kind = parse(record.text) }
            }
        }
        if buildsBronze, settings.buildsBronze { appendBronze(record) }
        if let fault {
            appendFault(fault, "the line does not end", record)
        } else if kind == SJ_EVENT_RECORDS {
            appendRecords(of: record)
        } else {
            append(record, as: kind)
        }
        if line.count > settings.maxRecordBytes { scratch.latin1 = ByteBuffer() }
    }

    private static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let first = line.first else { return true }
        if first > UInt8(ascii: " ") { return false }
        return line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    }

    private mutating func parse(_ text: UnsafeRawBufferPointer) -> sj_event_kind {
        let bytes = text.bindMemory(to: UInt8.self)
        let kind = sj_event_parse(parser, bytes.baseAddress, bytes.count, &found)
        // Memory that runs out is no fault of the line, which must not end in the quarantine; Swift's own ends the process too.
        if kind == SJ_EVENT_OUT_OF_MEMORY { fatalError("no memory for a line of \(text.count) bytes") }
        return kind
    }

    private mutating func appendBronze(_ record: Record) {
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
        for index in scratch.spans.indices {
            let span = scratch.spans[index]
            let text = UnsafeRawBufferPointer(rebasing: line.text[span.start..<span.end])
            let lower = line.range.lowerBound + line.storedCount(span.start)
            let upper = line.range.lowerBound + line.storedCount(span.end)
            let range = ByteRange(lower, upper)
            let kind = parse(text)
            append(Record(text: text, bytes: text, range: range, isLatin1: line.isLatin1), as: kind)
        }
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

extension DatabricksDecoder.Record {
    /// How many bytes of the source the first `count` bytes of the text stand for.
    func storedCount(_ count: Int) -> UInt64 {
        guard isLatin1 else { return UInt64(count) }
        // A byte of Latin-1 above 0x7F became two of UTF-8.
        return text[..<count].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }
}
