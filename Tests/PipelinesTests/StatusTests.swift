import AuditFormats
import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

@testable import Pipelines

@Suite struct StatusTests {
    private static let minute: Int64 = 60_000_000

    private func look(_ fixture: PipelineFixture, after microseconds: Int64 = 0) throws -> PipelineStatus {
        try PipelineLooks(.postgres(fixture.settings)).look(fixture.lake, now: fixture.now + microseconds)
    }

    @Test func aPipelineThatNeverRanHasOnlyLagAndNoLakeIsMade() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(PipelineFixture.records(1...3))
            let status = try look(fixture)
            let size = UInt64(PipelineFixture.records(1...3).joined().utf8.count)
            #expect(status.lastBatch == 0 && status.lastBatchAt == nil && status.openBatch == nil)
            #expect(status.files.map(\.offset) == [0] && status.backlog.lagBytes == size)
            #expect(!FileManager.default.fileExists(atPath: fixture.lakePath))
        }
    }

    @Test func lagPendingBytesAndRateFollowTheFiles() throws {
        try PipelineFixture.with { fixture in
            // The records were written at 2026-11-21 06:22:00.545 UTC.
            fixture.now = 1_795_242_120_545_000
            try fixture.append(PipelineFixture.records(1...6))
            try fixture.run()
            let read = UInt64(PipelineFixture.records(1...6).joined().utf8.count)
            let next = PipelineFixture.record(7)
            try fixture.append([next, String(PipelineFixture.record(8).prefix(30))])
            let status = try look(fixture, after: 30_000_000)
            #expect(status.lastBatch == 1 && status.lastBatchAt == fixture.now && status.lastBatchRows == 6)
            #expect(status.rowsPerSecond == 0.1)
            let file = try #require(status.files.first)
            #expect(
                file.offset == read && file.lagBytes == UInt64(next.utf8.count) && file.pendingBytes == 30
            )
            #expect(file.lagSeconds == 30)
            #expect(try look(fixture, after: Self.minute + 1).rowsPerSecond == 0)
        }
    }

    @Test func aFileThatIsReadWholeHasNoLag() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(PipelineFixture.records(1...2))
            try fixture.run()
            let status = try look(fixture)
            #expect(status.backlog == PipelineBacklog(lagBytes: 0, lagSeconds: 0, pendingBytes: 0))
            #expect(status.files.map(\.format) == ["csvlog"])
        }
    }

    @Test func aBatchThatWasLeftOpenIsNamed() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(PipelineFixture.records(1...2))
            try fixture.runUntil { change in
                if case .link(let path) = change { path.contains("/receipts/") } else { false }
            }
            let status = try look(fixture)
            #expect(status.openBatch == 1 && status.lastBatch == 0)
        }
    }

    @Test func lookingChangesNothingOnDisk() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(PipelineFixture.records(1...2))
            try fixture.run()
            try fixture.append([PipelineFixture.record(3)])
            fixture.disk.fail(.death) { _, _ in true }
            #expect(try look(fixture).lastBatch == 1)
        }
    }

    @Test func quarantinedRowsOfTheLastBatchesAreCounted() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(["damage\n", PipelineFixture.record(1)])
            try fixture.run()
            let status = try look(fixture)
            #expect(status.quarantinedRows == 1 && status.quarantineBatches == 1)
        }
    }

    @Test func aFailureIsNotedUntilItIsTakenBack() throws {
        try PipelineFixture.with { fixture in
            let note = FailureNote(message: "no space", at: 5)
            FailureNote.put(note, pipeline: "pg", in: fixture.lake.store)
            #expect(try look(fixture).lastError == nil, "nothing is written where there is no lake")
            #expect(!FileManager.default.fileExists(atPath: fixture.lakePath))
            try fixture.append([PipelineFixture.record(1)])
            try fixture.run()
            FailureNote.put(note, pipeline: "pg", in: fixture.lake.store)
            #expect(try look(fixture).lastError == note)
            FailureNote.put(nil, pipeline: "pg", in: fixture.lake.store)
            #expect(try look(fixture).lastError == nil)
        }
    }

    @Test(
        arguments: [
            ("2026-11-21 06:22:00.545 UTC,\"a\"", 1_795_242_120_545_000),
            ("{\"timestamp\":\"2026-11-21 06:22:00.545 UTC\",", 1_795_242_120_545_000),
            ("2026-11-21 06:22:00.545 +01,", 1_795_238_520_545_000), ("2026-11-21 06:22:00.545 CST,", nil),
            ("2026-11-21 06:22:0", nil), ("2026-13-21 06:22:00.545 UTC,", nil),
            ("no record at all, but long enough", nil),
            ("", nil),
        ] as [(String, Int64?)]
    )
    func theFirstBytesOfARecordTellItsTime(text: String, expected: Int64?) {
        #expect(RecordTime.read(Array(text.utf8)[...], zone: LogTimeZone()) == expected)
    }
}
