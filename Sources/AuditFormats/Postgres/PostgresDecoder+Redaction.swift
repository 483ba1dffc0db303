import CByteScan
import Columnar
import SQLText

extension PostgresDecoder {
    /// The columns that can hold SQL or a person's text.
    private static let textFields: [(index: Int, context: SecretContext)] = [
        (CSVLogField.message, .prose), (CSVLogField.detail, .prose), (CSVLogField.hint, .prose),
        (CSVLogField.internalQuery, .statement), (CSVLogField.context, .prose),
        (CSVLogField.query, .statement),
        (CSVLogField.applicationName, .prose),
    ]

    /// The secrets of a record, as ascending ranges of its bytes.
    ///
    /// Called for the few records that may hold one.
    mutating func secretSpans(_ record: CSVLogRecord) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        for (index, context) in Self.textFields {
            let stored = record.stored(index)
            guard SecretScanner.mayHoldSecret(stored) else { continue }
            scratch.message.removeAll()
            scratch.message.appendUndoubled(stored)
            let text = scratch.message.bytes
            var found = secrets(in: text, as: context)
            if index == CSVLogField.message {
                if payload.parse(text) {
                    found = payloadSpans()
                } else if let start = LogMessage.statementStart(text) {
                    let sql = UnsafeRawBufferPointer(rebasing: text[start...])
                    found += secrets(in: sql, as: .statement).map { $0.shifted(by: start) }
                }
            }
            let offset = record.start(of: index)
            spans += stored.redoubled(merged(found)).map { $0.shifted(by: offset) }
        }
        return merged(spans)
    }

    /// The secrets of the pgaudit message that was just parsed, as ranges of the message.
    private mutating func payloadSpans() -> [Range<Int>] {
        var spans: [Range<Int>] = []
        for (index, context) in [
            (PgAuditPayload.statement, SecretContext.statement), (PgAuditPayload.parameter, .prose),
        ] {
            let stored = payload.stored(index)
            scratch.statement.removeAll()
            scratch.statement.appendUndoubled(stored)
            let text = scratch.statement.bytes
            let found = merged(secrets(in: text, as: context) + secrets(in: text, as: .prose))
            let offset = payload.start(of: index)
            spans += stored.redoubled(found).map { $0.shifted(by: offset) }
        }
        return spans
    }

    /// The secrets of a text, as ascending ranges.
    mutating func secrets(in text: UnsafeRawBufferPointer, as context: SecretContext) -> [Range<Int>] {
        scanner.spans(in: text, as: context).map { $0.start..<$0.end }
    }

    /// Ascending ranges without overlaps that cover the same bytes.
    private func merged(_ spans: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) where !span.isEmpty {
            if let last = result.last, span.lowerBound < last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                result.append(span)
            }
        }
        return result
    }
}

extension Range<Int> {
    fileprivate func shifted(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}

extension ByteBuffer {
    /// Appends `stored` with each doubled quote made single.
    mutating func appendUndoubled(_ stored: UnsafeRawBufferPointer) {
        let bytes = stored.bindMemory(to: UInt8.self)
        append(atMost: bytes.count) {
            bs_undouble(bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: UInt8.self))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Ranges of the text with single quotes, as ranges of these bytes, in which each quote is doubled.
    ///
    /// - Parameter ranges: Ascending, without overlaps.
    /// - Returns: As many ranges, in the same order.
    fileprivate func redoubled(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var at = 0
        var position = 0
        func advance(to target: Int) {
            while position < target, at < count {
                at +=
                    self[at] == UInt8(ascii: "\"") && at + 1 < count && self[at + 1] == UInt8(ascii: "\"")
                    ? 2 : 1
                position += 1
            }
        }
        for range in ranges {
            advance(to: range.lowerBound)
            let start = at
            advance(to: range.upperBound)
            result.append(start..<at)
        }
        return result
    }
}
