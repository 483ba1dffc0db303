import CByteScan
import Columnar

extension PostgresDecoder {
    /// Appends the records of the line of log events that the splitter has just read.
    ///
    /// A row's `raw` is the record alone. A line is taken whole: its records never come in two calls.
    ///
    /// - Parameters:
    ///   - line: The stored line with its line end.
    ///   - offset: Where it lies in the source.
    /// - Throws: `SettingsError`; the rows before it are kept.
    mutating func appendEvents(of line: UnsafeRawBufferPointer, at offset: UInt64) throws {
        let envelope = splitter.json.envelope
        let isLatin1 = splitter.json.isLatin1
        let whole = ByteRange(offset, offset + UInt64(line.count))
        let start = line.baseAddress.flatMap { base in envelope.baseAddress.map { $0 - base } } ?? 0
        for event in 0..<splitter.json.eventCount {
            let message = splitter.json.message(of: event)
            let stored = UnsafeRawBufferPointer(rebasing: envelope[message.range])
            // In a line that was transcoded, places are those of the transcoded text.
            let lower = offset + UInt64(max(0, start + message.range.lowerBound))
            let range = isLatin1 ? whole : ByteRange(lower, lower + UInt64(stored.count))
            scratch.event.removeAll()
            scratch.event.append(stored, undoing: message.escape)
            let found = splitter.json.readMessage(scratch.event.bytes)
            if let record = found.record {
                try append(record, isLatin1: isLatin1, range: range)
            } else {
                let fault = RecordFault(code: found.code, detail: found.detail, range: range)
                appendFault(fault, raw: scratch.event.bytes, isLatin1: isLatin1)
            }
        }
    }
}
