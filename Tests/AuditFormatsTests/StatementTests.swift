import AuditFormats
import Testing

@Suite struct StatementTests {
    @Test func auditStatementComesBeforeAnyOtherText() throws {
        #expect(try row(of: .audit(AuditMessage(statement: "select 7")))["statement"] == "select $1")
    }

    @Test func queryComesBeforeTheMessage() throws {
        let record = LogRecord(message: "statement: select 1, 2", query: "select \"a\" from t where b = 'c'")
        #expect(try row(of: record)["statement"] == "select \"a\" from t where b = $1")
    }

    @Test(
        arguments: [
            ("statement: select 1", "select $1"),
            ("execute <unnamed>: select $1", "select $1"),
            ("execute named: update t set a = 5", "update t set a = $1"),
            ("parse p1: select 1", "select $1"),
            ("bind p1/c1: select 1", "select $1"),
            ("duration: 1.234 ms  statement: select \"x\", 1", "select \"x\", $1"),
            ("duration: 0.1 ms  execute <unnamed>: delete from t where a = 1", "delete from t where a = $1"),
            ("duration: 1.234 ms", nil),
            ("the statement: select 1", nil),
            ("executed: select 1", nil),
        ] as [(String, String?)]
    )
    func statementOfALogMessageIsFound(_ message: String, _ statement: String?) throws {
        #expect(try row(of: LogRecord(message: message))["statement"] == statement)
    }

    @Test func statementThatRaiseForgesIsNone() throws {
        #expect(
            try row(of: LogRecord(message: "statement: drop table t", context: "f()"))["statement"] == nil
        )
    }

    @Test func statementIsKeptWhenNothingIsToBeNormalized() throws {
        let settings = PostgresDecoderSettings.make { $0.normalizesStatements = false }
        let row = try row(of: .audit(AuditMessage(statement: "select \"a\",  'b' -- c")), settings: settings)
        #expect(row["statement"] == "select \"a\",  'b' -- c")
        #expect(row.extra["fingerprint"] == nil)
    }

    @Test func fingerprintIsOneForStatementsThatDifferInLiterals() throws {
        let texts = ["select 1 from t", "SELECT  'x'  FROM t", "select 1 from u"]
        let prints = try texts.map { try row(of: .audit(AuditMessage(statement: $0))).extra["fingerprint"] }
        #expect(prints[0] == prints[1])
        #expect(prints[0] != prints[2])
        #expect(prints[0]?.count == 16)
        #expect(prints[0]?.allSatisfy { "0123456789abcdef".contains($0) } == true)
    }

    @Test func failedStatementIsParsed() throws {
        let record = LogRecord.error(
            "42501",
            "permission denied",
            query: "insert into sales.orders values (1)"
        )
        let row = try row(of: record)
        #expect(row["statement"] == "insert into sales.orders values ($1)")
        #expect(row.extra["parsed_class"] == "WRITE")
        #expect(row.extra["parsed_object_type"] == "TABLE")
        #expect(row.extra["parsed_object_name"] == "sales.orders")
        #expect(row["audit_class"] == nil)
    }

    @Test func statementThatSucceededIsNotParsed() throws {
        let row = try row(of: LogRecord(message: "m", query: "insert into sales.orders values (1)"))
        #expect(row.extra["parsed_class"] == nil)
        #expect(row.extra["fingerprint"] != nil)
    }

    @Test func failedTextThatIsNoStatementHasNoShape() throws {
        let row = try row(of: .error("42601", "syntax error", query: "selekt 1"))
        #expect(row["statement"] == "selekt $1")
        #expect(row.extra["parsed_class"] == nil)
        #expect(row["result"] == "FAILURE")
    }
}
