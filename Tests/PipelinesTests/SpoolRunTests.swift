import BatchProtocol
import Catalog
import Foundation
import Intake
import Pipelines
import Testing

/// Runs whose lake fails for a while, and logs that do not wait for it.
@Suite struct SpoolRunTests {
    typealias Fixture = PipelineFixture

    static let other = PipelineFixture.records(1...4, session: "6b01.b")

    static func with(
        byteCount: UInt64 = 1 << 30,
        _ body: (inout PipelineFixture) async throws -> Void
    ) async throws {
        try await Fixture.with { lake in
            lake.settings.spool = SpoolSettings(
                folder: "\(lake.root)/spool/pg",
                limits: Spool.Limits(byteCount: byteCount, diskFloor: 0)
            )
            try await body(&lake)
        }
    }

    /// A run that has read three records and has lost its lake since; two more are written then.
    static func outage(_ lake: PipelineFixture) async throws -> FollowedRun {
        try lake.append(Fixture.records(1...3))
        let run = FollowedRun(lake)
        await run.rows(3)
        lake.disk.failUntilRevived()
        try lake.append(Fixture.records(4...5))
        return run
    }

    /// The bytes that its spool holds then, once they are copied.
    static let spooledByteCount = byteCount(Fixture.records(1...5))

    /// Writes a log anew on the same inode.
    static func overwrite(_ lake: PipelineFixture, _ texts: [String]) throws {
        let file = try FileHandle(forWritingTo: URL(filePath: lake.logPath("a.csv")))
        try file.truncate(atOffset: 0)
        try file.close()
        try lake.append(texts)
    }

    static func byteCount(_ texts: [String]) -> UInt64 { UInt64(texts.joined().utf8.count) }

