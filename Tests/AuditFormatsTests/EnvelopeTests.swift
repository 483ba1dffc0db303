import AuditFormats
import Testing

@Suite struct EnvelopeTests {
    private let record = LogRecord.error(
        "42P01",
        "relation \"x\" is \\ missing\n",
        query: "select '\u{E9}\u{1F600}'"
    )

    private func event(_ message: String, id: Int = 1) -> String {
        #"{"id":"\#(id)","timestamp":1795000000000,"message":\#(jsonQuoted(message))}"#
    }

    private func batch(_ events: [String], type: String = "DATA_MESSAGE") -> String {
        #"{"messageType":"\#(type)","owner":"1","logGroup":"/aws/rds/instance/db/postgresql","logStream":"db.0","#
            + #""subscriptionFilters":["f"],"logEvents":[\#(events.joined(separator: ","))]}"#
    }

    @Test func everyFormIsUnwrappedToTheRecord() throws {
        let message = record.json
        let forms = [
            message, "2026-11-21T08:23:36.329Z " + message, "2026-11-21T08:23:36+00:00 " + message,
            event(message),
            #"{"ingestionTime":1,"message":\#(jsonQuoted(message + "\n")),"eventId":"1","timestamp":1795000000000}"#,
            batch([event(message)]),
        ]
        let bare = try decodeJSON([message]).onlyRow()
        for form in forms {
            let row = try decodeJSON([form]).onlyRow()
            #expect(row == bare, "\(form)")
        }
    }

    @Test func escapesOfAnotherWriterAreUndone() throws {
        let message = String(
            decoding: jsonRecord(csv: LogRecord(message: "e\u{301} /").text.utf8),
            as: UTF8.self
        )
        let escaped = jsonQuoted(message).replacing("/", with: "\\/").replacing("\u{301}", with: "\\u0301")
        let row = try decodeJSON([#"{"timestamp":1,"message":\#(escaped)}"#]).onlyRow()
        #expect(row["raw"] == message)
    }

    @Test func batchGivesARowForEachEvent() throws {
        let messages = (1...5).map { LogRecord(lineNumber: $0).json }
        let decoded = try decodeJSON([batch(messages.map { event($0) }), record.json])
        #expect(decoded.rows.map { $0["raw"] } == messages + [record.json])
        #expect(decoded.faults.isEmpty)
    }

    @Test func controlMessageGivesNothing() throws {
        let line = batch(
            [event("CWL CONTROL MESSAGE: Checking health of destination")],
            type: "CONTROL_MESSAGE"
        )
        let decoded = try decodeJSON([line])
        #expect(decoded.rows.isEmpty && decoded.faults.isEmpty)
        #expect(decoded.consumed == line.utf8.count + 1)
    }

    @Test func eventThatIsNoRecordIsQuarantinedWithItsPlace() throws {
        let bad = "LOG:  no \"record\""
        let line = batch([event(record.json), event(bad), #"{"id":"3"}"#, event(record.json)])
        let decoded = try decodeJSON([record.json, line])
        #expect(decoded.rows.count == 3)
        #expect(decoded.faults.map(\.raw) == [bad, ""])
        let bytes = Array((record.json + "\n" + line).utf8)
        let range = try #require(decoded.faults.first?.range)
        #expect(bytes[range].elementsEqual(jsonQuoted(bad).dropFirst().dropLast().utf8))
    }

    @Test func batchThatIsNoneIsAFault() throws {
        let line = #"{"messageType":"DATA_MESSAGE","logEvents":[5]}"#
        #expect(try decodeJSON([line]).faults.map(\.reason) == ["malformed_line"])
    }

    @Test func secretInAnEnvelopeIsBlanked() throws {
        let secret = LogRecord.error("42501", "no", query: "alter role \"a\" password\n's3cr3t'")
        let whole = try decodeJSON([batch([event(secret.json)])]).onlyRow()
        #expect(whole["raw"] == secret.json.replacing("s3cr3t", with: "***"))
        let torn = try decodeJSON([String(batch([event(secret.json)]).dropLast(3))])
        #expect(torn.faults.map { $0.raw.contains("s3cr3t") } == [false])
        #expect(
            torn.faults.map { $0.raw.contains("password***") || $0.raw.contains("password ***") } == [true]
        )
    }
}
