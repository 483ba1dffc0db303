import AuditFormats
import PostgresSessions
import Testing

/// What rows say about other records of their session.
@Suite struct SessionRowTests {
    private static func audit(
        _ line: Int,
        _ vxid: String,
        _ what: String,
        _ statement: String,
        substatement: Int = 1
    ) -> LogRecord {
        let words = what.split(separator: ",").map(String.init)
        var message = AuditMessage(statementID: line, substatementID: substatement, statement: statement)
        (message.auditClass, message.command) = (words[0], words[1])
        var record = LogRecord.audit(message, lineNumber: line)
        record.virtualTransactionID = vxid
        record.queryID = "7"
        return record
    }

    private static func error(_ line: Int, _ vxid: String, query: String) -> LogRecord {
        var record = LogRecord.error("23505", "duplicate key", query: query)
        (record.lineNumber, record.virtualTransactionID, record.queryID) = (line, vxid, "7")
        return record
    }

    private static let failing = [
        audit(1, "4/1", "WRITE,INSERT", "insert into t values (1)"),
        error(2, "4/1", query: "insert into t values (1)"),
    ]

    @Test func aFailedStatementsRowSaysSo() throws {
        let rows = try decode(Self.failing).rows
        #expect(rows[0]["result"] == "FAILURE")
        #expect(rows[0]["error_code"] == "23505")
        #expect(rows[0].extra["outcome"] == "final")
        #expect(rows[1].extra["amends"] == "FAILURE:1")
        #expect(rows[1].extra["outcome"] == nil)
    }

    @Test func aRowThatWasWrittenBeforeStaysAsItIs() throws {
        let whole = try decode(Self.failing).rows
        let rows = try Self.rows(of: Self.failing.map { file([$0]) }, batches: [1, 2]).0
        #expect(rows[0]["result"] == "SUCCESS")
        #expect(rows[0]["error_code"] == nil)
        #expect(rows[0].extra["outcome"] == "open")
        #expect(rows[0].extra.filter { $0.key != "outcome" } == whole[0].extra.filter { $0.key != "outcome" })
        #expect(rows[1] == whole[1])
    }

    @Test func onlyOpenStatementsAreOpen() throws {
        var other = Self.audit(1, "5/1", "READ,SELECT", "select 5")
        other.sessionID = "6b013888.7c3"
        let rows = try decode([
            Self.audit(1, "4/1", "READ,SELECT", "select 1"), other,
            Self.audit(2, "4/2", "READ,SELECT", "select 2"),
            Self.audit(3, "4/3", "MISC,SET", "set x = 1"),
        ]).rows
        #expect(rows.map { $0.extra["outcome"] } == ["final", "open", "final", "final"])
        #expect(rows.map { $0.extra["node"] } == ["pg1", "pg1", "pg1", "pg1"])
    }

    @Test func theRoleStandsWhereItIsNotTheUser() throws {
        let rows = try decode([
            Self.audit(1, "4/1", "MISC,SET", "set role alice"),
            Self.audit(2, "4/2", "READ,SELECT", "select 1"),
            Self.audit(3, "4/3", "MISC,SET", "set role postgres"),
            Self.audit(4, "4/4", "READ,SELECT", "select 1"),
        ]).rows
        #expect(rows.map { $0.extra["effective_role"] } == [nil, "alice", "alice", nil])
    }

    @Test func aTransactionsEndSaysWhatBecameOfIt() throws {
        let rows = try decode([
            Self.audit(1, "4/1", "MISC,BEGIN", "begin"), Self.audit(2, "4/1", "WRITE,INSERT", "insert"),
            Self.audit(3, "4/1", "MISC,COMMIT", "commit"),
        ]).rows
        #expect(rows.map { $0.extra["txn_outcome"] } == [nil, nil, "COMMITTED"])
        #expect(rows.map { $0.extra["amends"] } == [nil, nil, "COMMITTED:1-2"])
    }

