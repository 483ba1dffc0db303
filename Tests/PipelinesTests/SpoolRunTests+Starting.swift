import Catalog
import Foundation
import Intake
import ObjectStorage
import Pipelines
import Synchronization
import Testing

/// Runs that find the spool, the logs or the lake in a state that others have left.
extension SpoolRunTests {
    @Test func aSpoolThatAnotherProcessHasIsAskedForUntilThatEnds() async throws {
        try await Self.with { lake in
            try lake.append(Fixture.records(1...3))
            let settings = try #require(lake.settings.spool)
            var other = try Spool.open(settings.folder, limits: settings.limits, isMade: true)
            #expect(other != nil)
            let run = FollowedRun(lake)
            #expect(await run.next { if case .spool(.taken) = $0 { true } else { nil } } == true)
            await run.rows(3)
            lake.disk.failUntilRevived()
            try lake.append(Fixture.records(4...5))
            _ = await run.next { if case .spool(.began) = $0 { true } else { nil } }
            #expect(await run.next { if case .spool(.taken) = $0 { true } else { nil } } == true)
            _ = await run.next { if case .retrying = $0 { true } else { nil } }
            #expect(try SpoolManifest.read(settings.folder) == nil)
            other = nil
            await run.spooled(Self.spooledByteCount)
            try Self.overwrite(lake, Self.other)
            lake.disk.revive()
            await run.rows(2 + Self.other.count)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...5) + Self.other)
        }
    }

    @Test func copiesThatAnotherProcessLeftAreRemovedOnceTheyAreRead() async throws {
        try await Self.with { lake in
            try lake.append(Fixture.records(1...3))
            let settings = try #require(lake.settings.spool)
            var other: SpoolSession? = try SpoolSession(
                try #require(try Spool.open(settings.folder, limits: settings.limits, isMade: true)),
                source: lake.settings.source,
                after: [],
                reason: "gone",
                now: 1
            )
            _ = try other?.step()
            let run = FollowedRun(lake)
            await run.rows(3)
            #expect(try SpoolManifest.read(settings.folder)?.files.count == 1)
            other = nil
            try lake.append(Fixture.records(4...4))
            await run.rows(1)
            // One more look at once; a child of another test may hold the lock for a moment.
            try lake.append([], to: "b.csv")
            while try SpoolManifest.read(settings.folder) != nil, await run.caughtUp() != nil {}
            try await run.end()
            #expect(try Self.spoolFiles(lake) == ["lock", "positions.json"])
        }
    }

    @Test("a stop does not wait for a lake that does not answer", arguments: [true, false])
    func aStopWithoutTheLake(hasSpool: Bool) async throws {
        try await Self.with { lake in
            if !hasSpool { lake.settings.spool = nil }
            try lake.append(Fixture.records(1...3))
            let store = SilentStore()
            let run = FollowedRun(.postgres(lake.settings), lake: Lake(store: store), now: lake.now)
            if hasSpool {
                await run.spooled(Self.byteCount(Fixture.records(1...3)))
            } else {
                await store.isAsked()
            }
            #expect(try await run.end().batches == 0)
        }
    }

    @Test("`start: latest` begun without the lake counts from then", arguments: [true, false])
    func latest(isRemoved: Bool) async throws {
        try await Self.with { lake in
            lake.settings.start = .latest
            try lake.append(Fixture.records(1...3))
            lake.disk.failUntilRevived()
            let first = FollowedRun(lake)
            await first.spooled(Self.byteCount(Fixture.records(1...3)))
            try lake.append(Fixture.records(4...4))
            await first.spooled(Self.byteCount(Fixture.records(1...4)))
            try await first.end()
            try lake.append(Fixture.records(5...5))
            try lake.append(Self.other, to: "b.csv")
            let run = FollowedRun(lake)
            await run.spooled(Self.byteCount(Fixture.records(1...5) + Self.other))
            if isRemoved { try FileManager.default.removeItem(atPath: lake.logPath("a.csv")) }
            lake.disk.revive()
            await run.rows(2 + Self.other.count)
            try await run.end()
            try lake.expectExact(records: Fixture.records(4...5) + Self.other)
        }
    }

    @Test func aSpoolThatCannotBeReadIsToldAndKeepsNoLogFromTheLake() async throws {
        try await Self.with { lake in
            let folder = try #require(lake.settings.spool).folder
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("{".utf8).write(to: URL(filePath: "\(folder)/spool.json"))
            try lake.append(Fixture.records(1...3))
            let told = Mutex(0)
            let observer = PipelineObserver(event: { event in
                if case .spool(.unusable) = event { told.withLock { $0 += 1 } }
            })
            #expect(try lake.run(observer: observer).rows == 3)
            // Told once, however often it is met.
            #expect(told.withLock { $0 } == 1)
            #expect(try lake.run().remarks == [.files(.spoolIsUnreadable(path: folder))])
        }
    }

    @Test func aLakeBesideTheLogsIsNotTakenForThem() async throws {
        try await Self.with { lake in
            // What the pattern begins with is the folder that the lake lies in, too.
            lake.settings.source = TailedFileSource(patterns: ["\(lake.root)/logs*/*.csv"], host: "host")
            lake.settings.source.spool = lake.settings.spool?.folder
            try lake.append(Fixture.records(1...3))
            lake.disk.failUntilRevived()
            let run = FollowedRun(lake)
            await run.spooled(Self.byteCount(Fixture.records(1...3)))
            lake.disk.revive()
            await run.rows(3)
            try await run.end()
        }
    }

    @Test func aLogThatCannotBeReadIsNoLakeThatIsDown() async throws {
        try await Self.with { lake in
            // A link to itself: nobody can follow it.
            let link = lake.logPath("a.csv")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: link)
            let run = FollowedRun(lake)
            for _ in 0..<3 {
                let isRetrying = await run.next { event -> Bool? in
                    switch event {
                    case .retrying: true
                    case .spool: false
                    default: nil
                    }
                }
                #expect(isRetrying == true)
            }
            try await run.end()
        }
    }

    /// A lake whose folder is gone, or is the empty place of a disk that is not mounted, is down; none is begun in its place.
    @Test(arguments: [false, true])
    func aLakeThatIsMovedAwayIsDown(isMountPoint: Bool) async throws {
        try await Self.with { lake in
            let manager = FileManager.default
            let away = lake.lakePath + "-away"
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            await run.rows(3)
            try manager.moveItem(atPath: lake.lakePath, toPath: away)
            if isMountPoint {
                try manager.createDirectory(atPath: lake.lakePath, withIntermediateDirectories: false)
            }
            try lake.append(Fixture.records(4...5))
            await run.spooled(Self.spooledByteCount)
            try Self.overwrite(lake, Self.other)
            await run.spooled(Self.byteCount(Fixture.records(1...5) + Self.other))
            if isMountPoint { try manager.removeItem(atPath: lake.lakePath) }
            try manager.moveItem(atPath: away, toPath: lake.lakePath)
            await run.rows(2 + Self.other.count)
            _ = await run.caughtUp()
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...5) + Self.other)
        }
    }

    /// Where its lake was nothing is begun: neither by a run that follows nor by one that drains.
    @Test func aRunThatBeginsWhileItsLakeIsAwayMakesNone() async throws {
        try await Self.with { lake in
            let manager = FileManager.default
            let away = lake.lakePath + "-away"
            let folder = try #require(lake.settings.spool).folder
            try lake.append(Fixture.records(1...3))
            let first = FollowedRun(lake)
            await first.rows(3)
            _ = await first.caughtUp()
            // A process that is killed soon has noted it.
            #expect(try Spool.positions(in: folder).count == 1)
            try await first.end()
            try manager.moveItem(atPath: lake.lakePath, toPath: away)
            try lake.append(Fixture.records(4...5))
            let run = FollowedRun(lake)
            await run.spooled(Self.spooledByteCount)
            try Self.overwrite(lake, Self.other)
            await run.spooled(Self.byteCount(Fixture.records(1...5) + Self.other))
            let error = #expect(throws: StorageError.self) { try lake.run() }
            #expect(error?.mend.hasSuffix("remove \(folder)/positions.json") == true)
            // Nor is it taken for one that has no batch yet.
            #expect(throws: StorageError.self) {
                try PipelineLooks(.postgres(lake.settings)).look(lake.lake, now: lake.now)
            }
            #expect(!manager.fileExists(atPath: lake.lakePath))
            try manager.moveItem(atPath: away, toPath: lake.lakePath)
            await run.rows(2 + Self.other.count)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...5) + Self.other)
        }
    }

    /// What has its receipt is known at once, whatever fails behind it.
    @Test func positionsAreNotedWithTheirBatch() async throws {
        try await Self.with { lake in
            let folder = try #require(lake.settings.spool).folder
            lake.settings.batchByteCount = 1
            try lake.append(Fixture.records(1...3))
            lake.disk.fail(.noSpace) { _, change in change.path.hasSuffix("head.json") }
            let run = FollowedRun(lake)
            _ = await run.next { if case .retrying = $0 { true } else { nil } }
            let positions = try Spool.positions(in: folder)
            #expect(positions.map(\.offset) == [Self.byteCount(Fixture.records(1...1))])
            lake.disk.revive()
            _ = await run.caughtUp()
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...3))
        }
    }

    /// A note that cannot be read is one all the same.
    @Test func aDamagedNoteStillNamesALake() async throws {
        try await Self.with { lake in
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            await run.rows(3)
            try await run.end()
            let folder = try #require(lake.settings.spool).folder
            try Data().write(to: URL(filePath: Spool.positionsPath(in: folder)))
            try FileManager.default.removeItem(atPath: lake.lakePath)
            #expect(throws: StorageError.self) { try lake.run() }
            let second = FollowedRun(lake)
            await second.spooled(Self.byteCount(Fixture.records(1...3)))
            try await second.end()
            #expect(!FileManager.default.fileExists(atPath: lake.lakePath))
        }
    }

    @Test func aLakeThatIsGoneForGoodIsBegunAnewOnceThatIsSaid() async throws {
        try await Self.with { lake in
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            await run.rows(3)
            try await run.end()
            try FileManager.default.removeItem(atPath: lake.lakePath)
            // Another pipeline may have begun it.
            try lake.lake.open()
            #expect(throws: StorageError.self) { try lake.run() }
            let folder = try #require(lake.settings.spool).folder
            try FileManager.default.removeItem(atPath: Spool.positionsPath(in: folder))
            #expect(try lake.run().rows == 3)
        }
    }
}
