import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Pipelines
import SimulatedBucket
import Testing

/// Events in a bucket that tells of new objects, as runs see them.
@Suite struct DatabricksNotificationTests {
    private typealias Fixture = DatabricksFixture

    private let bucket = MemoryBucket()
    private let queue = MemoryQueue()

    private func prepare(_ lake: inout Fixture) {
        lake.settings.objects.bucket = bucket
        lake.settings.objects.source.patterns = ["s3://bucket/audit/**/*.json"]
        lake.settings.objects.notifications = .init(queue: queue)
    }

    /// Puts an object; the bucket tells of it.
    private func put(_ key: String, _ numbers: ClosedRange<Int>, etag: Int) {
        bucket.put("audit/\(key)", numbers.map { Fixture.event($0) }.joined())
        queue.notify("audit/\(key)", etag: "etag-\(etag)")
    }

    private func events(_ numbers: ClosedRange<Int>) -> [String] { numbers.map { Fixture.event($0) } }

    @Test func aRunListsOnceAndEmptiesTheQueue() throws {
        try Fixture.with { lake in
            prepare(&lake)
            put("a.json", 1...2, etag: 1)
            put("a.json", 1...3, etag: 2)
            put("b.json", 4...5, etag: 3)
            let stranger = queue.send("hello")
            let summary = try lake.run()
            #expect(summary.rows == 5)
            #expect(bucket.takeRequests().filter { $0 == .list }.count == 1)
            #expect(queue.messages == [stranger])
            #expect(summary.remarks == [.objects(.isNoNotification(message: stranger))])
            #expect(summary.notifications?.received == 3 && summary.notifications?.deleted == 3)
            try lake.expectExact(events(1...5))
        }
    }

    @Test func aRunWithNothingToReadEmptiesTheQueueToo() throws {
        try Fixture.with { lake in
            prepare(&lake)
            put("a.json", 1...2, etag: 1)
            try lake.run()
            for _ in 1...25 { queue.notify("audit/a.json", etag: "etag-1") }
            #expect(try lake.run().batches == 0)
            #expect(queue.messages.isEmpty)
        }
    }

    @Test func aDeathBeforeTheReceiptLeavesTheMessage() throws {
        try Fixture.with { lake in
            prepare(&lake)
            put("a.json", 1...2, etag: 1)
            try lake.runUntil { change in
                if case .link(let path) = change { path.contains("/receipts/") } else { false }
            }
            #expect(queue.messages.count == 1)
            queue.showAgain()
            try lake.run()
            #expect(queue.messages.isEmpty)
            try lake.expectExact(events(1...2))
        }
    }

    @Test func looksOfOtherCommandsTakeNoMessages() throws {
        try Fixture.with { lake in
            prepare(&lake)
            put("a.json", 1...2, etag: 1)
            let looks = PipelineLooks(.databricks(lake.settings))
            _ = try looks.look(lake.lake, now: lake.now)
            #expect(queue.requestCount == 0)
        }
    }

    /// Metrics look every two seconds, whatever a listing costs.
    @Test(arguments: [true, false])
    func looksOfMetricsListNoMoreOftenThanRuns(_ isNotified: Bool) throws {
        try Fixture.with { lake in
            prepare(&lake)
            lake.settings.objects.pollInterval = .seconds(60)
            if !isNotified { lake.settings.objects.notifications = nil }
            var uptime: Int64 = 0
            let looks = PipelineLooks(.databricks(lake.settings), uptime: { uptime })
            func lag(at seconds: Int64) throws -> (files: Int, listings: Int) {
                uptime = seconds * 1_000_000_000
                let status = try looks.look(lake.lake, now: lake.now)
                return (status.files.count, bucket.takeRequests().filter { $0 == .list }.count)
            }
            put("a.json", 1...2, etag: 1)
            #expect(try lag(at: 0) == (1, 1))
            #expect(try lag(at: 2) == (1, 0))
            try lake.run()
            _ = bucket.takeRequests()
            let interval: Int64 = isNotified ? 3_600 : 60
            #expect(try lag(at: 4) == (0, 0), "what was read is no lag, without a listing")
            put("b.json", 3...4, etag: 2)
            #expect(try lag(at: interval - 1) == (0, 0))
            #expect(try lag(at: interval) == (1, 1))
            put("c.json", 5...6, etag: 3)
            #expect(try lag(at: 2 * interval) == (2, 1), "it rises while nothing is read")
        }
    }

    @Test func aRunThatFollowsReadsWhatMessagesNameAndListsNoMore() async throws {
        try await Fixture.with { lake in
            prepare(&lake)
            // No look comes of itself before the test is over.
            lake.settings.objects.pollInterval = .seconds(3_600)
            put("a.json", 1...2, etag: 1)
            let run = FollowedRun(lake, .all)
            await run.rows(2)
            queue.waitUntilEmpty()
            _ = bucket.takeRequests()
            put("b.json", 3...5, etag: 2)
            await run.rows(3)
            put("b.json", 3...6, etag: 3)
            await run.rows(1)
            queue.waitUntilEmpty()
            #expect(bucket.takeRequests().contains(.list) == false)
            try await run.end()
            queue.close()
            try lake.expectExact(events(1...6))
        }
    }

    @Test func aRunThatFollowsListsWhileTheQueueCannotBeRead() async throws {
        try await Fixture.with { lake in
            prepare(&lake)
            lake.settings.objects.pollInterval = .milliseconds(1)
            let error = StorageError(code: .permissionDenied, operation: "receive messages of", path: "q")
            queue.fail(error)
            let run = FollowedRun(lake, .all)
            let told = await run.next { event in
                if case .unreadable(let errors) = event, !errors.isEmpty { errors } else { nil }
            }
            #expect(told == [error])
            put("a.json", 1...2, etag: 1)
            await run.rows(2)
            try await run.end()
            queue.close()
            try lake.expectExact(events(1...2))
        }
    }
}
