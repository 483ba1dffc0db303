import Testing

@testable import AuditFormats

/// The traps of the original pipelines that decoding has to avoid, by their numbers in the facts sheet.
///
/// The issue speaks of eight traps, the sheet lists seven. Traps 1 and 6 have their tests in `DatabricksRunTests`, trap 7 in
/// `ObjectReadingTests`.
@Suite struct DatabricksTrapTests {
    private func line(_ params: String, service: String = "s", timestamp: String = "1793491200123") -> String
    {
        #"{"timestamp":\#(timestamp),"workspaceId":"1","serviceName":"\#(service)","actionName":"a","requestParams":\#(params)}"#
    }

    // MARK: 2: strip removes nulls only, and a nested structure becomes an array of values

    @Test func trap2EmptyValuesAreStrippedAndNestedOnesAreJSONText() throws {
        let params = #"{"n":null,"e":"","o":{},"a":[],"z":"0","deep":{"b":1,"c":[{"d":null}]},"f":false}"#
        let found = decodeEvents(line(params))
        let expected = ["o": "{}", "a": "[]", "z": "0", "deep": #"{"b":1,"c":[{"d":null}]}"#, "f": "false"]
        #expect(found.tables.events[0]["requestParams"]?.texts == expected)
        #expect(found.tables.rows(of: "s")[0]["requestParams"]?.texts == expected)
        #expect(found.services[0].keys.map(\.key) == ["o", "a", "z", "deep", "f"])
    }

    @Test func trap2WhatIsStrippedIsASetting() throws {
        let params = #"{"n":null,"e":"","o":{ },"a":[ ]}"#
        let all = decodeEvents(line(params)) { $0.strip = Set(EmptyValue.allCases) }
        #expect(all.tables.events[0]["requestParams"] == .pairs([:]))
        #expect(all.services[0].fieldNames == ["placeholder"])
        let none = decodeEvents(line(params)) { $0.strip = [] }
        #expect(
            none.tables.events[0]["requestParams"]
                == .pairs(["n": .null, "e": .text(""), "o": .text("{}"), "a": .text("[]")])
        )
        #expect(none.services[0].keys.map(\.key) == ["n", "e", "o", "a"])
        #expect(none.tables.rows(of: "s")[0]["requestParams"]?.texts == ["e": "", "o": "{}", "a": "[]"])
    }

    // MARK: 3: keys with ", " break apart, and the order of fields is that of a set

