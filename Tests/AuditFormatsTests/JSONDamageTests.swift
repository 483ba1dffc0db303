import AuditFormats
import Testing

@Suite struct JSONDamageTests {
    private let first = LogRecord(lineNumber: 1).json
    private let last = LogRecord(lineNumber: 3, message: "with {\"timestamp\":\"x\"} in it").json

    @Test func recordGluedToATornOneIsKept() throws {
        let torn = String(LogRecord(lineNumber: 2).json.prefix(120))
        let decoded = try decodeJSON([first, torn + last, first])
        #expect(decoded.rows.map { $0["raw"] } == [first, last, first])
        #expect(decoded.faults.map(\.raw) == [torn])
        #expect(decoded.faults.map(\.reason) == ["glued_records"])
        #expect(
            decoded.faults.map(\.range) == [(first.utf8.count + 1)..<(first.utf8.count + 1 + torn.utf8.count)]
        )
    }

    @Test func bothRecordsAreKeptWhenTheNewlineBetweenThemIsLost() throws {
        let decoded = try decodeJSON([first + last, first])
        #expect(decoded.rows.map { $0["raw"] } == [first, last, first])
        #expect(decoded.faults.isEmpty)
    }

    @Test func objectInsideAStringIsNoRecord() throws {
        let nested = LogRecord(lineNumber: 2, message: first).json
        let decoded = try decodeJSON([nested + ",", last])
        #expect(decoded.rows.map { $0["raw"] } == [last])
        #expect(decoded.faults.map(\.reason) == ["malformed_line"])
    }

    @Test func tornExportedLineLeavesTheNextOneWhole() throws {
        let torn = "2026-11-21T08:23:36.329Z " + first.prefix(90)
        let decoded = try decodeJSON([torn + "2026-11-21T08:23:37Z " + last])
        #expect(decoded.rows.map { $0["raw"] } == [last])
        #expect(decoded.faults.map(\.raw) == [torn])
    }

    @Test func recordThatGoesOnInItsTimeZoneDoesNotStopTheRun() throws {
        let spliced =
            #"{"timestamp":"2026-11-21 06:22:00.545 UTql","session_id":"6b.7c2","line_num":1,"#
            + #""error_severity":"LOG","application_name":"psql","query_id":0}"#
        let decoded = try decodeJSON([first, spliced, last])
        #expect(decoded.rows.map { $0["raw"] } == [first, last])
        #expect(decoded.faults.map(\.reason) == ["timestamp"])
    }

    @Test func unknownZoneOfBothTimesAsksForASetting() {
        let record = LogRecord(time: "2026-11-21 06:22:00.545 XYZT")
        #expect(throws: PostgresDecoder.SettingsError.self) { try decodeJSON([record.json]) }
    }

    @Test func lineOfBracesIsReadInLinearTime() throws {
        let line = String(repeating: "{\"timestamp\":", count: 40_000)
        let decoded = try decodeJSON([line, first])
        #expect(decoded.rows.map { $0["raw"] } == [first])
        #expect(decoded.faults.count == 1)
    }

    @Test(arguments: [
        ("alter role a password 's3cr3t'", "'s3cr3t'"), ("alter role a password\n's3cr3t'", "'s3cr3t'"),
        ("create user \"a\tb\" password 's3\"cr\\3t'", "'s3\"cr\\3t'"),
        ("create user \u{1F600} password '\u{1F600}x'", "'\u{1F600}x'"),
    ])
    func secretIsBlankedInRowsAndFaults(_ sql: String, _ secret: String) throws {
        let open = PostgresDecoderSettings.make { $0.redactsSecrets = false }
        for record in [
            LogRecord.error("42501", "permission denied", query: sql),
            .audit(AuditMessage(auditClass: "ROLE", command: "ALTER ROLE", statement: sql)),
            LogRecord(message: "statement: " + sql),
        ] {
            let row = try decodeJSON([record.json]).onlyRow()
            let plain = try decodeJSON([record.json], settings: open).onlyRow()
            #expect(row["raw"] != plain["raw"])
            #expect(row["raw"]?.contains("'***'") == true)
            #expect(row["statement"] == plain["statement"])
            #expect(row.extra["fingerprint"] == plain.extra["fingerprint"])
            for text in Array(row.texts.values) + row.extra.values {
                #expect(!text.contains(secret) && !text.contains("cr3t") && !text.contains("\u{1F600}x"))
            }
            let torn = try decodeJSON([String(record.json.dropLast())])
            #expect(torn.faults.map { $0.raw.contains("***") } == [true])
            #expect(torn.faults.map { $0.raw.contains(jsonQuoted(secret).dropFirst().dropLast()) } == [false])
        }
    }

    @Test func secretOutsideOfTheTextsGoesToTheQuarantineBlanked() throws {
        let line = LogRecord().json(
            with: #","x":[{"y":"password=", "z":"password s3cr3t"}],"w":"password=s3cr3t""#
        )
        let decoded = try decodeJSON([line])
        let texts =
            decoded.rows.flatMap { Array($0.texts.values) + $0.extra.values } + decoded.faults.map(\.raw)
        #expect(!texts.isEmpty)
        #expect(texts.allSatisfy { !$0.contains("=s3cr3t") })
    }
}
