import AuditFormats
import Catalog
import DeltaTables
import Foundation
import Pipelines
import Testing

/// What others do between the look at the tables and the swap, and what a kill leaves.
@Suite struct ReplayBesideRunsTests {
    private typealias Fixture = ReplayFixture

    /// A lake of two batches whose rows lack a key that the settings let through now.
    private func prepare(_ fixture: inout Fixture) throws {
        try fixture.write(Fixture.events(0..<12), to: "a.json")
        fixture.settings.decoding.strip = [.null, .emptyString]
        try fixture.run()
        fixture.now += 60_000_000
        try fixture.write(Fixture.events(12..<24), to: "b.json")
        try fixture.run()
        fixture.now += 60_000_000
        fixture.settings.decoding.strip = [.null]
    }

    /// The rows of a lake that was loaded in the same batches with the settings of now.
    private func freshRows(_ fixture: Fixture, of layer: ReplayLayer) async throws -> [String] {
        var fresh = fixture
        fresh.lakeName = "fresh"
        fresh.now = 1_795_000_000_000_000
        try fresh.hideEvents("b.json")
        try fresh.run()
        try fresh.showEvents("b.json")
        fresh.now += 60_000_000
        try fresh.run()
        return try await fresh.rows(of: layer)
    }

    private func code(_ body: () throws -> Void) -> PipelineError.Code? {
        #expect(throws: PipelineError.self) { try body() }?.code
    }

    @Test func openBatchIsRefused() async throws {
        try await Fixture.with { fixture in
            try prepare(&fixture)
            try fixture.write(Fixture.events(24..<30), to: "c.json")
            let receipt = fixture.shard.receipt(3)
            let path = "\(fixture.lakePath)/\(receipt)"
            fixture.disk.fail(.death) { _, change in change == .link(path) }
            #expect(throws: VolatileDisk.FaultError.self) { try fixture.run() }
            fixture.disk.revive()
            #expect(code { try fixture.replay(.silver) } == .unsettled)
            #expect(code { try fixture.replay(.gold) } == .unsettled)
            try fixture.run()
            for layer in ReplayLayer.allCases { try fixture.replay(layer) }
        }
    }

    @Test func goldThatWasLeftForLaterIsRefusedUntilItHasAllBatches() async throws {
        try await Fixture.with { fixture in
            try fixture.write(Fixture.events(0..<12), to: "a.json")
            fixture.settings.layers = .bronzeAndSilver
            try fixture.run()
            #expect(code { try fixture.replay(.gold) } == .unsettled)
            try fixture.replay(.silver)
            fixture.settings.layers = .gold
            try fixture.run()
            fixture.settings.decoding.strip = [.null]
            try fixture.replay(.gold)
            #expect(try await fixture.rows(of: .gold).filter { $0.contains("empty=") }.count == 6)
        }
    }

    @Test func lakeWithoutABatchIsRefusedAndStaysEmpty() async throws {
        try await Fixture.with { fixture in
            #expect(code { try fixture.replay(.gold) } == .unsettled)
            #expect(!FileManager.default.fileExists(atPath: fixture.lakePath))
        }
    }

