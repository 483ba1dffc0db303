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
        let isLatin1 = splitter.json.isLatin1
        for index in 0..<splitter.eventCount {
            let event = splitter.event(index, of: line)
            let range = ByteRange(
                offset + UInt64(event.range.lowerBound),
                offset + UInt64(event.range.upperBound)
            )
            switch event.content {
            case .record(let record): try append(record, isLatin1: isLatin1, range: range)
            case .fault(let code, let detail):
                let fault = RecordFault(code: code, detail: detail, range: range)
                appendFault(fault, raw: event.text, isLatin1: isLatin1)
            }
        }
    }
}
