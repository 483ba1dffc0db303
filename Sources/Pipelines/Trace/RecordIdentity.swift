import AuditFormats

/// Which record of its server one is: the session and its line in it.
package struct RecordIdentity: Codable, Hashable, Sendable {
    /// The log's session id.
    package var session: String
    /// The record's number in the session.
    package var line: Int64

    /// Names a record.
    package init(session: String, line: Int64) {
        self.session = session
        self.line = line
    }

    /// What a record says of itself; nil when it names no session.
    init?(_ record: LogRecord) {
        // Neither has escapes in a sound record.
        let session = String(decoding: record.stored(LogField.sessionID), as: UTF8.self)
        let number = String(decoding: record.stored(LogField.sessionLineNumber), as: UTF8.self)
        guard let line = Int64(number), !session.isEmpty else { return nil }
        self.init(session: session, line: line)
    }
}