    static func spoolFiles(_ lake: PipelineFixture) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(lake.root)/spool/pg").sorted()
    }

    @Test func whatIsTruncatedMeanwhileComesFromTheSpool() async throws {
        try await Self.with { lake in
            let run = try await Self.outage(lake)
            await run.spooled(Self.spooledByteCount)
            try Self.overwrite(lake, Self.other)
            await run.spooled(Self.byteCount(Fixture.records(1...5) + Self.other))
            try Self.overwrite(lake, [])
            lake.disk.revive()
            await run.rows(2 + Self.other.count)
            _ = await run.caughtUp()
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...5) + Self.other)
            #expect(try Self.spoolFiles(lake) == ["lock", "positions.json"])
        }
    }

    @Test func aRunThatBeginsWithoutItsLakeSpoolsAndWaits() async throws {
        try await Self.with { lake in
            try lake.append(Fixture.records(1...3))
            let first = FollowedRun(lake)
            await first.rows(3)
            lake.disk.failUntilRevived()
            try lake.append(Fixture.records(4...4))
            await first.spooled(Self.byteCount(Fixture.records(1...4)))
            try await first.end()
            try lake.append(Fixture.records(5...5))
            let second = FollowedRun(lake)
            await second.spooled(Self.byteCount(Fixture.records(1...5)))
            try await second.end()
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            try lake.append(Self.other)
            lake.disk.revive()
            // A run that only drains reads the spool too.
            #expect(try lake.run().rows == 2 + Self.other.count)
            #expect(try lake.run().batches == 0)
            try lake.expectExact(records: Fixture.records(1...5) + Self.other)
            #expect(try Self.spoolFiles(lake) == ["lock", "positions.json"])
        }
    }

    @Test("what has no room is named once it is lost", arguments: [DataLossPolicy.fail, .continue])
    func loss(policy: DataLossPolicy) async throws {
        try await Self.with(byteCount: 1) { lake in
            lake.settings.onDataLoss = policy
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            await run.rows(3)
            let read = Self.byteCount(Fixture.records(1...3))
            lake.disk.failUntilRevived()
            try lake.append(Fixture.records(4...5))
            let refused = await run.refused()
            let lost = Self.byteCount(Fixture.records(4...5))
            #expect(refused == lost)
            try Self.overwrite(lake, Self.other)
            lake.disk.revive()
            if policy == .fail {
                let error = await #expect(throws: PipelineError.self) { try await run.outcome() }
                #expect(error?.code == .sourceLost)
                #expect(error?.message.contains("bytes \(read) to \(read + lost)") == true)
                lake.settings.onDataLoss = .continue
                #expect(try lake.run().lostBytes == lost)
            } else {
                await run.rows(Self.other.count)
                #expect(await run.committed()?.lostBytes == lost)
                try await run.end()
            }
            #expect(try lake.run().batches == 0)
            try lake.expectExact(records: Fixture.records(1...3) + Self.other)
            let gap = SourceGap(path: lake.logPath("a.csv"), from: read, to: read + lost)
            #expect(try lake.receipt(3).gaps == [gap])
            #expect(
                try lake.plan(3).expectations?.first?.samples == [
                    "\(gap.path): bytes \(gap.from) to \(gap.to)"
                ]
            )
            #expect(try SpoolManifest.read("\(lake.root)/spool/pg") == nil)
        }
    }

    /// The first line of a record whose second had no room is lost with it.
    @Test func aRecordThatIsCutIsLostFromItsBeginning() async throws {
        let whole = Self.byteCount(Fixture.records(1...4))
        try await Self.with(byteCount: whole + Self.byteCount(Fixture.records(5...5)) - 1) { lake in
            lake.settings.onDataLoss = .continue
            let run = try await Self.outage(lake)
            let refused = await run.refused()
            let cut = try #require(refused)
            #expect(cut < Self.byteCount(Fixture.records(5...5)))
            try await run.end()
            try Self.overwrite(lake, [])
            lake.disk.revive()
            #expect(try lake.run().lostBytes == Self.byteCount(Fixture.records(5...5)))
            let gaps = (1...9).flatMap { (try? lake.receipt($0).gaps) ?? [] }
            #expect(
                gaps == [
                    SourceGap(
                        path: lake.logPath("a.csv"),
                        from: whole,
                        to: whole + Self.byteCount(Fixture.records(5...5))
                    )
                ]
            )
            #expect(try lake.run().batches == 0)
            try lake.expectExact(records: Fixture.records(1...4))
        }
    }

    @Test(
        "a damaged file, or a folder without any log, holds no loss back",
        arguments: [true, false]
    )
    func lossBesideWhatIsNoUse(isDamaged: Bool) async throws {
        try await Self.with(byteCount: 1) { lake in
            lake.settings.onDataLoss = .continue
            let run = try await Self.outage(lake)
            _ = await run.refused()
            try await run.end()
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            if isDamaged { try lake.append(["no gzip"], to: "b.csv.gz") }
            lake.disk.revive()
            let summary = try lake.run()
            #expect(summary.lostBytes == Self.byteCount(Fixture.records(4...5)))
            #expect(try lake.run().batches == 0)
        }
    }

    @Test func aLossWaitsForAFolderThatCannotBeListedAndThatIsSaid() async throws {
        try await Self.with(byteCount: 1) { lake in
            lake.settings.onDataLoss = .continue
            let pattern = "\(lake.root)/more/*.csv"
            lake.settings.source = TailedFileSource(
                patterns: lake.settings.source.patterns + [pattern],
                host: "host"
            )
            lake.settings.source.spool = lake.settings.spool?.folder
            let run = try await Self.outage(lake)
            _ = await run.refused()
            try await run.end()
            try Self.overwrite(lake, Self.other)
            // A link to itself: nobody can list it, whatever his rights.
            let link = "\(lake.root)/more"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: link)
            lake.disk.revive()
            let held = try lake.run()
            #expect((held.rows, held.lostBytes) == (Self.other.count, 0))
            #expect(held.remarks.contains(.files(.hidesLosses(path: pattern))))
            let status = try PipelineLooks(.postgres(lake.settings)).look(lake.lake, now: lake.now)
            #expect(status.spool?.heldBackBy == [pattern])
            try FileManager.default.removeItem(atPath: link)
            #expect(try lake.run().lostBytes == Self.byteCount(Fixture.records(4...5)))
        }
    }

    @Test func aCopyThatIsRemovedIsNamedAsLost() async throws {
        try await Self.with { lake in
            lake.settings.onDataLoss = .continue
            let run = try await Self.outage(lake)
            await run.spooled(Self.spooledByteCount)
            try await run.end()
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            let copy = try #require(try Self.spoolFiles(lake).first { $0.hasPrefix("copy-") })
            try FileManager.default.removeItem(atPath: "\(lake.root)/spool/pg/\(copy)")
            lake.disk.revive()
            #expect(try lake.run().lostBytes == Self.byteCount(Fixture.records(4...5)))
            #expect(try lake.run().batches == 0)
            #expect(try Self.spoolFiles(lake) == ["lock", "positions.json"])
        }
    }

    @Test func aRunThatWasKilledNamesALossOnce() async throws {
        try await Self.with(byteCount: 1) { lake in
            lake.settings.onDataLoss = .continue
            let run = try await Self.outage(lake)
            _ = await run.refused()
            try await run.end()
            try Self.overwrite(lake, Self.other)
            lake.disk.revive()
            // The rows are in the lake, and the plan that names the loss, but not its receipt.
            let receipt = lake.shard.receipt(3)
            try lake.runUntil { if case .link(let path) = $0 { path.hasSuffix(receipt) } else { false } }
            #expect(try lake.run().redoneBatches == 0)
            #expect(try lake.names(in: lake.shard.receipts).count == 3)
            #expect(try lake.receipt(3).gaps.count == 1)
            try lake.expectExact(records: Fixture.records(1...3) + Self.other)
        }
    }

    @Test func pipelinesHaveSpoolsOfTheirOwn() async throws {
        try await Self.with { lake in
            var second = lake
            second.settings.name = "pg2"
            second.settings.decoding.node = "pg2"
            second.settings.source = TailedFileSource(patterns: ["\(lake.root)/logs2/*.csv"], host: "host")
            second.settings.table = TableName(catalog: "main", schema: "audit", table: "logs2")
            second.settings.spool = SpoolSettings(
                folder: "\(lake.root)/spool/pg2",
                limits: Spool.Limits(byteCount: 1, diskFloor: 0)
            )
            try FileManager.default.createDirectory(
                atPath: "\(lake.root)/logs2",
                withIntermediateDirectories: true
            )
            try lake.append(Fixture.records(1...3))
            try Data(Self.other.joined().utf8).write(to: URL(filePath: "\(lake.root)/logs2/b.csv"))
            let runs = (FollowedRun(lake), FollowedRun(second))
            await runs.0.rows(3)
            await runs.1.rows(Self.other.count)
            lake.disk.failUntilRevived()
            try lake.append(Fixture.records(4...5))
            let more = Fixture.records(5...6, session: "6b01.b")
            try lake.append(more, to: "../logs2/b.csv")
            await runs.0.spooled(Self.byteCount(Fixture.records(1...5)))
            _ = await runs.1.next { if case .spool(.refuses(.isFull, _)) = $0 { true } else { nil } }
            lake.disk.revive()
            await runs.0.rows(2)
            // What had no room was there still.
            await runs.1.rows(2)
            try await runs.0.end()
            try await runs.1.end()
            try lake.expectExact(records: Fixture.records(1...5))
            #expect(try lake.raws(of: second.settings.table).count == Self.other.count + 2)
        }
    }

    @Test func aSpoolThatCannotBeMadeIsToldAndTheLakeIsFilled() async throws {
        try await Self.with { lake in
            try Data().write(to: URL(filePath: "\(lake.root)/spool"))
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            #expect(await run.next { if case .spool(.unusable) = $0 { true } else { nil } } == true)
            await run.rows(3)
            try await run.end()
        }
    }

    @Test func theStatusTellsOfTheSpool() async throws {
        try await Self.with { lake in
            let run = try await Self.outage(lake)
            await run.spooled(Self.spooledByteCount)
            try await run.end()
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            try lake.append(Self.other)
            let status = try PipelineLooks(.postgres(lake.settings)).look(lake.lake, now: lake.now)
            #expect(status.spool?.isOpen == true)
            #expect(status.spool?.since == lake.now)
            #expect(status.spool?.byteCount == Self.byteCount(Fixture.records(1...5)))
            #expect(status.backlog.lagBytes == Self.byteCount(Fixture.records(4...5) + Self.other))
        }
    }
}
