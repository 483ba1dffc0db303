import Catalog
import Foundation
import Intake
import ObjectStorage
import Pipelines
import Testing

/// Runs whose spool somebody else takes away, and runs that end while a file is copied.
extension SpoolRunTests {
    @Test func aSpoolThatIsRemovedWhileTheLakeIsDownIsMadeAnewAndWhatItKeptIsNamed() async throws {
        try await Self.with { lake in
            lake.settings.onDataLoss = .continue
            let folder = try #require(lake.settings.spool).folder
            let run = try await Self.outage(lake)
            await run.spooled(Self.spooledByteCount)
            try Self.overwrite(lake, Self.other)
            await run.spooled(Self.byteCount(Fixture.records(1...5) + Self.other))
            // At once: a folder that is emptied name by name may be written to meanwhile.
            try FileManager.default.moveItem(atPath: folder, toPath: "\(lake.root)/gone")
            // Something for the next look.
            try lake.append([], to: "b.csv")
            #expect(await run.next { if case .spool(.removed(folder)) = $0 { true } else { nil } } == true)
            lake.disk.revive()
            #expect(await run.outageEnded() == true)
            let report = await run.next { event -> BatchReport? in
                if case .committed(let report) = event, report.lostBytes > 0 { report } else { nil }
            }
            #expect(report?.lostBytes == Self.byteCount(Fixture.records(4...5)))
            try await run.end()
            #expect(try lake.run().batches == 0)
            try lake.expectExact(records: Fixture.records(1...3) + Self.other)
        }
    }

    @Test func aSpoolThatIsRemovedHoldsNothingUpWhileTheLakeIsThere() async throws {
        try await Self.with { lake in
            let run = try await Self.outage(lake)
            await run.spooled(Self.spooledByteCount)
            // It can neither be found nor be made.
            let spool = "\(lake.root)/spool"
            try FileManager.default.moveItem(atPath: spool, toPath: "\(lake.root)/gone")
            try Data().write(to: URL(filePath: spool))
            lake.disk.revive()
            await run.rows(2)
            let isIdle = await run.next { event -> Bool? in
                switch event {
                case .caughtUp: true
                case .retrying: false
                default: nil
                }
            }
            #expect(isIdle == true)
            try lake.append(Self.other)
            await run.rows(Self.other.count)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...5) + Self.other)
        }
    }

    @Test func anOutageThatNothingWasKeptOfIsNotToldAsOneThatWas() async throws {
        try await Self.with { lake in
            try lake.append(Fixture.records(1...3))
            let settings = try #require(lake.settings.spool)
            let other = try Spool.open(settings.folder, limits: settings.limits, isMade: true)
            let run = FollowedRun(lake)
            await run.rows(3)
            lake.disk.failUntilRevived()
            try lake.append(Fixture.records(4...5))
            _ = await run.next { if case .spool(.taken) = $0 { true } else { nil } }
            lake.disk.revive()
            #expect(await run.outageEnded() == false)
            try await run.end()
            withExtendedLifetime(other) {}
        }
    }

    /// The pipeline may be busy with the lake for long yet.
    @Test func aStopEndsTheCopyingWhileThePipelineWaitsForTheLake() async throws {
        try await Self.with { lake in
            let large: UInt64 = 1 << 30
            let path = lake.logPath("a.csv")
            try lake.append(["\n"])
            try #require(truncate(path, Int(large)) == 0)
            let store = SilentStore(endsWithAStop: false)
            let run = FollowedRun(.postgres(lake.settings), lake: Lake(store: store), now: lake.now)
            let folder = try #require(lake.settings.spool).folder
            while try SpoolManifest.read(folder)?.refusedByteCount != large { await Task.yield() }
            run.stop.make()
            let refused = await run.next { event -> UInt64? in
                if case .spool(.grew(_, let refused)) = event { refused } else { nil }
            }
            #expect(try #require(refused) > 0)
            store.end()
            #expect(try await run.end().batches == 0)
        }
    }
}
