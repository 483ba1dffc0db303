import AuditFormats
import Testing

@Suite struct JSONLogTests {
    private static let records: [LogRecord] = [
        .audit(
            AuditMessage(
                objectType: "TABLE",
                objectName: "public.\"a,b\"",
                statement: "select \"x\", 'a\nb\tc\\d', 7 from t\r\n-- é \u{1F600} \u{1}",
                parameter: "\"one, \"\"two\"\"\",three",
                rows: "3"
            )
        ),
        .error("42P01", "relation \"x\" does not exist", query: "select 'a' from \"x\""),
        LogRecord(connection: "10.1.2.3:5432", message: "connection received: host=10.1.2.3 port=5432"),
        LogRecord(connection: "2001:db8::1:5432", detail: "d\n\n\"e\"", hint: "h", context: "c\\n"),
        LogRecord(user: "o\"ne\\il", database: "\"db\"", commandTag: "UPDATE waiting"),
        LogRecord(
            user: nil,
            database: nil,
            connection: nil,
            commandTag: nil,
            message: nil,
            applicationName: nil
        ),
        LogRecord(commandTag: "authentication", severity: "FATAL", sqlState: "28P01", message: "no"),
        LogRecord(
            sqlState: "08006",
            message: "could not receive data from client",
            queryID: "-4833842232778236494"
        ),
    ]

    @Test(arguments: records.indices)
    func recordGivesTheSameRowInBothFormats(_ index: Int) throws {
        let record = Self.records[index]
        let json = try decodeJSON([record.json]).onlyRow()
        #expect(json.withoutFormat == (try row(of: record)).withoutFormat)
        #expect(json["raw"] == record.json)
        #expect(json.extra["log_format"] == "json")
    }

    @Test func realServersTwoLogsTellTheSame() throws {
        let csv = try decode(ShippedLogs.bytes("replica/postgresql-2026-11-21_082336.csv"))
        let bytes = try ShippedLogs.bytes("replica/postgresql-2026-11-21_082336.json")
        let json = try decode(bytes, format: .jsonlog)
        #expect(csv.rows.count > 40)
        #expect(json.rows.map(\.withoutFormat) == csv.rows.map(\.withoutFormat))
        #expect(json.faults.isEmpty)
        let open = try decode(bytes, settings: .make { $0.redactsSecrets = false }, format: .jsonlog)
        #expect(coverageFault(of: open, over: bytes) == nil)
    }

    @Test func numbersKeepTheirSourceText() throws {
        let record = LogRecord(transactionID: "4294967295", queryID: "-9223372036854775808")
        let row = try decodeJSON([record.json]).onlyRow()
        #expect(row.extra["query_id"] == "-9223372036854775808")
        #expect(row.extra["transaction_id"] == "4294967295")
    }

    @Test func unknownKeysAreKeptByName() throws {
        let pairs =
            #","wait":1.50e3,"ok":true,"none":null,"a\"b":"x\ny","list":[1, "z"],"o":{"k":{}},"func_name":"f""#
        let row = try decodeJSON([LogRecord().json(with: pairs)]).onlyRow()
        #expect(row.extra["json_wait"] == "1.50e3")
        #expect(row.extra["json_ok"] == "true")
        #expect(row.extra["json_none"] == nil)
        #expect(row.extra["json_a\"b"] == "x\ny")
        #expect(row.extra["json_list"] == "[1, \"z\"]")
        #expect(row.extra["json_o"] == "{\"k\":{}}")
        #expect(row.extra.keys.filter { $0.contains("func") }.isEmpty)
    }

    @Test(arguments: ["session_id", "line_num", "error_severity"])
    func recordWithoutAKeyThatIsAlwaysThereIsAFault(key: String) throws {
        let whole = LogRecord().json
        let pair = try #require(whole.firstRange(of: try Regex(",\"\(key)\":(\"[^\"]*\"|[0-9]+)")))
        let decoded = try decodeJSON([whole.replacingCharacters(in: pair, with: "")])
        #expect(decoded.rows.isEmpty)
        #expect(decoded.faults.map(\.reason) == ["field_value"])
    }

    @Test func keysInAnotherOrderAndWithBlanksAreTheSame() throws {
        let line =
            #" { "message" : "m" , "pid" : 7 , "timestamp" : "2026-11-21 06:22:00.545 UTC" , "user":"u\/v" , "#
            + #""line_num" : 1 , "session_id" : "6b.7c2" , "error_severity" : "LOG" } "#
        let row = try decodeJSON([String(line.dropFirst())]).onlyRow()
        #expect(row.extra["message"] == "m")
        #expect(row.extra["process_id"] == "7")
        #expect(row["user_name"] == "u/v")
    }

