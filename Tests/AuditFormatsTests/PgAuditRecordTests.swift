import AuditFormats
import Testing

@Suite struct PgAuditRecordTests {
    @Test func nineFieldsFillTheColumns() throws {
        let message = AuditMessage(
            type: "OBJECT",
            statementID: 5,
            substatementID: 4,
            auditClass: "WRITE",
            command: "INSERT",
            objectType: "TABLE",
            objectName: "sales.orders",
            statement: "insert into sales.orders(customer, amount) values ($1, 'x')",
            parameter: "1,10.5"
        )
        let row = try row(of: .audit(message))
        #expect(row["audit_class"] == "WRITE")
        #expect(row["command_tag"] == "INSERT")
        #expect(row["object_type"] == "TABLE")
        #expect(row["object_name"] == "sales.orders")
        #expect(row["statement"] == "insert into sales.orders(customer, amount) values ($1, $2)")
        #expect(row["result"] == "SUCCESS")
        #expect(row["error_code"] == nil)
        #expect(row.extra["audit_type"] == "OBJECT")
        #expect(row.extra["statement_id"] == "5")
        #expect(row.extra["substatement_id"] == "4")
        #expect(row.extra["parameter"] == "1,10.5")
        #expect(row.extra["rows"] == nil)
        #expect(row.extra["message"] == nil)
    }

    @Test func tenthFieldIsTheNumberOfRows() throws {
        let row = try row(of: .audit(AuditMessage(parameter: "a \"b\", c", rows: "17")))
        #expect(row.extra["rows"] == "17")
        #expect(row.extra["parameter"] == "a \"b\", c")
        #expect(row["audit_class"] == "READ")
    }

    @Test func fieldsMayBeEmpty() throws {
        let row = try row(of: .audit(AuditMessage(auditClass: "DDL", command: "CREATE TABLE", parameter: "")))
        #expect(row["object_type"] == nil)
        #expect(row["object_name"] == nil)
        #expect(row.extra["parameter"] == nil)
        #expect(row["audit_class"] == "DDL")
    }

    @Test(arguments: ["<not logged>", "<previously logged>"])
    func markerInPlaceOfTheStatementIsNoStatement(_ marker: String) throws {
        let row = try row(of: .audit(AuditMessage(statement: marker, parameter: marker)))
        #expect(row["statement"] == nil)
        #expect(row.extra["parameter"] == marker)
        #expect(row.extra["fingerprint"] == nil)
        #expect(row["audit_class"] == "READ")
    }

    @Test(arguments: ["<none>", "<long param suppressed>", "1,<long param suppressed>"])
    func markerInPlaceOfTheParametersIsKept(_ marker: String) throws {
        let row = try row(of: .audit(AuditMessage(parameter: marker)))
        #expect(row.extra["parameter"] == marker)
        #expect(row["statement"] == "select $1")
    }

    @Test func statementWithQuotesCommasAndLinesIsReadWhole() throws {
        let statement = "select \"a,\nb\" from t -- it's\nwhere c = 'x\"y'"
        let row = try row(of: .audit(AuditMessage(statement: statement)))
        #expect(row["statement"] == "select \"a,\nb\" from t  \nwhere c = $1")
    }

    @Test(
        arguments: [("PL/pgSQL function f() line 3 at RAISE", nil), (nil, "select f()")]
            as [(String?, String?)]
    )
    func messageForgedByRaiseIsNoAuditRecord(_ context: String?, _ query: String?) throws {
        var record = LogRecord.audit(
            AuditMessage(objectName: "public.forged", statement: "drop table forged")
        )
        record.context = context
        record.query = query
        let row = try row(of: record)
        #expect(row["audit_class"] == nil)
        #expect(row["object_name"] == nil)
        #expect(row["result"] == nil)
        #expect(row.extra["audit_type"] == nil)
        #expect(row.extra["message"] == record.message)
        #expect(row["statement"] == query, "what ran is the query, not what the message claims")
    }

    @Test(arguments: [
        "AUDIT: SESSION,1,1,READ,SELECT,,,select 1", "AUDIT: SESSION,1,1,READ,SELECT,,,select 1,<none>,1,2",
        "AUDIT: SESSION,1,1,READ,SELECT,,,\"select 1,<none>", "AUDIT: SOMETHING", "AUDIT: ", "audit: SESSION",
        "AUDIT: XSESSION,1,1,READ,SELECT,,,select 1,<none>",
    ])
    func messageOfAnotherShapeIsAPlainLogRecord(_ message: String) throws {
        let row = try row(of: LogRecord(message: message))
        #expect(row["audit_class"] == nil)
        #expect(row["result"] == nil)
        #expect(row.extra["message"] == message)
    }

    @Test func unresolvedCommandIsTakenFromTheStatement() throws {
        let merge = AuditMessage(
            auditClass: "MISC",
            command: "???",
            statement: "merge into t using s on t.a = s.a when matched then delete"
        )
        #expect(try row(of: .audit(merge))["command_tag"] == "MERGE")
        var unknown = LogRecord.audit(
            AuditMessage(auditClass: "MISC", command: "???", statement: "frobnicate")
        )
        unknown.commandTag = "UPDATE"
        #expect(try row(of: unknown)["command_tag"] == "UPDATE")
    }

    @Test func keepingAuditEventsOnlyCountsTheRest() throws {
        let records = [
            LogRecord(message: "checkpoint starting"), .audit(AuditMessage()),
            .error("42601", "syntax error"),
            LogRecord(message: "connection authorized: user=a database=b"),
            LogRecord(message: "disconnection: session time: 0:00:01 user=a"),
            LogRecord(severity: "WARNING", sqlState: "01000", message: "careful"),
        ]
        let decoded = try decode(records, settings: .make { $0.keepsAuditEventsOnly = true })
        #expect(decoded.rows.map { $0["raw"] } == records[1...4].map(\.text))
        #expect(decoded.leftOut.keep == 2)
        #expect(try decode(records).leftOut == LeftOut())
    }
}
