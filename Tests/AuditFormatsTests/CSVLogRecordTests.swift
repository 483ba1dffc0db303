import AuditFormats
import Testing

@Suite struct CSVLogRecordTests {
    @Test(arguments: [23, 24, 26])
    func columnsOfEachServerVersionBecomeARow(_ count: Int) throws {
        var record = LogRecord.audit(AuditMessage(objectType: "TABLE", objectName: "public.t"))
        record.queryID = "-4833842232778236494"
        record.columnCount = count
        let row = try row(of: record)
        #expect(row["object_name"] == "public.t")
        #expect(row.extra["application_name"] == "psql")
        #expect(row.extra["backend_type"] == (count >= 24 ? "client backend" : nil))
        #expect(row.extra["query_id"] == (count >= 26 ? "-4833842232778236494" : nil))
        #expect(row["raw"] == record.text)
    }

    @Test func columnsOfALaterVersionAreKeptByTheirNumber() throws {
        var record = LogRecord()
        record.furtherColumns = ["7", "\"a \"\"b\"\"\"", "", "last"]
        let row = try row(of: record)
        #expect(row.extra["csv_27"] == "7")
        #expect(row.extra["csv_28"] == "a \"b\"")
        #expect(row.extra["csv_29"] == nil)
        #expect(row.extra["csv_30"] == "last")
    }

    @Test(arguments: [1, 13, 22, 25])
    func anotherNumberOfColumnsIsAFault(_ count: Int) throws {
        var record = LogRecord()
        record.columnCount = count
        let decoded = try decode([LogRecord(lineNumber: 1), record, LogRecord(lineNumber: 3)])
        #expect(decoded.faults.map(\.reason) == ["field_count"])
        #expect(decoded.rows.map { $0.extra["session_line_num"] } == ["1", "3"])
    }

    @Test func recordOfSeveralLinesIsOneRow() throws {
        let statement = "select 'a\nb\r\n2026-11-21 06:22:00.545 UTC,\"x\"',\n\"c\""
        let record = LogRecord.audit(AuditMessage(statement: statement))
        let decoded = try decode([record, LogRecord(lineNumber: 2)])
        #expect(decoded.rows.map { $0["raw"] } == [record.text, LogRecord(lineNumber: 2).text])
        #expect(decoded.rows[0]["statement"] == "select $1,\n\"c\"")
        #expect(decoded.faults.isEmpty)
    }

    @Test func lineEndsOfWindowsAreNoPartOfTheRecord() throws {
        let records = [LogRecord(lineNumber: 1), LogRecord.error("42601", "a\r\nb", query: "select\r\n1")]
        let decoded = try decode(file(records, lineEnd: "\r\n"))
        #expect(decoded.rows.map { $0["raw"] } == records.map(\.text))
        #expect(decoded.rows[1].extra["message"] == "a\r\nb")
        #expect(decoded.rows[0].extra["query_id"] == nil, "the last column is 0 and no carriage return")
    }

    @Test func carriageReturnAfterTheLastColumnInQuotesIsNoPartOfIt() throws {
        var record = LogRecord()
        record.columnCount = 24
        let row = try decode(file([record], lineEnd: "\r\n")).onlyRow()
        #expect(row.extra["backend_type"] == "client backend")
        #expect(row["raw"] == record.text)
    }

    @Test func quotesAreUndoneOnceALevel() throws {
        var record = LogRecord.audit(
            AuditMessage(
                objectType: "TABLE",
                objectName: "public.\"a,b\"",
                statement: "select \"x\", \"y\"\"z\" from \"public\".\"a,b\"",
                parameter: "\"one, \"\"two\"\"\",three"
            )
        )
        record.user = "o\"neil"
        record.database = "\"db\""
        record.applicationName = "my \"app\""
        let row = try row(of: record)
        #expect(row["user_name"] == "o\"neil")
        #expect(row["db_name"] == "\"db\"")
        #expect(row.extra["application_name"] == "my \"app\"")
        #expect(row["object_name"] == "public.\"a,b\"")
        #expect(row["statement"] == "select \"x\", \"y\"\"z\" from \"public\".\"a,b\"")
        #expect(row.extra["parameter"] == "\"one, \"\"two\"\"\",three")
    }

    @Test func emptyTextAndNullDifferInTheRecordAlone() throws {
        let empty = try row(of: LogRecord(user: "", detail: ""))
        let null = try row(of: LogRecord(user: nil, detail: nil))
        #expect(empty["user_name"] == nil)
        #expect(empty.extra["detail"] == nil)
        #expect(empty["raw"]?.contains("UTC,\"\",\"app\"") == true)
        #expect(null["raw"]?.contains("UTC,,\"app\"") == true)
    }

    @Test(
        arguments: [
            ("[local]", nil), ("10.1.2.3:5432", "10.1.2.3"), ("2001:db8::1:5432", "2001:db8::1"),
            ("db.example.org:49152", "db.example.org"), ("10.1.2.3", "10.1.2.3"), (nil, nil),
        ] as [(String?, String?)]
    )
    func hostEndsAtTheLastColon(_ connection: String?, _ host: String?) throws {
        #expect(try row(of: LogRecord(connection: connection))["client_addr"] == host)
    }

    @Test func plainColumnsAreCopied() throws {
        var record = LogRecord(detail: "d", hint: "h", context: "c")
        record.transactionID = "867"
        let row = try row(of: record)
        #expect(row["db_name"] == "app")
        #expect(row["session_id"] == "6b013888.7c2")
        #expect(row["src"] == "primary")
        #expect(row.ingestTime == ingestTime)
        #expect(
            row.extra == [
                "node": "pg1", "log_format": "csv", "message": "checkpoint starting", "detail": "d",
                "hint": "h",
                "context": "c", "application_name": "psql", "backend_type": "client backend",
                "process_id": "1986", "session_line_num": "1", "log_line_severity": "LOG",
                "virtual_transaction_id": "4/404", "transaction_id": "867",
            ]
        )
    }

    @Test(arguments: [
        ("1986", "19x6"), ("6b013888.7c2,", "6B013888.7c2,"), ("4/404", "4/4o4"), ("00000", "000000"),
        ("\"postgres\"", "postgres"), (",LOG,", ",\"LOG\","), (",4/404,0,", ",4/404,\"0\","),
    ])
    func columnThatNoServerWritesIsAFault(_ right: String, _ wrong: String) throws {
        let text = LogRecord().text
        let parts = text.split(separator: right, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        let bytes = Array((parts.joined(separator: wrong) + "\n" + text + "\n").utf8)
        let decoded = try decode(bytes)
        #expect(decoded.faults.map(\.reason) == ["field_value"])
        #expect(decoded.rows.map { $0["raw"] } == [text])
    }
}
