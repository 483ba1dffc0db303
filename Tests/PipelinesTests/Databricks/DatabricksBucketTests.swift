import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import ParquetFiles
import Pipelines
import SimulatedBucket
import Testing

/// Events in a bucket, whose objects change and vanish while they are read.
@Suite struct DatabricksBucketTests {
    private typealias Fixture = DatabricksFixture

    private let bucket = MemoryBucket()

    private func withLake(_ body: (inout Fixture) throws -> Void) throws {
        try Fixture.with { lake in
            lake.settings.objects.bucket = bucket
            lake.settings.objects.source.patterns = ["s3://bucket/audit/**/*.json"]
            try body(&lake)
        }
    }

    private func put(_ key: String, _ lines: [String]) { bucket.put("audit/\(key)", lines.joined()) }

    private static func events(_ numbers: ClosedRange<Int>) -> [String] {
        numbers.map { Fixture.event($0, service: ["jobs", "clusters"][$0 % 2], day: $0 % 3) }
    }

    /// More than the first request for an object brings.
    private static let largeLines = (100...109).map { number in
        Fixture.event(number, parameters: #"{"text":"\#(String(repeating: "x", count: 1_000_000))"}"#)
    }

    @Test func eventsOfABucketComeOnce() throws {
        try withLake { lake in
            put("workspaceId=1/date=2026-11-20/a.json", Self.events(1...3))
            put("workspaceId=2/date=2026-11-21/b.json", Self.events(4...6))
            #expect(try lake.run().rows == 6)
            #expect(try lake.run().batches == 0)
            put("workspaceId=1/date=2026-11-20/a.json", Self.events(1...3) + Self.events(7...8))
            put("workspaceId=2/date=2026-11-21/c.json", Self.events(9...9))
            #expect(try lake.run().rows == 3)
            try lake.expectExact(Self.events(1...9))
        }
    }

    @Test(arguments: [true, false])
    func anObjectThatChangesWhileItIsReadIsReadAnewAndHoldsUpNoOther(_ isOverwritten: Bool) throws {
        try withLake { lake in
            put("a.json", Self.events(1...3))
            put("b.json", Self.largeLines)
            put("c.json", Self.events(4...5))
            let bucket = bucket
            let longer = (Self.largeLines + Self.events(6...6)).joined()
            bucket.beforeRequests { request in
                guard case .read = request else { return }
                bucket.beforeRequests(nil)
                if isOverwritten {
                    bucket.put("audit/b.json", longer)
                } else {
                    bucket.remove("audit/b.json")
                }
            }
            try lake.run()
            let large = isOverwritten ? Self.largeLines + Self.events(6...6) : []
            try lake.expectExact(Self.events(1...5) + large)
            // It comes back.
            put("b.json", Self.largeLines + Self.events(6...6))
            try lake.run()
            try lake.expectExact(Self.events(1...6) + Self.largeLines)
        }
    }

    @Test func rowsSayOfTheTimeOfAnObjectWhatThePlanSays() throws {
        try withLake { lake in
            // A listing tells times to the millisecond, an object to the second.
            bucket.put("audit/a.json", Fixture.event(1), modified: 1_793_491_200_123_000)
            try lake.run()
            let modified = try #require(lake.plan(1).objects?.first?.modified)
            let bronze = try #require(try lake.lake.table(lake.settings.bronze))
            let times = try bronze.snapshot().files.values.map { file in
                let reader = try ParquetReader(path: bronze.path(of: file.path), fields: ["source_time"])
                return try reader.withRowGroup(0) { $0.field("source_time")?.int64(0) }
            }
            #expect(times == [modified])
        }
    }

    // MARK: What is forgotten

    private static let day: Int64 = 86_400_000_000

    private func put(_ key: String, _ lines: [String], day: Int64) {
        bucket.put("audit/\(key)", lines.joined(), modified: day * Self.day)
    }

    @Test func objectsAreForgottenBehindTheNewestOneThatWasRead() throws {
        try withLake { lake in
            lake.settings.objects.forgetDayCount = 3
            put("a.json", Self.events(1...1), day: 20_000)
            put("b.json", Self.events(2...2), day: 20_002)
            try lake.run()
            #expect(try lake.plan(1).firstDay == 19_999)
            put("c.json", Self.events(3...3), day: 20_004)
            try lake.run()
            #expect(try lake.plan(2).firstDay == 20_001)
            // It was not seen in time.
            put("d.json", Self.events(4...4), day: 20_000)
            // It is known, and has more lines.
            put("b.json", Self.events(2...2) + Self.events(5...5), day: 20_004)
            let summary = try lake.run()
            #expect(summary.remarks == [.objects(.areTooOld(count: 2))])
            #expect(try lake.plan(3).firstDay == nil, "nothing newer was read")
            try lake.expectExact(Self.events(1...3) + Self.events(5...5))
            // Without the setting nothing more is forgotten, and what was forgotten is not read again.
            lake.settings.objects.forgetDayCount = nil
            put("e.json", Self.events(6...6), day: 20_300)
            try lake.run()
            #expect(try lake.plan(4).firstDay == nil)
            try lake.expectExact(Self.events(1...3) + Self.events(5...6))
        }
    }

    @Test func aTimeThatLiesAheadMakesNothingForgottenButWhatIsOld() throws {
        try withLake { lake in
            lake.settings.objects.forgetDayCount = 3
            put("a.json", Self.events(1...1), day: 60_000)
            try lake.run()
            #expect(try lake.plan(1).firstDay == lake.now / Self.day - 3)
        }
    }

    @Test func aRedoForgetsWhatThePlanSays() throws {
        try withLake { lake in
            lake.settings.objects.forgetDayCount = 3
            put("a.json", Self.events(1...1), day: 20_000)
            try lake.run()
            put("b.json", Self.events(2...2), day: 20_010)
            try lake.runUntil { change in
                if case .link(let path) = change {
                    path.hasSuffix("/bronze/_delta_log/00000000000000000002.json")
                } else {
                    false
                }
            }
            lake.settings.objects.forgetDayCount = nil
            let summary = try lake.run()
            #expect(summary.redoneBatches == 1 && summary.remarks == [.objects(.areTooOld(count: 1))])
            try lake.expectExact(Self.events(1...2))
        }
    }

    // MARK: Redo

    private func runUntilCommitOfBronze(_ lake: Fixture) throws {
        try lake.runUntil { change in
            if case .link(let path) = change {
                path.hasSuffix("/bronze/_delta_log/00000000000000000001.json")
            } else {
                false
            }
        }
    }

    @Test func aPlannedRangeIsReadAgainFromALaterVersionThatBeginsWithIt() throws {
        try withLake { lake in
            put("a.json", Self.events(1...3))
            try runUntilCommitOfBronze(lake)
            put("a.json", Self.events(1...5))
            #expect(try lake.run().redoneBatches == 1)
            try lake.expectExact(Self.events(1...5))
        }
    }

    @Test func aPlannedObjectThatVanishedIsLost() throws {
        try withLake { lake in
            put("a.json", Self.events(1...3))
            try runUntilCommitOfBronze(lake)
            bucket.remove("audit/a.json")
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceLost)
            lake.settings.onDataLoss = .continue
            try lake.run()
            try lake.expectExact([])
        }
    }

    /// `run --once` looks once more when all is read: the second look leaps over old days.
    @Test func anObjectOfAnOldDayThatCannotBeReadIsTold() throws {
        try withLake { lake in
            lake.settings.objects.listingDayCount = 7
            put("date=2020-01-01/a.json", Self.events(1...2))
            put("date=2026-11-21/b.json", Self.events(3...4))
            let denied = StorageError(code: .permissionDenied, operation: "read", path: "a.json")
            bucket.beforeRequests { if $0 == .start("audit/date=2020-01-01/a.json") { throw denied } }
            #expect(throws: denied) { try lake.run() }
            try lake.expectExact(Self.events(3...4))
            bucket.beforeRequests(nil)
            try lake.run()
            try lake.expectExact(Self.events(1...4))
        }
    }
}
