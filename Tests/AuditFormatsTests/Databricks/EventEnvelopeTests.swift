import Testing

@testable import AuditFormats

/// Fields that stand beside the records of an envelope are kept with every record.
@Suite struct EventEnvelopeTests {
    private func rescued(_ line: String) -> [[String: String?]] {
        decodeEvents(line).tables.events.map { $0["_rescued"]?.texts ?? [:] }
    }

    @Test func fieldsBesideTheRecordsAreRescuedWithEach() {
        let line = #"""
            {"a":{"b": [1, null]},"records":[{"actionName":"x"}, {"actionName":"y","n":1}],"z":null,"version":2.0,"requestParams":{"k":"v"},"records":[7],"esc\"\u0061":"\u00e9"}
            """#
        let fields: [String: String?] = [
            "a": #"{"b":[1,null]}"#, "z": nil, "version": "2.0", "requestParams": #"{"k":"v"}"#,
            "records": "[7]",
            "esc\"a": "é",
        ]
        let found = decodeEvents(line).tables
        #expect(rescued(line) == [fields, fields.merging(["n": "1"]) { $1 }])
        #expect(found.events.map { $0["version"] } == [.null, .null])
        #expect(found.events.map { $0["requestParams"] } == [.null, .null])
        #expect(found.rows(of: "_").map { $0["_rescued"] } == found.events.map { $0["_rescued"] })
    }

    @Test func aNameThatTheRecordHasIsTheRecords() {
        let line = #"""
            {"a":"envelope","records":[{"actionName":"x","a":"record"},{"actionName":"x","a#2":"record"},{"actionName":"x","a":"record","a#2":"record too"}]}
            """#
        #expect(
            rescued(line) == [
                ["a": "record", "a#2": "envelope"], ["a": "envelope", "a#2": "record"],
                ["a": "record", "a#2": "record too", "a#3": "envelope"],
            ]
        )
    }

    @Test func fieldsOfOneLineAreNotThoseOfTheNext() {
        let lines = [
            #"{"a":1,"records":[{"actionName":"x"}]}"#, #"{"records":[{"actionName":"y"}]}"#,
            #"{"actionName":"z"}"#,
        ]
        #expect(rescued(lines.joined(separator: "\n")) == [["a": "1"], [:], [:]])
    }

    @Test func aRecordThatIsNoEventHasThemInBronzeOnly() {
        let line = #"{"a":1,"records":[7,{"actionName":"x"}]}"#
        #expect(rescued(line) == [["a": "1"]])
        #expect(decodeEvents(line).tables.quarantine.map { $0["raw"] } == [.text("7")])
    }

    @Test func anEnvelopeWithoutRecordsIsQuarantinedForItsFields() {
        #expect(decodeEvents(#"{"records":[],"a":1}"#).totals.quarantineRowCount == 1)
        #expect(decodeEvents(#"{"records":[]}"#).totals.recordCount == 0)
    }

    @Test func fieldsTooLongForEveryRecordGoToTheFirst() {
        let long = String(repeating: "x", count: 40_000)
        let records = Array(repeating: #"{"actionName":"x"}"#, count: 2_000).joined(separator: ",")
        let found = rescued(#"{"a":"\#(long)","records":[\#(records)]}"#)
        #expect(found.count == 2_000)
        #expect(found.first == ["a": long])
        #expect(found.dropFirst().allSatisfy { $0.isEmpty })
    }
}
