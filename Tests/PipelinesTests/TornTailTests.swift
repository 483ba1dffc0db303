import Foundation
import Pipelines
import Testing

@Suite struct TornTailTests {
    private typealias Fixture = PipelineFixture

    private static let torn = {
        let record = Fixture.record(3)
        return String(record[..<record.index(record.startIndex, offsetBy: 170)])
    }()

    /// Sets the time of a log's last change, in seconds since 1970-01-01 UTC.
    private func touch(_ lake: Fixture, _ name: String, at seconds: Double) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: seconds)],
            ofItemAtPath: lake.logPath(name)
        )
    }

    @Test func tornTailOfAFileWithASuccessorIsQuarantined() throws {
        try Fixture.with { lake in
            let next = Fixture.records(1...2, session: "6b01.b")
            try lake.append(Fixture.records(1...2) + [Self.torn], to: "a.csv")
            try lake.append(next, to: "b.csv")
            try touch(lake, "a.csv", at: 1_000)
            try touch(lake, "b.csv", at: 2_000)
            let summary = try lake.run()
            #expect(summary.pending.isEmpty)
            #expect(try lake.run().batches == 0)
            try lake.expectExact(records: Fixture.records(1...2) + next, faults: [Self.torn])
        }
    }

    @Test func tornTailOfTheNewestFileStaysPending() throws {
        try Fixture.with { lake in
            let next = Fixture.records(1...2, session: "6b01.b")
            try lake.append(next, to: "b.csv")
            try lake.append(Fixture.records(1...2) + [Self.torn], to: "a.csv")
            try touch(lake, "b.csv", at: 1_000)
            try touch(lake, "a.csv", at: 2_000)
            #expect(try lake.run().pending == [lake.logPath("a.csv"): UInt64(Self.torn.utf8.count)])
            try lake.expectExact(records: Fixture.records(1...2) + next)
            // Its successor comes: nothing will end the record now.
            try lake.append(Fixture.records(3...3, session: "6b01.b"), to: "c.csv")
            #expect(try lake.run().pending.isEmpty)
            try lake.expectExact(
                records: Fixture.records(1...2) + Fixture.records(1...3, session: "6b01.b"),
                faults: [Self.torn]
            )
        }
    }

    @Test func redoOfABatchWithATornTailGivesTheSame() throws {
        try Fixture.with { lake in
            let next = Fixture.records(1...2, session: "6b01.b")
            try lake.append(Fixture.records(1...2) + [Self.torn], to: "a.csv")
            try lake.append(next, to: "b.csv")
            try touch(lake, "a.csv", at: 1_000)
            try touch(lake, "b.csv", at: 2_000)
            try lake.runUntil { change in
                if case .link(let path) = change {
                    path.contains("/_delta_log/00000000000000000001")
                } else {
                    false
                }
            }
            #expect(try lake.run().redoneBatches == 1)
            try lake.expectExact(records: Fixture.records(1...2) + next, faults: [Self.torn])
        }
    }

    @Test func aFollowedFileThatIsReplacedLeavesItsTornTail() async throws {
        try await Fixture.with { lake in
            try lake.append(Fixture.records(1...2) + [Self.torn], to: "a.csv")
            let run = FollowedRun(lake)
            await run.rows(2)
            try FileManager.default.moveItem(atPath: lake.logPath("a.csv"), toPath: lake.logPath("a.1.csv"))
            let next = Fixture.records(1...1, session: "6b01.b")
            try lake.append(next, to: "a.csv")
            try lake.append(Fixture.records(2...2, session: "6b01.b"), to: "a.csv")
            await run.rows(2, quarantined: 1)
            try await run.end()
            try lake.expectExact(
                records: Fixture.records(1...2) + Fixture.records(1...2, session: "6b01.b"),
                faults: [Self.torn]
            )
        }
    }
}