    @Test func trap3KeysKeepTheirTextAndTheOrderInWhichTheyAppear() throws {
        let lines = [
            line(#"{"a, b":"1","zeta":"2"}"#), line(#"{"alpha":"3","a, b":"4"}"#), line(#"{"x':'y":"5"}"#),
        ]
        let found = decodeEvents(lines.joined(separator: "\n"))
        #expect(found.services[0].keys.map(\.key) == ["a, b", "zeta", "alpha", "x':'y"])
        #expect(found.services[0].keys.map(\.column) == ["a%2C%20b", "zeta", "alpha", "x%27%3A%27y"])
        #expect(found.tables.rows(of: "s")[1]["requestParams"]?.texts == ["alpha": "3", "a%2C%20b": "4"])
        #expect(found.tables.events[2]["requestParams"]?.texts == ["x':'y": "5"])
    }

    // MARK: 4: keys that differ in case only

    @Test func trap4KeysThatDifferInCaseAreFieldsOfTheirOwn() throws {
        let lines = [
            line(#"{"DataSourceId":"1","dataSourceId":"2"}"#),
            line(#"{"dataSourceId":"3","DATASOURCEID":"4"}"#),
            line(#"{"dataSourceId_2":"5"}"#),
        ]
        let found = decodeEvents(lines.joined(separator: "\n"))
        let names = ["DataSourceId", "dataSourceId_2", "DATASOURCEID_3", "dataSourceId_2_2"]
        #expect(found.services[0].keys.map(\.column) == names)
        #expect(Set(names.map { $0.lowercased() }).count == names.count)
        #expect(found.tables.events[0]["requestParams"]?.texts == ["DataSourceId": "1", "dataSourceId": "2"])
        let gold = found.tables.rows(of: "s").map { $0["requestParams"]?.texts }
        #expect(gold[0] == ["DataSourceId": "1", "dataSourceId_2": "2"])
        #expect(gold[1] == ["dataSourceId_2": "3", "DATASOURCEID_3": "4"])
        #expect(gold[2] == ["dataSourceId_2_2": "5"])
    }

    @Test func trap4ServicesThatDifferInCaseHaveTablesOfTheirOwn() {
        let lines = ["jobs", "Jobs", "a-b", "a_b", "a/b c"].map { line("{}", service: $0) }
        let found = decodeEvents(lines.joined(separator: "\n"))
        #expect(found.services.map(\.table) == ["jobs", "Jobs_2", "a_b", "a_b_2", "a_x2Fb_x20c"])
        for (index, service) in found.services.enumerated() {
            #expect(
                found.tables.rows(of: service.table).map { $0["serviceName"] } == [.text(service.service)],
                "\(index)"
            )
        }
    }

    // MARK: 5: milliseconds are lost

    @Test(
        arguments: [
            ("1793491200123", 1_793_491_200_123_000), (#""1793491200001""#, 1_793_491_200_001_000),
            ("1793491200999.0", 1_793_491_200_999_000), ("-1", -1_000), ("0", 0),
            // The night in which clocks were set back: the same wall time twice in a zone, once in UTC.
            ("1792890000500", 1_792_890_000_500_000), ("1792893600500", 1_792_893_600_500_000),
        ] as [(String, Int64)]
    )
    func trap5MillisecondsAreKeptWhateverTheZone(_ timestamp: String, _ microseconds: Int64) {
        let event = decodeEvents(line("{}", timestamp: timestamp)).tables.events[0]
        #expect(event["date_time"] == .number(microseconds))
        #expect(event["timestamp"] == .number(microseconds.floored(by: 1_000)))
    }

    // MARK: 6: the schema is fixed when the pipeline starts

    @Test func trap6ANewKeyAndANewServiceAppearWithTheirFirstEvent() throws {
        let first = decodeEvents(line(#"{"a":"1"}"#))
        let more = [line(#"{"b":"2","a":"3"}"#), line(#"{"k":"4"}"#, service: "new")].joined(separator: "\n")
        let second = decodeEvents(Array(more.utf8), services: first.services)
        #expect(second.services.map(\.table) == ["s", "new"])
        #expect(second.services[0].keys.map(\.column) == ["a", "b"])
        #expect(second.tables.rows(of: "s")[0]["requestParams"]?.texts == ["a": "3", "b": "2"])
        #expect(second.tables.rows(of: "new")[0]["requestParams"]?.texts == ["k": "4"])
    }

    @Test func trap6AServiceWithoutKeysThatGetsSomeKeepsItsPlaceholder() throws {
        let first = decodeEvents(line(#"{"gone":null}"#))
        #expect(first.services[0].fieldNames == ["placeholder"])
        let second = decodeEvents(Array(line(#"{"placeholder":"1","x":"2"}"#).utf8), services: first.services)
        #expect(second.services[0].fieldNames == ["placeholder", "placeholder_2", "x"])
        #expect(second.tables.rows(of: "s")[0]["requestParams"]?.texts == ["placeholder_2": "1", "x": "2"])
        // A service that has had keys from its first batch on needs none.
        let third = decodeEvents(Array((line("{}") + "\n" + line(#"{"placeholder":"1"}"#)).utf8))
        #expect(third.services[0].fieldNames == ["placeholder"])
        #expect(third.tables.rows(of: "s")[1]["requestParams"]?.texts == ["placeholder": "1"])
    }
}
