import Testing

@testable import AuditFormats

/// No field is lost, whatever its place, kind or repetition.
@Suite struct RescuedFieldsTests {
    private func event(_ members: String) -> EventTableRow {
        let line = #"{"timestamp":1793491200123,"serviceName":"s","actionName":"a",\#(members)}"#
        return decodeEvents(line).tables.events.first ?? [:]
    }

    @Test func unknownFieldsAreRescuedByTheirPath() {
        let row = event(
            #""new":{"a": [1, " x "]},"n":1.50,"t":true,"z":null,"userIdentity":{"email":"e","newField":"x"},"response":{"statusCode":200,"extra":[ ]}"#
        )
        #expect(
            row["_rescued"]
                == .pairs([
                    "new": .text(#"{"a":[1," x "]}"#), "n": .text("1.50"), "t": .text("true"), "z": .null,
                    "userIdentity.newField": .text("x"), "response.extra": .text("[]"),
                ])
        )
        #expect(row["email"] == .text("e"))
    }

    @Test func ofAKeyThatStandsTwiceTheFirstIsTakenAndTheOthersAreRescued() {
        let row = event(
            #""userAgent":"1","userAgent":"2","userAgent":"3","requestParams":{"k":"","k":"a","k":"b","K":"c"},"user_agent":"4","requestParams":{"q":1},"identity_metadata":{"m":"1","m":"2"},"x":1,"x":2"#
        )
        #expect(row["userAgent"] == .text("1"))
        #expect(row["requestParams"]?.texts == ["k": "a", "K": "c"])
        #expect(row["identity_metadata"]?.texts == ["m": "1"])
        #expect(
            row["_rescued"]?.texts == [
                "userAgent": "2", "userAgent#2": "3", "user_agent": "4", "requestParams": #"{"q":1}"#,
                "requestParams.k": "b", "identity_metadata.m": "2", "x": "1", "x#2": "2",
            ]
        )
    }

    @Test func knownFieldsOfAnotherKindAreTheirText() {
        let row = event(
            #""userAgent":1e3,"sessionId":{"a": 1},"requestId":false,"workspaceId":17,"version":2.0,"response":{"statusCode":"404","errorMessage":[1, 2],"result":false}"#
        )
        #expect(row["userAgent"] == .text("1e3"))
        #expect(row["sessionId"] == .text(#"{"a":1}"#))
        #expect(row["requestId"] == .text("false"))
        #expect(row["workspaceId"] == .text("17"))
        #expect(row["version"] == .text("2.0"))
        #expect(
            row["response"]
                == .fields(["statusCode": .number(404), "errorMessage": .text("[1,2]"), "result": .text("false")])
        )
        #expect(row["_rescued"] == .null)
    }

    @Test func whatDoesNotFitItsColumnIsRescued() {
        let row = event(
            #""response":{"statusCode":"4o4"},"userIdentity":"nobody","requestParams":[1],"event_date":"2026-11-02","event_time":"noon""#
        )
        #expect(row["response"] == .fields(["statusCode": .null, "errorMessage": .null, "result": .null]))
        #expect(row["requestParams"] == .null)
        #expect(
            row["_rescued"]?.texts == [
                "response.statusCode": "4o4", "userIdentity": "nobody", "requestParams": "[1]",
                "event_date": "2026-11-02", "event_time": "noon",
            ]
        )
    }

    @Test func textsThatHoldObjectsAreReadAndOthersAreKept() {
        let row = event(
            #""requestParams":" {\"a\":{\"b\": \"c\"},\"x\":\"\\u00e9\\n\"} ","response":"{\"statusCode\":200,\"new\":1}","userIdentity":"{\"email\":\"e\"","identity_metadata":"{\"k\":1} {}""#
        )
        #expect(row["requestParams"]?.texts == ["a": #"{"b":"c"}"#, "x": "é\n"])
        #expect(row["response"]?["statusCode"] == .number(200))
        #expect(row["email"] == .null)
        #expect(
            row["_rescued"]?.texts == [
                "response.new": "1", "userIdentity": #"{"email":"e""#, "identity_metadata": #"{"k":1} {}"#,
            ]
        )
    }

    @Test func keysOfTheDiagnosticFormAreNewOnesInOtherEvents() {
        let row = event(#""properties":{"serviceName":"x"},"identity":"i","time":"t","operationVersion":"1","records":[1, 2]"#)
        #expect(row["serviceName"] == .text("s"))
        #expect(
            row["_rescued"]?.texts == [
                "properties": #"{"serviceName":"x"}"#, "identity": "i", "time": "t", "operationVersion": "1",
                "records": "[1,2]",
            ]
        )
    }

    @Test func escapesAreUndoneAndHalfSurrogatesReplaced() {
        let row = event(
            #""userAgent":"\"\\\/\b\f\n\r\t\u0041\u00fc\u20ac\ud83d\ude80","sessionId":"a\ud800b\udc00\ud800\u0041","requestParams":{"\u006b\n":"v","n\u0000ul":"\u0000"},"requestId":"\ud83d","nested":{"s":"\ud800\u0041"}"#
        )
        #expect(row["userAgent"] == .text("\"\\/\u{8}\u{C}\n\r\tAü€🚀"))
        #expect(row["sessionId"] == .text("a\u{FFFD}b\u{FFFD}\u{FFFD}A"))
        #expect(row["requestId"] == .text("\u{FFFD}"))
        #expect(row["requestParams"]?.texts == ["k\n": "v", "n\0ul": "\0"])
        // What is kept as JSON stays as it is written.
        #expect(row["_rescued"]?.texts == ["nested": #"{"s":"\ud800\u0041"}"#])
    }

    @Test func manyUnknownAndRepeatedFieldsAreAllKept() {
        let members = (0..<300).map { #""u\#($0 % 100)":\#($0)"# }.joined(separator: ",")
        let rescued = event(members)["_rescued"]?.texts ?? [:]
        #expect(rescued.count == 300)
        #expect(Set(rescued.values.map { $0 ?? "" }) == Set((0..<300).map(String.init)))
        #expect(rescued["u7"] == "7" && rescued["u7#2"] == "107" && rescued["u7#3"] == "207")
    }
}
