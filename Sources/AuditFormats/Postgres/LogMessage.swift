/// What the text of a log message says when it is none of pgaudit's.
enum LogMessage {
    /// Whether the message reports that a client came.
    static func isConnection(_ message: UnsafeRawBufferPointer) -> Bool {
        message.starts(with: "connection ".utf8)
            && (message.starts(with: "connection received".utf8)
                || message.starts(with: "connection authorized".utf8)
                || message.starts(with: "connection authenticated".utf8))
            || message.starts(with: "replication connection authorized".utf8)
    }

    /// Whether the message reports that a client left.
    static func isDisconnection(_ message: UnsafeRawBufferPointer) -> Bool {
        message.starts(with: "disconnection:".utf8)
    }

    /// Where the SQL begins in a message of `log_statement` or `log_min_duration_statement`, nil when it holds none.
    ///
    /// `duration: 1.2 ms  execute name: select 1`; the part before `execute` may be missing.
    static func statementStart(_ message: UnsafeRawBufferPointer) -> Int? {
        var at = 0
        if message.starts(with: "duration: ".utf8) {
            guard let unit = find(" ms  ", in: message, from: 10) else { return nil }
            at = unit + 5
        }
        let rest = UnsafeRawBufferPointer(rebasing: message[at...])
        if rest.starts(with: "statement: ".utf8) { return at + 11 }
        let hasName = ["execute ", "parse ", "bind "].contains { rest.starts(with: $0.utf8) }
        guard hasName, let colon = find(": ", in: message, from: at) else { return nil }
        return colon + 2
    }

    private static func find(_ text: StaticString, in message: UnsafeRawBufferPointer, from: Int) -> Int? {
        let count = text.utf8CodeUnitCount
        let wanted = UnsafeRawBufferPointer(start: text.utf8Start, count: count)
        var at = from
        // The words before the SQL are short; the search stops where a name of 63 bytes would have ended.
        let limit = min(message.count - count, from + 256)
        while at <= limit {
            if UnsafeRawBufferPointer(rebasing: message[at..<at + count]).elementsEqual(wanted) { return at }
            at += 1
        }
        return nil
    }

    /// The log's own tag when it is a command: `idle`, `authentication`, `PARSE` and the like are states.
    static func command(in tag: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var tag = tag
        let waiting = " waiting".utf8
        if tag.count > waiting.count, tag.suffix(waiting.count).elementsEqual(waiting) {
            tag = UnsafeRawBufferPointer(rebasing: tag.dropLast(waiting.count))
        }
        guard !tag.isEmpty, tag.allSatisfy({ $0 &- 0x41 < 26 || $0 == 0x20 }) else { return nil }
        return tag.elementsEqual("PARSE".utf8) || tag.elementsEqual("BIND".utf8) ? nil : tag
    }
}
