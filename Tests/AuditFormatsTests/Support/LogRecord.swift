/// A csvlog record as PostgreSQL writes it; what is nil is NULL.
struct LogRecord {
    var time = "2026-11-21 06:22:00.545 UTC"
    var user: String? = "postgres"
    var database: String? = "app"
    var connection: String? = "[local]"
    var sessionID = "6b013888.7c2"
    var lineNumber = 1
    var commandTag: String? = "SELECT"
    /// Nil stands for the day of the sample in the zone of `time`.
    var sessionStart: String?
    var virtualTransactionID = "4/404"
    var transactionID = "0"
    var severity = "LOG"
    var sqlState = "00000"
    var message: String? = "checkpoint starting"
    var detail: String?
    var hint: String?
    var internalQuery: String?
    var context: String?
    var query: String?
    var applicationName: String? = "psql"
    var backendType: String? = "client backend"
    var queryID = "0"
    /// Columns after the 26th, as they stand in the file.
    var furtherColumns: [String] = []
    /// The number of columns that the server's version has.
    var columnCount = 26

    private var zone: String { time.split(separator: " ").dropFirst(2).first.map(String.init) ?? "" }

    /// The record without a line end.
    var text: String {
        let all =
            [
                time, quoted(user), quoted(database), "1986", quoted(connection), sessionID, "\(lineNumber)",
                quoted(commandTag), sessionStart ?? "2026-11-21 06:22:00 \(zone)", virtualTransactionID,
                transactionID, severity,
                sqlState, quoted(message), quoted(detail), quoted(hint), quoted(internalQuery), "",
                quoted(context), quoted(query), "", "", quoted(applicationName), quoted(backendType), "",
                queryID,
            ] + furtherColumns
        return all.prefix(columnCount + furtherColumns.count).joined(separator: ",")
    }

    /// A pgaudit record.
    static func audit(_ message: AuditMessage, lineNumber: Int = 1) -> LogRecord {
        LogRecord(lineNumber: lineNumber, message: message.text)
    }

    /// An ERROR of a statement.
    static func error(_ sqlState: String, _ message: String, query: String? = nil) -> LogRecord {
        LogRecord(severity: "ERROR", sqlState: sqlState, message: message, query: query)
    }
}

/// A pgaudit message.
struct AuditMessage {
    var type = "SESSION"
    var statementID = 1
    var substatementID = 1
    var auditClass = "READ"
    var command = "SELECT"
    var objectType = ""
    var objectName = ""
    var statement = "select 1"
    var parameter = "<none>"
    var rows: String?

    /// The message with pgaudit's quoting: only where a field needs it.
    var text: String {
        let fields =
            [
                type, "\(statementID)", "\(substatementID)", auditClass, command, objectType, objectName,
                statement, parameter,
            ] + (rows.map { [$0] } ?? [])
        return "AUDIT: " + fields.map(Self.quotedWhereNeeded).joined(separator: ",")
    }

    private static func quotedWhereNeeded(_ field: String) -> String {
        field.utf8.contains { [0x2C, 0x22, 0x0D, 0x0A].contains($0) } ? quoted(field) : field
    }
}

/// A text in CSV quotes, nothing for NULL.
func quoted(_ text: String?) -> String {
    guard let text else { return "" }
    return "\""
        + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

/// The bytes of a log file with these records.
func file(_ records: [LogRecord], lineEnd: String = "\n") -> [UInt8] {
    records.flatMap { Array(($0.text + lineEnd).utf8) }
}
