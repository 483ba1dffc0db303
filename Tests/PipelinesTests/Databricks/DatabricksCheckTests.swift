import BatchProtocol
import Catalog
import Foundation
import Pipelines
import Testing

@Suite struct DatabricksCheckTests {
    private typealias Fixture = DatabricksFixture

    private static let nameless = Fixture.event(7).replacingOccurrences(of: #""jobs""#, with: "null")

    private func results(_ lake: Fixture) throws -> [String: [Int64]] {
        let table = TableName(catalog: "main", schema: "_auditlake", table: "expectations")
        let names = try lake.texts("name", of: table)
        let delta = try #require(try lake.lake.table(table))
        #expect(try delta.size().rows == Int64(names.count))
        let plan = try lake.plan(1)
        return Dictionary(
            uniqueKeysWithValues: (plan.expectations ?? []).map {
                ($0.name, [Int64($0.checked), Int64($0.failed)])
            }
        )
    }

    @Test func everyBatchIsHeldAgainstEveryRule() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.event(1), Self.nameless, "nonsense\n"])
            #expect(try lake.run().rows == 2)
            #expect(
                try results(lake) == [
                    "valid_workspace_id": [2, 0], "timestamp_is_not_null": [2, 0],
                    "service_name_is_not_null": [2, 1], "action_name_is_not_null": [2, 0],
                    "no_rows_dropped": [3, 0], "gold_matches_silver": [2, 0],
                ]
            )
        }
    }

    @Test func aDroppedEventIsInBronzeAndInTheQuarantine() throws {
        try Fixture.with { lake in
            lake.settings.decoding.actions[.serviceNameNotNull] = .drop
            try lake.deliver([Fixture.event(1), Self.nameless])
            try lake.run()
            try lake.expectExact([Fixture.event(1)], quarantined: [Self.nameless])
        }
    }

    @Test func aRuleThatMayNotBreakKeepsTheWholeBatchOut() throws {
        try Fixture.with { lake in
            lake.settings.decoding.actions[.serviceNameNotNull] = .fail
            try lake.deliver([Fixture.event(1), Self.nameless])
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .expectationFailed)
            #expect(error?.message.contains("drops/a.json") == true)
            try lake.expectExact([])
            lake.settings.decoding.actions[.serviceNameNotNull] = .warn
            #expect(try lake.run().rows == 2)
        }
    }
}
