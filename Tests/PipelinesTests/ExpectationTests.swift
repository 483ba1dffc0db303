import BatchProtocol
import Catalog
import Testing

/// Rules that records broke, in plans, and the table that is made from them.
@Suite struct ExpectationTests {
    private typealias Fixture = PipelineFixture

    private static let table = TableName(catalog: "main", schema: "_auditlake", table: "expectations")

    private static func samples(_ lake: PipelineFixture) throws -> [String] {
        try lake.values("sample", of: table) { $0.string($1) }.sorted()
    }

    @Test func aGapStandsInThePlanAndInTheTable() throws {
        try Fixture.with { lake in
            try lake.append([Fixture.record(1), Fixture.record(4)])
            try lake.run()
            #expect(try lake.plan(1).expectations?.map(\.failed) == [2])
            #expect(try Self.samples(lake) == ["session 6b013888.7c2: lines 2-3"])
            try lake.run()
            try lake.append([Fixture.record(5), Fixture.record(7)])
            try lake.run()
            #expect(
                try Self.samples(lake) == ["session 6b013888.7c2: line 6", "session 6b013888.7c2: lines 2-3"]
            )
        }
    }

    @Test func soundRecordsMakeNoTable() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...3))
            try lake.run()
            #expect(try lake.plan(1).expectations == nil)
            #expect(try lake.lake.table(Self.table) == nil)
        }
    }

    @Test func theStateGoesFromBatchToBatch() throws {
        try Fixture.with { lake in
            for number in [1, 2] {
                try lake.append([Fixture.record(number)])
                try lake.run()
            }
            try lake.append([Fixture.record(4)])
            try lake.run()
            #expect(try lake.plan(3).expectations?.first?.samples == ["session 6b013888.7c2: line 3"])
            #expect(try lake.plan(3).stateChanges?.map(\.key) == ["s/6b013888.7c2"])
        }
    }

    /// Ends a run at each of its changes to the disk; the next has to bring each row once.
    @Test func runsThatEndAnywhereBringEachRowOnce() throws {
        let records = [1, 3, 5, 7].map { Fixture.record($0) }
        let expected = [2, 4, 6].map { "session 6b013888.7c2: line \($0)" }
        func prepare(_ lake: inout Fixture) throws {
            lake.settings.batchByteCount = UInt64(records[0].utf8.count * 2)
            try lake.append(records)
        }
        let changes: [Int] = try Fixture.with { lake in
            try prepare(&lake)
            try lake.run()
            #expect(
                try Self.samples(lake).joined(separator: "\n").split(separator: "\n").map(String.init)
                    == expected
            )
            let changes = lake.disk.changes
            // Of the writes to one file only the last counts: nobody sees a file before it has its name.
            return changes.indices.filter { number in
                if case .write = changes[number] { return changes[number] != changes[number + 1] }
                return true
            }
        }
        for number in changes {
            try Fixture.with { lake in
                try prepare(&lake)
                lake.disk.fail(.death) { count, _ in count == number }
                do { try lake.run() } catch {}
                lake.disk.revive()
                try lake.run()
                let found = try Self.samples(lake).joined(separator: "\n").split(separator: "\n").map(
                    String.init
                )
                #expect(found.sorted() == expected, "change \(number)")
            }
        }
    }
}
