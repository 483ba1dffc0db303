import Testing

@testable import AuditFormats

@Suite struct EventRuleTests {
    private static let good = #"{"timestamp":1793491200000,"workspaceId":"0","serviceName":"s","actionName":"a"}"#
    private static let broken: [(EventRule, String)] = [
        (.validWorkspaceID, #"{"timestamp":1793491200000,"workspaceId":"-1","serviceName":"s","actionName":"a"}"#),
        (.validWorkspaceID, #"{"timestamp":1793491200000,"workspaceId":"x","serviceName":"s","actionName":"a"}"#),
        (.validWorkspaceID, #"{"timestamp":1793491200000,"serviceName":"s","actionName":"a"}"#),
        (.validWorkspaceID, #"{"timestamp":1793491200000,"workspaceId":null,"serviceName":"s","actionName":"a"}"#),
        (.timestampNotNull, #"{"timestamp":"soon","workspaceId":1,"serviceName":"s","actionName":"a"}"#),
        (.timestampNotNull, #"{"workspaceId":1,"serviceName":"s","actionName":"a"}"#),
        (.serviceNameNotNull, #"{"timestamp":1793491200000,"workspaceId":1,"actionName":"a"}"#),
        (.actionNameNotNull, #"{"timestamp":1793491200000,"workspaceId":1,"serviceName":"s","actionName":null}"#),
    ]

    @Test(arguments: broken)
    func warnCountsAndKeepsTheEvent(_ rule: EventRule, _ line: String) throws {
        let found = decodeEvents(Self.good + "\n" + line)
        #expect(found.tables.events.count == 2)
        #expect(found.tables.quarantine.isEmpty)
        let failed = found.totals.rules.filter { $0.failedCount > 0 }
        #expect(failed.map(\.rule) == [rule])
        #expect(failed[0].failedCount == 1 && failed[0].checkedCount == 2)
        #expect(failed[0].samples == ["events.json:\(Self.good.utf8.count + 1)"])
        #expect(found.failure == nil)
    }

    @Test(arguments: broken)
    func dropSendsTheEventToTheQuarantine(_ rule: EventRule, _ line: String) throws {
        let found = decodeEvents(Self.good + "\n" + line) { $0.actions = [rule: .drop] }
        #expect(found.tables.events.count == 1)
        #expect(found.tables.rows(of: "s").count == 1)
        #expect(found.tables.bronze.count == 2)
        #expect(found.tables.quarantine.map { $0["reason"] } == [.text("rule_" + rule.rawValue)])
        #expect(found.tables.quarantine[0]["raw"] == .text(line))
        #expect(found.totals.recordCount == 2 && found.totals.quarantineRowCount == 1)
        #expect(found.totals.silverRowCount == 1 && found.totals.goldRowCounts == [1])
        #expect(found.services.count == 1)
    }

    @Test func failNamesTheFirstEvent() {
        let lines = [Self.good, Self.broken[5].1, Self.broken[4].1].joined(separator: "\n")
        let found = decodeEvents(lines) { $0.actions = [.timestampNotNull: .fail, .validWorkspaceID: .fail] }
        let offset = UInt64(Self.good.utf8.count + 1)
        #expect(found.failure == .init(rule: .timestampNotNull, source: "events.json", offset: offset))
        #expect(found.totals.rules[1].failedCount == 2)
    }

    @Test func samplesAreFiveAtMost() {
        let found = decodeEvents(Array(repeating: Self.broken[0].1, count: 9).joined(separator: "\n"))
        #expect(found.totals.rules[0].failedCount == 9)
        #expect(found.totals.rules[0].samples.count == 5)
    }

    @Test func anEventWithoutTimeLiesInTheDayOfItsIngest() {
        let found = decodeEvents(Self.broken[4].1)
        #expect(found.tables.silver.keys.sorted() == [20_778])
        let row = found.tables.events[0]
        #expect(row["timestamp"] == .null && row["date_time"] == .null)
        #expect(row["_rescued"]?.texts == ["timestamp": "soon"])
    }

    @Test func anEventWithoutServiceHasATableToo() {
        let found = decodeEvents(Self.broken[6].1)
        #expect(found.services == [ServiceSchema(service: "", table: "_", keepsPlaceholder: true)])
        #expect(found.tables.rows(of: "_").count == 1)
        #expect(found.tables.rows(of: "_")[0]["serviceName"] == .null)
    }
}
