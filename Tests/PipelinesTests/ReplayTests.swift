import AuditFormats
import Catalog
import DeltaLog
import DeltaTables
import Foundation
import Pipelines
import Query
import Testing

@Suite struct ReplayTests {
    private typealias Fixture = ReplayFixture

    /// What the lake was made with, and what it is replayed with.
    struct Change: Sendable {
        var layer: ReplayLayer
        var before: Set<EmptyValue>
        var after: Set<EmptyValue>
    }

    static let changes = ReplayLayer.allCases.flatMap { layer in
        [
            // Keys vanish, and keys appear that no batch has seen.
            Change(layer: layer, before: [.null], after: [.null, .emptyString]),
            Change(layer: layer, before: [.null, .emptyString], after: [.null]),
        ]
    }

    @Test(arguments: changes)
    func appliedReplayIsAFreshLoadAndLaterBatchesGoOn(_ change: Change) async throws {
        try await Fixture.with { fixture in
            try fixture.write(Fixture.events(0..<20), to: "a.json")
            fixture.settings.decoding.strip = change.before
            try fixture.run()
            let transactions = try fixture.transactions()
            let versions = try fixture.lake.tables().map { ($0, try fixture.table($0).head.version) }
            fixture.settings.decoding.strip = change.after
            try fixture.replay(change.layer)

            #expect(try fixture.transactions() == transactions)
            for (name, version) in versions {
                let isOfLayer =
                    change.layer == .silver
                    ? name == fixture.settings.silver : name.schema == fixture.settings.goldSchema
                let history = try fixture.table(name).history(limit: 10)
                #expect(history.first?.version == (isOfLayer ? version + 1 : version), "\(name)")
                #expect((history.first?.operation == "REPLAY") == isOfLayer, "\(name)")
            }
            #expect(try fixture.strayFiles() == [])

            // The lake goes on, with a key that only the replay has met.
            fixture.now += 60_000_000
            try fixture.write(Fixture.events(20..<30), to: "b.json")
            #expect(try fixture.run().rows == 10)
            #expect(try fixture.run().rows == 0)

            var fresh = fixture
            fresh.lakeName = "fresh"
            try fresh.hideEvents("b.json")
            fresh.now -= 60_000_000
            try fresh.run()
            try fresh.showEvents("b.json")
            fresh.now += 60_000_000
            try fresh.run()
            #expect(try await fixture.rows(of: change.layer) == fresh.rows(of: change.layer))
            #expect(try await fixture.rows(of: change.layer).count == 30)
        }
    }

    @Test(arguments: ReplayLayer.allCases)
    func withoutApplyingNothingIsLeftAndTheDifferenceIsTold(_ layer: ReplayLayer) async throws {
        try await Fixture.with { fixture in
            try fixture.write(Fixture.events(0..<20), to: "a.json")
            try fixture.run()
            let paths = try fixture.paths()
            fixture.settings.decoding.strip = [.null]
            let replay = try fixture.make(layer, mayApply: false)
            var changed = 0
            for table in replay.tables {
                let difference = try await table.difference(fixture.engine())
                #expect(difference.rowsBefore == difference.rowsAfter)
                #expect(difference.onlyBefore == 0 && difference.onlyAfter == 0)
                let path = layer == .silver ? ["requestParams"] : ["requestParams", "empty"]
                #expect(
                    difference.changes == [TableDifference.Change(path: path, rows: difference.changed)]
                )
                if layer == .gold { #expect(table.addedPaths == [path]) }
                #expect(difference.samplesChanged.count == 5)
                changed += difference.changed
            }
            #expect(changed == 10)
            replay.discard()
            #expect(try fixture.paths() == paths)
        }
    }

