import Foundation
import Pipelines
import Testing

/// Gold that a process of its own brings in, and what is said of it.
@Suite struct GoldApartTests {
    private typealias Fixture = DatabricksFixture

    private static let lines =
        (1...6).map { Fixture.event($0, service: ["jobs", "clusters", "repos"][$0 % 3], day: $0 % 2) }

    @Test func goldFollowsWhatOthersCommit() async throws {
        try await Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            let run = FollowedRun(lake, .gold)
            #expect(await run.broughtIn() ?? (0, 0) == (1, 6))
            let more = [Fixture.event(11, parameters: #"{"new":"1"}"#), Fixture.event(12, service: "late")]
            try lake.deliver(more, to: "b.json")
            try lake.run(.bronzeAndSilver)
            #expect(await run.broughtIn() ?? (0, 0) == (2, 2))
            let summary = try await run.end()
            #expect(summary.batches == 0)
            #expect(summary.rows == 0)
            #expect(summary.lateBatches == 2)
            #expect(summary.lateRows[lake.gold("jobs")] == 3)
            #expect(summary.lateRows.count == 4)
            try lake.expectExact(Self.lines + more)
            #expect(try lake.run(.gold).lateBatches == 0)
        }
    }

    @Test func goldWaitsForAPipelineThatHasNotBegun() async throws {
        try await Fixture.with { lake in
            let run = FollowedRun(lake, .gold)
            await run.waitUntilIdle()
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            #expect(await run.broughtIn()?.rows == 6)
            try await run.end()
            try lake.expectExact(Self.lines)
        }
    }

    /// The batch belongs to the process that has begun it: gold does not take it over.
    @Test func anOpenBatchIsLeftToItsOwner() async throws {
        try await Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            try lake.deliver([Fixture.event(13)], to: "c.json")
            lake.settings.layers = .bronzeAndSilver
            let receipt = "\(lake.lakePath)/\(lake.shard.receipt(2))"
            lake.disk.fail(.death) { _, change in change == .link(receipt) }
            #expect(throws: VolatileDisk.FaultError.self) { try lake.run(.bronzeAndSilver) }
            lake.disk.revive()
            let run = FollowedRun(lake, .gold)
            #expect(await run.broughtIn()?.batch == 1)
            await run.waitUntilIdle()
            #expect(!FileManager.default.fileExists(atPath: receipt))
            try lake.run(.bronzeAndSilver)
            #expect(await run.broughtIn()?.batch == 2)
            try await run.end()
            try lake.expectExact(Self.lines + [Fixture.event(13)])
        }
    }

    @Test func rowsThatWereLeftForLaterCountApartFromSilver() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            try lake.deliver([Fixture.event(13)], to: "c.json")
            let summary = try lake.run()
            #expect(summary.rows == 1)
            #expect(summary.lateBatches == 1)
            #expect(summary.lateRows.values.reduce(0, +) == 6)
        }
    }

    @Test func statusTellsWhatGoldLacks() throws {
        try Fixture.with { lake in
            let looks = PipelineLooks(.databricks(lake.settings))
            func gold() throws -> GoldBacklog? { try looks.look(lake.lake, now: lake.now).gold }
            #expect(try gold() == GoldBacklog(batches: 0, rows: 0))
            try lake.deliver([Fixture.event(1)], to: "full.json")
            try lake.run()
            #expect(try gold() == GoldBacklog(batches: 0, rows: 0))
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            #expect(try gold() == GoldBacklog(batches: 1, rows: 6))
            try lake.deliver(["{broken\n"], to: "b.json")
            try lake.run(.bronzeAndSilver)
            #expect(try gold() == GoldBacklog(batches: 1, rows: 6))
            try lake.deliver([Fixture.event(13)], to: "c.json")
            try lake.run(.bronzeAndSilver)
            #expect(try gold() == GoldBacklog(batches: 2, rows: 7))
            #expect(try looks.look(lake.lake, now: lake.now).backlog.gold?.rows == 7)
            try lake.run(.gold)
            #expect(try gold() == GoldBacklog(batches: 0, rows: 0))
            try lake.deliver([Fixture.event(14)], to: "d.json")
            try lake.run(.bronzeAndSilver)
            #expect(try gold() == GoldBacklog(batches: 1, rows: 1))
            try lake.run()
            #expect(try gold() == GoldBacklog(batches: 0, rows: 0))
        }
    }

    // MARK: Other tables

    enum OtherTables: CaseIterable, Sendable {
        case schema
        case catalog
    }

    @Test(arguments: OtherTables.allCases)
    func tablesThatWereRenamedInTheConfigurationAreRefusedBeforeAnyIsMade(_ change: OtherTables) throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run()
            let paths = try lake.paths()
            let former = lake.settings
            switch change {
            case .schema: lake.settings.schema = "other"
            case .catalog: lake.settings.catalog = "other"
            }
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .tableMismatch)
            #expect(error?.message.contains("main.audit.") == true)
            #expect(error?.mend.contains("\(change):") == true)
            #expect(try lake.paths() == paths)
            lake.settings = former
            #expect(try lake.run().batches == 0)
        }
    }

    @Test func tablesOfAFirstBatchThatIsOpenAreKnown() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.runUntil { change in
                if case .link(let path) = change { path.contains("/receipts/") } else { false }
            }
            lake.settings.schema = "other"
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .tableMismatch)
        }
    }
}

extension DatabricksFixture {
    /// Every file and folder of the lake.
    fileprivate func paths() throws -> Set<String> {
        let all = try #require(FileManager.default.enumerator(atPath: lakePath))
        return Set(all.compactMap { $0 as? String })
    }
}