    @Test func aTextLoggedBeforeIsReferredTo() throws {
        var again = Self.audit(2, "4/1", "READ,SELECT", "<previously logged>")
        again.message = AuditMessage(statementID: 1, statement: "<previously logged>").text
        let rows = try decode([Self.audit(1, "4/1", "READ,SELECT", "select 1"), again]).rows
        #expect(rows[1]["statement"] == nil)
        #expect(rows[1].extra["statement_ref"] == "1")
    }

    @Test func whatDecidesIsKeptAmongAuditEvents() throws {
        let savepoint = Self.audit(2, "4/1", "MISC,SAVEPOINT", "savepoint a")
        var proof = LogRecord(lineNumber: 4, message: "some message")
        proof.virtualTransactionID = "4/2"
        var idle = LogRecord(lineNumber: 5, message: "some message")
        idle.virtualTransactionID = "4/2"
        let records = [
            Self.audit(1, "4/1", "MISC,BEGIN", "begin"), savepoint, Self.error(3, "4/1", query: "x"), proof,
            idle,
        ]
        let decoded = try decode(records, settings: .make { $0.keepsAuditEventsOnly = true })
        #expect(decoded.rows.map { $0.extra["amends"] } == [nil, nil, nil, "ROLLED_BACK:1-2"])
        #expect(decoded.leftOut.keep == 1)
    }

    @Test func recordsLeftOutMakeNoGap() throws {
        var loader = Self.audit(2, "4/2", "READ,SELECT", "select 2")
        loader.applicationName = "auditlake"
        let records = [
            Self.audit(1, "4/1", "READ,SELECT", "select 1"), loader, LogRecord(lineNumber: 3, message: "m"),
            Self.audit(4, "4/3", "READ,SELECT", "select 3"),
        ]
        var decoder = PostgresDecoder(
            settings: .make {
                $0.keepsAuditEventsOnly = true
                $0.excludedApplications = ["auditlake"]
            }
        )
        _ = try file(records).withUnsafeBytes { try decoder.decode($0, baseOffset: 0, source: "a") }
        #expect(decoder.rows.count == 2)
        #expect(decoder.sessions.takeBrokenRules().isEmpty)
    }

    /// The shipped logs, cut into batches anywhere, with the state stored and restored in between.
    @Test(arguments: ["primary/postgresql-2026-11-21_082337.csv", "replica/postgresql-2026-11-21_082336.csv"])
    func batchesOfRealLogsMeanTheSame(path: String) throws {
        let records = ShippedLogs.csvRecords(try ShippedLogs.bytes(path))
        let (expected, state) = try Self.rows(of: records, batches: [records.count])
        #expect(expected.contains { $0.extra["amends"] != nil } || path.hasPrefix("replica"))
        for length in [1, 2, 3, 7, 50] {
            let ends = Array(stride(from: length, to: records.count, by: length)) + [records.count]
            let (rows, lastState) = try Self.rows(of: records, batches: ends)
            #expect(rows.map(Self.lasting) == expected.map(Self.lasting))
            #expect(lastState == state)
        }
    }

    /// What a row says wherever the batch ended.
    private static func lasting(_ row: Row) -> Row {
        var row = row
        row.extra["outcome"] = nil
        if row.extra["audit_type"] != nil {
            row.texts["result"] = nil
            row.texts["error_code"] = nil
        }
        return row
    }

    private static func rows(of records: [[UInt8]], batches: [Int]) throws -> ([Row], [String: String]) {
        var rows: [Row] = []
        var state: [String: String] = [:]
        var start = 0
        for end in batches {
            var decoder = PostgresDecoder(settings: .make())
            decoder.ingestTime = ingestTime
            decoder.sessions = SessionStates(restoring: state)
            let bytes = Array(records[start..<end].joined())
            _ = try bytes.withUnsafeBytes { try decoder.decode($0, baseOffset: 0, source: "a", isEnd: true) }
            rows += Row.rows(of: decoder.finishRows())
            for change in decoder.sessions.takeChanges() { state[change.key] = change.value }
            start = end
        }
        return (rows, state)
    }
}
