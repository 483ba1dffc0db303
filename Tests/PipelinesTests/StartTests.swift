import Foundation
import Pipelines
import Testing

@Suite struct StartTests {
    private typealias Fixture = PipelineFixture

    @Test func latestLeavesOutWhatIsThere() throws {
        try Fixture.with { lake in
            lake.settings.start = .latest
            try lake.append(Fixture.records(1...5))
            #expect(try lake.run().rows == 0)
            #expect(try lake.plan(1).ranges.map(\.byteCount) == [0])
            try lake.append(Fixture.records(6...7))
            try lake.append(Fixture.records(1...2, session: "6b01.b"), to: "b.csv")
            #expect(try lake.run().rows == 4)
            try lake.expectExact(
                records: Fixture.records(6...7) + Fixture.records(1...2, session: "6b01.b")
            )
        }
    }

    @Test func latestKeepsTheRecordThatHasBegun() throws {
        try Fixture.with { lake in
            lake.settings.start = .latest
            let record = Fixture.record(6)
            let half = record.index(record.startIndex, offsetBy: 150)
            try lake.append(Fixture.records(1...5) + [String(record[..<half])])
            #expect(try lake.run().rows == 0)
            try lake.append([String(record[half...])])
            #expect(try lake.run().rows == 1)
            try lake.expectExact(records: [record])
        }
    }

    @Test func latestFindsTheBorderBehindALongRecord() throws {
        try Fixture.with { lake in
            lake.settings.start = .latest
            let long = Fixture.record(5).replacingOccurrences(
                of: "\nx",
                with: String(repeating: "\nno,\"\"record", count: 400_000)
            )
            try lake.append(Fixture.records(1...4) + [long])
            #expect(try lake.run().rows == 0)
            try lake.append(Fixture.records(6...6))
            try lake.run()
            try lake.expectExact(records: Fixture.records(6...6))
        }
    }

    @Test func latestHoldsForTheFirstRunOnly() throws {
        try Fixture.with { lake in
            lake.settings.start = .latest
            #expect(try lake.run().rows == 0)
            // The run noted where it began though nothing was there.
            #expect(try lake.plan(1).ranges.isEmpty)
            try lake.append(Fixture.records(1...3))
            #expect(try lake.run().rows == 3)
            try lake.expectExact(records: Fixture.records(1...3))
        }
    }

    @Test func filesFromBeforeATimeAreLeftOut() throws {
        try Fixture.with { lake in
            let begin = try #require(
                try Date("2026-11-21T06:22:00Z", strategy: .iso8601).timeIntervalSince1970 as Double?
            )
            lake.settings.start = .time(Int64(begin) * 1_000_000)
            try lake.append(Fixture.records(1...3), to: "old.csv")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: begin - 1)],
                ofItemAtPath: lake.logPath("old.csv")
            )
            try lake.append(Fixture.records(4...5), to: "new.csv")
            try lake.run()
            try lake.expectExact(records: Fixture.records(4...5))
        }
    }
}