    @Test func theSameSettingsGiveTheSameRowsWhateverTheRowGroups() async throws {
        try await Fixture.with { fixture in
            // Equal lines on both sides of row groups, read in two batches and from two files.
            let lines = (0..<4_000).map { Fixture.event($0 % 7, day: $0 % 2, params: #"{"k":"v"}"#) }
            try fixture.write(lines + ["broken\n"], to: "a.json")
            try fixture.write(lines, to: "b.json")
            fixture.settings.rowGroupByteCount = 1 << 20
            fixture.settings.batchByteCount = 900_000
            #expect(try fixture.run().batches == 2)
            for layer in ReplayLayer.allCases {
                let replay = try fixture.make(layer, mayApply: false)
                for table in replay.tables {
                    let difference = try await table.difference(fixture.engine())
                    #expect(difference.isEmpty)
                    let isQuarantine = table.name == fixture.settings.quarantine
                    #expect(difference.rowsBefore == (isQuarantine ? 1 : 8_000))
                }
                replay.discard()
            }
        }
    }

    @Test func onlyTheDaysInTheRangeAreSwapped() async throws {
        try await Fixture.with { fixture in
            try fixture.write(Fixture.events(0..<30), to: "a.json")
            try fixture.run()
            func files() throws -> [String: Set<DataFilePath>] {
                Dictionary(
                    grouping: try fixture.table(fixture.settings.silver).snapshot().files.values,
                    by: { ($0.partitionValues["date"] ?? nil) ?? "" }
                ).mapValues { Set($0.map(\.path)) }
            }
            let before = try files()
            fixture.settings.decoding.strip = [.null]
            let day = try #require(UTCDay.days("2026-01-02"))
            try fixture.replay(.silver, days: DayRange(from: day, to: day))
            let after = try files()
            #expect(before.keys == after.keys)
            for day in before.keys {
                #expect((before[day] == after[day]) == (day != "2026-01-02"), "\(day)")
            }
            let silver = fixture.settings.silver
            let found = try await fixture.lines(
                "SELECT date, count(*), count(requestParams['empty']) FROM \(silver) GROUP BY 1 ORDER BY 1",
                over: [silver]
            )
            #expect(found == ["2026-01-01,10,0", "2026-01-02,10,5", "2026-01-03,10,0"])
        }
    }

    @Test func aDayWithoutRowsLeftLosesItsFiles() async throws {
        try await Fixture.with { fixture in
            let lines = [
                Fixture.event(1, day: 0, params: "{}"),
                Fixture.event(2, day: 1, workspace: "x", params: "{}"),
            ]
            try fixture.write(lines, to: "a.json")
            try fixture.run()
            fixture.settings.decoding.actions[.validWorkspaceID] = .drop
            let day = try #require(UTCDay.days("2026-01-02"))
            for layer in ReplayLayer.allCases {
                try fixture.replay(layer, days: DayRange(from: day, to: day))
            }
            for name in [fixture.settings.silver, fixture.gold("accounts")] {
                #expect(try await fixture.lines("SELECT date FROM \(name)", over: [name]) == ["2026-01-01"])
            }
        }
    }

    @Test func rowsThatLeaveOrEnterTheRangeAreTold() async throws {
        try await Fixture.with { fixture in
            try fixture.write(Fixture.events(0..<30), to: "a.json")
            try fixture.run()
            // As an older parser might have it: the rows of the third day lie in the second.
            let silver = try fixture.table(fixture.settings.silver)
            let files = try silver.snapshot().files.values
            let moved = try #require(files.first { $0.partitionValues["date"] == "2026-01-03" })
            var other = moved
            other.path = DataFilePath("date=2026-01-02/moved.parquet")
            other.partitionValues["date"] = "2026-01-02"
            try FileManager.default.copyItem(
                atPath: silver.path(of: moved.path),
                toPath: silver.path(of: other.path)
            )
            _ = try silver.replay(
                [moved],
                with: [other],
                growing: silver.head.metadata.schema(),
                since: silver.head.version,
                now: 0
            )
            let day = try #require(UTCDay.days("2026-01-02"))
            for (range, away, into) in [
                (DayRange(from: day, to: day), 10, 0), (DayRange(from: day + 1), 0, 10), (DayRange(), 0, 0),
            ] {
                let replay = try fixture.make(.silver, days: range, mayApply: false)
                let difference = try await #require(replay.tables.first).difference(fixture.engine())
                #expect(difference.movedAway == away)
                #expect(difference.movedIn == into)
                replay.discard()
            }
            try fixture.replay(.silver)
            let name = fixture.settings.silver
            let found = try await fixture.lines(
                "SELECT date, count(*) FROM \(name) GROUP BY 1 ORDER BY 1",
                over: [name]
            )
            #expect(found == ["2026-01-01,10", "2026-01-02,10", "2026-01-03,10"])
        }
    }

    @Test func aServiceThatOnlyTheReplayFindsGetsItsTableWithTheSwap() async throws {
        try await Fixture.with { fixture in
            let lines = [
                Fixture.event(1, params: "{}"),
                Fixture.event(2, service: "new", workspace: "x", params: #"{"k":"v"}"#),
            ]
            try fixture.write(lines, to: "a.json")
            fixture.settings.decoding.actions[.validWorkspaceID] = .drop
            try fixture.run()
            let paths = try fixture.paths()
            fixture.settings.decoding.actions = [:]
            try fixture.make(.gold, mayApply: false).discard()
            #expect(try fixture.paths() == paths)
            try fixture.replay(.gold)
            let name = fixture.gold("new")
            #expect(try await fixture.lines("SELECT requestParams.k FROM \(name)", over: [name]) == ["v"])
            #expect(try fixture.table(name).head.transactions.isEmpty)
            try fixture.write(
                [Fixture.event(3, service: "new", params: #"{"k":"w","l":"x"}"#)],
                to: "b.json"
            )
            #expect(try fixture.run().rows == 1)
            let rows = try await fixture.lines(
                "SELECT requestParams.k, requestParams.l FROM \(name) ORDER BY 1",
                over: [name]
            )
            #expect(rows == ["v,", "w,x"])
        }
    }

    @Test func aTableThatWasNotSwappedGrowsWithItsNextBatch() async throws {
        try await Fixture.with { fixture in
            try fixture.write(
                [
                    Fixture.event(1, day: 0, params: #"{"k":"v","empty":""}"#),
                    Fixture.event(2, day: 1, service: "jobs", params: #"{"empty":""}"#),
                ],
                to: "a.json"
            )
            try fixture.run()
            fixture.settings.decoding.strip = [.null]
            let day = try #require(UTCDay.days("2026-01-02"))
            try fixture.replay(.gold, days: DayRange(from: day, to: day))
            try fixture.write([Fixture.event(3, params: #"{"empty":"x"}"#)], to: "b.json")
            #expect(try fixture.run().rows == 1)
            let name = fixture.gold("accounts")
            let rows = try await fixture.lines(
                "SELECT requestParams.k, requestParams.empty FROM \(name) ORDER BY 1",
                over: [name]
            )
            #expect(Set(rows) == ["v,", ",x"])
        }
    }

    @Test func aBrokenRuleThatMayNotBeStopsTheReplay() async throws {
        try await Fixture.with { fixture in
            try fixture.write([Fixture.event(2, workspace: "x", params: "{}")], to: "a.json")
            try fixture.run()
            let paths = try fixture.paths()
            fixture.settings.decoding.actions[.validWorkspaceID] = .fail
            let error = #expect(throws: PipelineError.self) { try fixture.make(.silver) }
            #expect(error?.code == .expectationFailed)
            #expect(try fixture.paths() == paths)
        }
    }
}

extension ReplayFixture {
    func hideEvents(_ name: String) throws {
        try FileManager.default.moveItem(atPath: "\(root)/events/\(name)", toPath: "\(root)/\(name)")
    }

    func showEvents(_ name: String) throws {
        try FileManager.default.moveItem(atPath: "\(root)/\(name)", toPath: "\(root)/events/\(name)")
    }
}
