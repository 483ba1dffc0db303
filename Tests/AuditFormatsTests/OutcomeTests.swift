import AuditFormats
import Testing

@Suite struct OutcomeTests {
    @Test(
        arguments: [
            ("ERROR", "42501", "FAILURE"), ("FATAL", "57P01", "FAILURE"), ("PANIC", "XX000", "FAILURE"),
            ("FEHLER", "42P01", "FAILURE"), ("ERREUR", "42P01", "FAILURE"), ("ОШИБКА", "22012", "FAILURE"),
            ("ПАНИКА", "XX000", "FAILURE"), ("エラー", "42601", "FAILURE"),
            ("LOG", "08006", nil), ("WARNING", "42P01", nil), ("WARNUNG", "22012", nil),
            ("HINWEIS", "42P07", nil),
            ("ПРЕДУПРЕЖДЕНИЕ", "22012", nil), ("СООБЩЕНИЕ", "08006", nil), ("ATTENTION", "55000", nil),
            ("DEBUG1", "42P01", nil), ("LOG", "00000", nil), ("NOTICE", "02000", nil),
            ("ERROR", "01000", nil),
            ("ERROR", "03000", nil),
        ] as [(String, String, String?)]
    )
    func failureIsAnErrorsCodeWithAWordThatIsNoLesserOne(
        _ severity: String,
        _ state: String,
        _ result: String?
    ) throws {
        let row = try row(of: LogRecord(severity: severity, sqlState: state, message: "m"))
        #expect(row["result"] == result)
        #expect(row["error_code"] == (state == "00000" ? nil : state))
        #expect(row.extra["log_line_severity"] == severity)
    }

    @Test(arguments: [
        "connection received: host=10.1.2.3 port=5432", "connection authorized: user=a database=b",
        "connection authenticated: identity=\"a\" method=scram-sha-256",
        "replication connection authorized: user=r",
    ])
    func comingOfAClientIsASuccess(_ message: String) throws {
        let row = try row(of: LogRecord(commandTag: "authentication", message: message))
        #expect(row["command_tag"] == "CONNECT")
        #expect(row["result"] == "SUCCESS")
        #expect(row["audit_class"] == nil)
    }

    @Test func leavingOfAClientIsASuccess() throws {
        let row = try row(
            of: LogRecord(commandTag: "idle", message: "disconnection: session time: 0:00:03.1")
        )
        #expect(row["command_tag"] == "DISCONNECT")
        #expect(row["result"] == "SUCCESS")
    }

    @Test(arguments: [("authentication", "28P01"), ("startup", "3D000"), ("startup", "53300")])
    func refusedClientIsAConnectionThatFailed(_ tag: String, _ state: String) throws {
        var record = LogRecord(commandTag: tag, severity: "FATAL", sqlState: state, message: "no")
        record.detail = "Role \"ghost\" does not exist."
        let row = try row(of: record)
        #expect(row["command_tag"] == "CONNECT")
        #expect(row["result"] == "FAILURE")
        #expect(row["error_code"] == state)
    }

    @Test(arguments: ["connection authorized: user=a", "disconnection: session time: 1"])
    func connectionForgedByRaiseIsAPlainLogRecord(_ message: String) throws {
        let row = try row(of: LogRecord(message: message, context: "PL/pgSQL function f()"))
        #expect(row["result"] == nil)
        #expect(row["command_tag"] == "SELECT")
    }

    @Test(
        arguments: [
            ("SELECT", "SELECT"), ("CREATE TABLE", "CREATE TABLE"), ("UPDATE waiting", "UPDATE"),
            ("COMMIT waiting", "COMMIT"), ("idle", nil), ("idle in transaction", nil), ("PARSE", nil),
            ("BIND", nil), ("BIND waiting", nil), ("authentication", nil), ("", nil), (nil, nil),
        ] as [(String?, String?)]
    )
    func logsOwnTagCountsWhenItIsACommand(_ tag: String?, _ command: String?) throws {
        #expect(try row(of: LogRecord(commandTag: tag, message: "m"))["command_tag"] == command)
    }
}