    @Test(arguments: ReplayLayer.allCases)
    func rowsOfABatchThatCameMeanwhileStay(_ layer: ReplayLayer) async throws {
        try await Fixture.with { fixture in
            try prepare(&fixture)
            fixture.settings.decoding.strip = [.null, .emptyString]
            let old = try fixture.make(layer, mayApply: false)
            old.discard()
            fixture.settings.decoding.strip = [.null]
            let replay = try fixture.make(layer)
            // A process with the settings of before: its rows lack the key.
            var other = fixture
            other.settings.decoding.strip = [.null, .emptyString]
            try other.write(
                (24..<30).map { Fixture.event($0, params: #"{"k":"v","empty":""}"#) },
                to: "c.json"
            )
            #expect(try other.run().rows == 6)
            try replay.apply(Set(replay.tables.map(\.name)))
            replay.discard()
            let rows = try await fixture.rows(of: layer)
            #expect(rows.count == 30)
            #expect(rows.filter { $0.contains("empty=") }.count == 12)
            #expect(try fixture.strayFiles() == [])
        }
    }

    @Test func keysThatCameMeanwhileEndTheReplayBeforeAnySwap() async throws {
        try await Fixture.with { fixture in
            try prepare(&fixture)
            let replay = try fixture.make(.gold)
            var other = fixture
            other.settings.decoding.strip = [.null, .emptyString]
            try other.write([Fixture.event(24, params: #"{"EMPTY":"v"}"#)], to: "c.json")
            try other.run()
            let versions = try fixture.lake.tables().map { try fixture.table($0).head.version }
            #expect(code { try replay.apply(Set(replay.tables.map(\.name))) } == .unsettled)
            replay.discard()
            #expect(try fixture.lake.tables().map { try fixture.table($0).head.version } == versions)
            #expect(try fixture.strayFiles() == [])
            try fixture.replay(.gold)
            let columns = try fixture.table(fixture.gold("accounts")).columns()
            #expect(
                columns.first { $0.name == "requestParams" }?.type
                    == "struct<k:string,EMPTY:string,empty_2:string>"
            )
        }
    }

    @Test func filesThatWereMergedMeanwhileAreAConflict() async throws {
        try await Fixture.with { fixture in
            try prepare(&fixture)
            let replay = try fixture.make(.silver)
            var other = fixture
            other.settings.decoding.strip = [.null, .emptyString]
            other.settings.checkpointInterval = 1
            other.settings.liveFileLimit = 2
            try other.write(Fixture.events(24..<30), to: "c.json")
            try other.run()
            #expect(throws: CommitConflictError.self) {
                try replay.apply([fixture.settings.silver])
            }
            replay.discard()
            #expect(try fixture.strayFiles() == [])
            try fixture.replay(.silver)
            #expect(try await fixture.rows(of: .silver).count == 30)
        }
    }

    @Test func filesFromBeforeAGoldTableGrewAreMergedWithLaterOnes() async throws {
        try await Fixture.with { fixture in
            try prepare(&fixture)
            fixture.settings.checkpointInterval = 1
            fixture.settings.liveFileLimit = 2
            try fixture.write(Fixture.events(24..<36), to: "c.json")
            try fixture.run()
            #expect(
                try fixture.table(fixture.gold("accounts")).history(limit: 9).contains {
                    $0.operation == "OPTIMIZE"
                }
            )
            let rows = try await fixture.rows(of: .gold)
            #expect(rows.count == 36)
            #expect(rows.filter { $0.contains("empty=") }.count == 6)
            #expect(rows.filter { $0.contains("k=v") }.count == 36)
        }
    }

    @Test func twoReplaysAtOnceNeverBothSwap() async throws {
        try await Fixture.with { fixture in
            // Only the replays bring rows of the service: there is nothing that both would remove.
            try fixture.write(
                [
                    Fixture.event(1, params: "{}"),
                    Fixture.event(2, service: "new", workspace: "x", params: "{}"),
                ],
                to: "a.json"
            )
            fixture.settings.decoding.actions[.validWorkspaceID] = .drop
            try fixture.run()
            fixture.settings.decoding.actions = [:]
            let first = try fixture.make(.gold)
            let second = try fixture.make(.gold)
            let names = Set(first.tables.map(\.name))
            #expect(names.contains(fixture.gold("new")))
            try first.apply(names)
            #expect(throws: (any Error).self) { try second.apply(names) }
            first.discard()
            second.discard()
            #expect(try await fixture.rows(of: .gold).count == 2)
            #expect(try fixture.strayFiles() == [])
        }
    }

    /// Dies at each change to the disk in turn; the second replay has to bring the tables of a fresh load.
    @Test(arguments: ReplayLayer.allCases)
    func killedReplayIsFinishedByTheNext(_ layer: ReplayLayer) async throws {
        let (endings, expected) = try await Fixture.with { fixture in
            try prepare(&fixture)
            let start = fixture.disk.changes.count
            try fixture.replay(layer)
            let changes = fixture.disk.changes[start...]
            let endings = changes.indices.filter { index in
                // Nobody sees a file before it has its name.
                switch changes[index] {
                case .create, .write, .sync: false
                default: true
                }
            }
            return (endings.map { $0 - start }, try await freshRows(fixture, of: layer))
        }
        #expect(endings.count > 10)
        #expect(expected.count == 24)
        for ending in endings {
            try await Fixture.with { fixture in
                try prepare(&fixture)
                let transactions = try fixture.transactions()
                let start = fixture.disk.changes.count
                fixture.disk.fail(.death) { count, _ in count == start + ending }
                // What is removed in the end is removed by the next, or by nobody: it is invisible.
                do { try fixture.replay(layer) } catch {}
                #expect(fixture.disk.hasFailed)
                fixture.disk.revive()
                #expect(try fixture.rowCounts() == ["silver": 24, "accounts": 18, "jobs": 6])
                try fixture.replay(layer)
                #expect(try fixture.transactions() == transactions)
                #expect(try await fixture.rows(of: layer) == expected, "change \(ending)")
                try fixture.write(Fixture.events(24..<28), to: "c.json")
                #expect(try fixture.run().rows == 4)
                #expect(try fixture.rowCounts() == ["silver": 28, "accounts": 21, "jobs": 7])
            }
        }
    }
}

extension ReplayFixture {
    /// Rows of silver and gold by the table's last name, as the log counts them.
    fileprivate func rowCounts() throws -> [String: Int64] {
        var counts: [String: Int64] = [:]
        for name in try lake.tables() where name == settings.silver || name.schema == settings.goldSchema {
            counts[name.table] = try table(name).size().rows
        }
        return counts
    }
}
