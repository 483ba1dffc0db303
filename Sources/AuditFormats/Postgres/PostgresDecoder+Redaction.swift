import CByteScan
import Columnar
import SQLText

extension PostgresDecoder {
    /// The columns that can hold SQL, a person's text, or what a client claimed.
    private static let textFields = [
        LogField.query, LogField.internalQuery, LogField.message, LogField.detail,
        LogField.hint,
        LogField.context, LogField.applicationName, LogField.userName, LogField.databaseName,
    ]

    /// The secrets of a record, as ascending ranges of its bytes.
    ///
    /// Called for the few records that may hold one. Every text is read as prose; the SQL in it as a statement too.
    mutating func secretSpans(_ record: LogRecord) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        var secretsOfQuery: [[UInt8]] = []
        let unknownFields = LogField.knownCount..<max(LogField.knownCount, record.fieldCount)
        for index in Self.textFields + unknownFields {
            let stored = record.stored(index)
            let isMessage = index == LogField.message
            guard SecretScanner.mayHoldSecret(stored) || !secretsOfQuery.isEmpty else { continue }
            scratch.message.removeAll()
            let escape = record.escape(index)
            scratch.message.append(stored, undoing: escape)
            let text = scratch.message.bytes
            let found = isMessage && payload.parse(text) ? payloadSpans() : textSpans(text, field: index)
            if index == LogField.query { secretsOfQuery = found.map { Array(text[$0]) } }
            let echoes = index == LogField.query ? [] : text.echoes(of: secretsOfQuery)
            let offset = record.start(of: index)
            spans += stored.escaped(Self.merged(found + echoes), escape).map { $0.shifted(by: offset) }
        }
        return Self.merged(spans)
    }

    /// The secrets of a text that is no pgaudit message.
    private mutating func textSpans(_ text: UnsafeRawBufferPointer, field: Int) -> [Range<Int>] {
        let start: Int? =
            switch field {
            case LogField.query, LogField.internalQuery: 0
            case LogField.message: LogMessage.statementStart(text)
            case LogField.detail: text.end(of: "Failed process was running: ")
            case LogField.context: text.end(of: "SQL statement \"")
            default: nil
            }
        let prose = secrets(in: text, as: .prose)
        guard let start else { return prose }
        let rest = UnsafeRawBufferPointer(rebasing: text[start...])
        // A context goes on behind the quote that ends the statement.
        let end =
            field == LogField.context ? rest.end(of: "\"\n").map { $0 - 2 } ?? rest.count - 1 : rest.count
        let sql = UnsafeRawBufferPointer(rebasing: rest[..<max(0, end)])
        return Self.merged(prose + secrets(in: sql, as: .statement).map { $0.shifted(by: start) })
    }

    /// The secrets of the pgaudit message that was just parsed, as ranges of the message.
    private mutating func payloadSpans() -> [Range<Int>] {
        var spans: [Range<Int>] = []
        for (index, context) in [
            (PgAuditPayload.statement, SecretContext.statement), (PgAuditPayload.parameter, .prose),
        ] {
            let stored = payload.stored(index)
            scratch.statement.removeAll()
            let escape = payload.escape(index)
            scratch.statement.append(stored, undoing: escape)
            let text = scratch.statement.bytes
            let found = Self.merged(secrets(in: text, as: context) + secrets(in: text, as: .prose))
            let offset = payload.start(of: index)
            spans += stored.escaped(found, escape).map { $0.shifted(by: offset) }
        }
        return spans
    }

    /// The secrets of a text, as ascending ranges.
    mutating func secrets(in text: UnsafeRawBufferPointer, as context: SecretContext) -> [Range<Int>] {
        scanner.spans(in: text, as: context).map { $0.start..<$0.end }
    }

    /// Ascending ranges without overlaps that cover the same bytes.
    static func merged(_ spans: [Range<Int>]) -> [Range<Int>] {
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

extension UnsafeRawBufferPointer {
    /// Where the first occurrence of `words` ends.
    fileprivate func end(of words: String) -> Int? {
        firstRange(of: Array(words.utf8)).map(\.upperBound)
    }

    private func firstRange(of wanted: [UInt8], from: Int = 0) -> Range<Int>? {
        guard !wanted.isEmpty, count - from >= wanted.count else { return nil }
        for start in from...(count - wanted.count) where self[start] == wanted[0] {
            if self[start..<start + wanted.count].elementsEqual(wanted) {
                return start..<start + wanted.count
            }
        }
        return nil
    }

    /// A shorter secret is looked for in quotes only: it may be a part of any word.
    private static let echoByteCount = 4

    /// Where texts stand that are secrets elsewhere, as PostgreSQL repeats what it could not parse:
    /// `unterminated quoted string at or near "'x"`.
    func echoes(of texts: [[UInt8]]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for text in Set(texts) {
            let isShort = text.count < Self.echoByteCount
            let quote = isShort ? [UInt8(ascii: "\"")] : []
            let wanted = quote + text + quote
            var at = 0
            while let found = firstRange(of: wanted, from: at) {
                ranges.append(found.lowerBound + quote.count..<found.upperBound - quote.count)
                at = found.upperBound
            }
        }
        return ranges
    }
}

extension Range<Int> {
    fileprivate func shifted(by distance: Int) -> Range<Int> { lowerBound + distance..<upperBound + distance }
}
