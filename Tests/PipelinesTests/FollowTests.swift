import Foundation
import ObjectStorage
import Pipelines
import Testing

@Suite struct FollowTests {
    private typealias Fixture = PipelineFixture

    @Test func whatIsWrittenArrives() async throws {
        try await Fixture.with { lake in
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            await run.rows(3)
            try lake.append(Fixture.records(4...5))
            await run.rows(2)
            let other = Fixture.records(1...2, session: "6b01.b")
            try lake.append(other, to: "b.csv")
            await run.rows(2)
            let summary = try await run.end()
            #expect(summary.rows == 7)
            #expect(summary.redoneBatches == 0)
            try lake.expectExact(records: Fixture.records(1...5) + other)
        }
    }

    @Test func begunRecordWaitsForItsEnd() async throws {
        try await Fixture.with { lake in
            let record = Fixture.record(2)
            let half = record.index(record.startIndex, offsetBy: 100)
            try lake.append([Fixture.record(1), String(record[..<half])])
            let run = FollowedRun(lake)
            await run.rows(1)
            #expect(await run.caughtUp() == [lake.logPath("a.csv"): 100])
            try lake.append([String(record[half...])])
            await run.rows(1)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...2))
        }
    }

    @Test func followsAFileThatIsRenamedAndItsSuccessor() async throws {
        try await Fixture.with { lake in
            try lake.append(Fixture.records(1...3), to: "live.csv")
            let run = FollowedRun(lake)
            await run.rows(3)
            try lake.append(Fixture.records(4...4), to: "live.csv")
            try FileManager.default.moveItem(
                atPath: lake.logPath("live.csv"),
                toPath: lake.logPath("old.csv")
            )
            let next = Fixture.records(1...2, session: "6b01.b")
            try lake.append(next, to: "live.csv")
            await run.rows(3)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...4) + next)
        }
    }

    /// A lake that was emptied, or another one in its place, is not gone on with under the next number, nor begun anew.
    @Test func aBatchFollowsTheOneBeforeIt() async throws {
        try await Fixture.with { lake in
            let manager = FileManager.default
            let receipt = "\(lake.lakePath)/\(lake.shard.receipt(1))"
            try lake.append(Fixture.records(1...3))
            let run = FollowedRun(lake)
            await run.rows(3)
            try manager.moveItem(atPath: receipt, toPath: "\(lake.root)/receipt")
            try lake.append(Fixture.records(4...5))
            for _ in 1...2 {
                let news = await run.next { event in
                    switch event {
                    case .retrying(let error, _): "\(error)"
                    case .committed: "a batch"
                    default: nil
                    }
                }
                #expect(news?.contains("is not there any more") == true)
                guard news != "a batch" else { return }
            }
            #expect(!manager.fileExists(atPath: "\(lake.lakePath)/\(lake.shard.plan(2))"))
            #expect(!manager.fileExists(atPath: receipt))
            try manager.moveItem(atPath: "\(lake.root)/receipt", toPath: receipt)
            await run.rows(2)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...5))
        }
    }

    @Test func aStopEndsAnIdleRun() async throws {
        try await Fixture.with { lake in
            let run = FollowedRun(lake)
            #expect(await run.caughtUp() == [:])
            let summary = try await run.end()
            #expect(summary.batches == 0)
        }
    }

    @Test func anErrorThatWillNotPassEndsTheRun() async throws {
        try await Fixture.with { lake in
            try lake.append([Fixture.record(1).replacingOccurrences(of: " UTC,", with: " IST,")])
            let run = FollowedRun(lake)
            #expect(await run.committed() == nil)
            let error = await #expect(throws: PipelineError.self) { try await run.end() }
            #expect(error?.code == .timeZone)
        }
    }

    @Test func aFullDiskIsWaitedFor() async throws {
        try await Fixture.with { lake in
            try lake.append(Fixture.records(1...3))
            lake.disk.fail(.noSpace) { _, change in
                if case .link(let path) = change { path.contains("/plans/") } else { false }
            }
            let run = FollowedRun(lake)
            let failure = await run.next { event in
                if case .retrying(let error, _) = event { error as? StorageError } else { nil }
            }
            #expect(failure?.code == .noSpace)
            await run.rows(3)
            try await run.end()
            try lake.expectExact(records: Fixture.records(1...3))
        }
    }
}