    @Test(arguments: [
        ("\"user\":\"postgres\"", "\"user\":5", "field_value"),
        ("\"pid\":1986", "\"pid\":\"1986\"", "field_value"),
        ("\"pid\":1986", "\"pid\":19.5", "field_value"),
        ("\"pid\":1986", "\"pid\":-1", "field_value"),
        ("\"pid\":1986", "\"pid\":01986", "malformed_line"),
        ("\"pid\":1986", "\"pid\":19x6", "malformed_line"),
        ("\"vxid\":\"4/404\"", "\"vxid\":\"4/4o4\"", "field_value"),
        ("\"session_id\":\"6b013888.7c2\"", "\"session_id\":\"6B\"", "field_value"),
        ("\"txid\":0", "\"txid\":0,\"state_code\":\"1\"", "field_value"),
        ("\"txid\":0", "\"txid\":0,\"txid\":0", "malformed_line"),
        ("\"txid\":0", "\"txid\":0,\"x\":1,\"x\":2", "malformed_line"),
        ("\"txid\":0", "\"txid\":0 \"x\":1", "malformed_line"),
        ("\"txid\":0", "\"txid\":0,,\"x\":1", "malformed_line"),
        ("\"txid\":0", "\"txid\":0,\"x\":\"\\q\"", "malformed_line"),
        ("\"txid\":0", "\"txid\":0,\"x\":\"\\ud800\"", "malformed_line"),
        ("\"txid\":0", "\"txid\":0,\"x\":tru", "malformed_line"),
        ("\"txid\":0", "\"txid\":0,\"x\":\"\u{1}\"", "malformed_line"),
        ("\"timestamp\":", "\"time\":", "timestamp"),
        ("06:22:00.545 UTC", "06:22:00.545", "timestamp"),
        ("2026-11-21", "2026-02-30", "timestamp"),
        ("}", "}}", "malformed_line"),
        ("}", "} x", "malformed_line"),
        ("}", "", "malformed_line"),
        ("{", "[", "malformed_line"),
    ])
    func lineThatNoServerWritesIsAFault(_ right: String, _ wrong: String, _ reason: String) throws {
        let text = LogRecord().json
        let parts = text.split(separator: right, maxSplits: 1, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        let line = parts.joined(separator: wrong)
        let decoded = try decodeJSON([text, line, text])
        #expect(decoded.faults.map(\.reason) == [reason])
        #expect(decoded.faults.first?.raw.hasPrefix(line) == true)
        #expect(decoded.rows.map { $0["raw"] } == [text, text])
    }

    @Test func tooManyUnknownKeysAreAFault() throws {
        let pairs = (0..<39).map { ",\"k\($0)\":\($0)" }.joined()
        #expect(try decodeJSON([LogRecord().json(with: pairs)]).faults.map(\.reason) == ["field_count"])
        let fewer = (0..<38).map { ",\"k\($0)\":\($0)" }.joined()
        #expect(try decodeJSON([LogRecord().json(with: fewer)]).onlyRow().extra["json_k37"] == "37")
    }

    @Test func emptyLineIsAFaultAsInCSV() throws {
        let text = LogRecord().json
        #expect(try decodeJSON([text, "", text]).faults.map(\.range.count) == [1])
    }

    @Test func lineThatIsNoUTF8IsReadAsLatin1() throws {
        let line = latin1(LogRecord(user: "J\u{F6}rg", message: "caf\u{E9} \"x\"").json)
        let decoded = try decode(line + [0x0A] + line + [0x0A], format: .jsonlog)
        #expect(decoded.rows.map { $0["user_name"] } == ["J\u{F6}rg", "J\u{F6}rg"])
        #expect(decoded.rows.map(\.rawBytes) == [line, line])
        #expect(decoded.rows[0].extra["message"] == "caf\u{E9} \"x\"")
        #expect(decoded.rows[0].extra["raw_encoding"] == "latin1")
    }

    @Test func lastLineWithoutNewlineIsARowOnlyAtTheEnd() throws {
        let bytes = Array(LogRecord().json.utf8)
        #expect(try decode(bytes, isEnd: false, format: .jsonlog).consumed == 0)
        #expect(try decode(bytes, format: .jsonlog).rows.count == 1)
        let torn = try decode(Array(bytes.dropLast()), format: .jsonlog)
        #expect(torn.rows.isEmpty)
        #expect(torn.faults.map(\.range) == [0..<bytes.count - 1])
    }

    @Test(arguments: [7, 64, 65, 200])
    func windowsOfAnySizeGiveTheSameRows(_ step: Int) throws {
        let bytes = try Array(ShippedLogs.bytes("replica/postgresql-2026-11-21_082336.json").prefix(9_000))
        let whole = try decode(bytes, format: .jsonlog)
        #expect(whole.faults.count == 1, "the last line is torn")
        let windows = try decode(
            bytes,
            borders: Array(stride(from: 0, to: bytes.count, by: step)),
            format: .jsonlog
        )
        #expect(windows.rows == whole.rows)
        #expect(windows.faults == whole.faults)
    }

    @Test func longRecordIsWholeInRawAlone() throws {
        let record = LogRecord(message: String(repeating: "a\"\n", count: 60_000))
        let settings = PostgresDecoderSettings.make { $0.maxRecordBytes = 100_000 }
        let decoded = try decodeJSON([LogRecord().json, record.json, LogRecord().json], settings: settings)
        #expect(decoded.rowGroups == [1, 1, 1])
        #expect(decoded.rows[1]["raw"] == record.json)
        #expect(decoded.rows[1].extra["message"]?.utf8.count ?? 0 <= 64 << 10)
        #expect(decoded.rows[1].extra["truncated"] != nil)
    }
}
