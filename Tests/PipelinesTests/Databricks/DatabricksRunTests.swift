import AuditFormats
import Catalog
import DeltaTables
import Foundation
import Pipelines
import Testing

@Suite struct DatabricksRunTests {
    private typealias Fixture = DatabricksFixture

    @Test func oneRunFeedsEveryLayer() throws {
        try Fixture.with { lake in
            let lines = [
                Fixture.event(1), Fixture.event(2, service: "sql-permissions"), Fixture.event(3, day: 1),
            ]
            try lake.deliver(lines + ["{broken\n"])
            let summary = try lake.run()
            #expect(summary.rows == 3)
            #expect(summary.quarantined == 1)
            try lake.expectExact(lines, quarantined: ["{broken\n"])
            #expect(try lake.goldTables() == ["jobs", "sql_permissions"])
            #expect(try lake.run().batches == 0)
        }
    }

    /// Trap 1: a delivered file is overwritten in place by one with more lines.
    @Test func anOverwrittenFileGivesOnlyItsNewLines() throws {
        try Fixture.with { lake in
            let first = [Fixture.event(1), Fixture.event(2)]
            let more = first + [Fixture.event(3), Fixture.event(4, service: "clusters")]
            try lake.deliver(first)
            try lake.run()
            try lake.deliver(more)
            #expect(try lake.run().rows == 2)
            try lake.expectExact(more)
        }
    }

    @Test func aFileWhoseOldLinesChangedIsReportedOnce() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.event(1), Fixture.event(2)])
            try lake.run()
            try lake.deliver([Fixture.event(9), Fixture.event(2), Fixture.event(3)])
            let summary = try lake.run()
            #expect(summary.remarks == [.prefixChanged(key: "\(lake.root)/drops/a.json")])
            #expect(summary.rows == 0)
            try lake.expectExact([Fixture.event(1), Fixture.event(2)])
            #expect(try lake.run().remarks.isEmpty)
        }
    }

    @Test func aFileWhoseOldLinesChangedIsReadAgainWhenAsked() throws {
        try Fixture.with { lake in
            lake.settings.objects.source.onChange = .reingest
            try lake.deliver([Fixture.event(1), Fixture.event(2)])
            try lake.run()
            try lake.deliver([Fixture.event(9), Fixture.event(2)])
            #expect(try lake.run().rows == 2)
            try lake.expectExact([Fixture.event(1), Fixture.event(2), Fixture.event(9), Fixture.event(2)])
        }
    }

    /// Trap 6: a key that appears later is there without a restart of anything, and old files stay as they are.
    @Test func aNewKeyGrowsItsTableInTheSameCommit() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.event(1)])
            try lake.run()
            let before = try #require(try lake.lake.table(lake.gold("jobs")))
            let files = Set(try before.snapshot().files.keys)
            try lake.deliver(
                [Fixture.event(2, parameters: #"{"job_id":"2","Job_ID":"3","a.b c":"4"}"#)],
                to: "b.json"
            )
            try lake.run()
            let after = try #require(try lake.lake.table(lake.gold("jobs")))
            #expect(after.head.version == before.head.version + 1)
            #expect(files.isSubset(of: Set(try after.snapshot().files.keys)))
            #expect(try lake.parameters("job_id", of: "jobs") == ["1", "2"])
            #expect(try lake.parameters("Job_ID_2", of: "jobs") == ["3"])
            #expect(try lake.parameters("a%2Eb%20c", of: "jobs") == ["4"])
            let schema = try after.head.metadata.schema()
            guard case .structure(let fields) = try #require(schema["requestParams"]).type else {
                Issue.record("requestParams is no structure")
                return
            }
            #expect(fields["Job_ID_2"]?.metadata["auditlake.name"] == .string("Job_ID"))
        }
    }

    @Test func servicesThatDifferInCaseHaveTablesOfTheirOwn() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.event(1, service: "unityCatalog")])
            try lake.run()
            try lake.deliver(
                [Fixture.event(2, service: "UnityCatalog"), Fixture.event(3, service: "a b/c%")],
                to: "b.json"
            )
            try lake.run()
            #expect(try lake.goldTables() == ["UnityCatalog_2", "a_x20b_x2Fc_x25", "unityCatalog"])
            #expect(try lake.texts("requestId", of: lake.gold("UnityCatalog_2")) == ["r-2"])
        }
    }

    @Test func aBatchEndsAtItsSizeAndTheNextGoesOn() throws {
        try Fixture.with { lake in
            let lines = (1...40).map { Fixture.event($0, service: "s\($0 % 3)") }
            for part in 0..<4 {
                try lake.deliver(Array(lines[part * 10..<part * 10 + 10]), to: "\(part).json")
            }
            lake.settings.batchByteCount = UInt64(lines[0].utf8.count * 15)
            #expect(try lake.run().batches > 2)
            try lake.expectExact(lines)
        }
    }

    @Test func filesOfEachDayLieInItsPartition() throws {
        try Fixture.with { lake in
            try lake.deliver((0..<200).map { Fixture.event($0, day: $0) })
            try lake.run()
            let silver = try #require(try lake.lake.table(lake.settings.silver))
            let days = try silver.snapshot().files.values.compactMap { $0.partitionValues["date"] ?? nil }
            #expect(Set(days).count == 200)
            #expect(days.contains("2026-11-01"))
            #expect(days.contains("2027-05-19"))
        }
    }

    /// What was read comes from the snapshot, not from the plans before it.
    @Test func aSmallStateIsStoredEverySixteenBatches() throws {
        try Fixture.with { lake in
            lake.settings.batchByteCount = 1
            let lines = (1...18).map { Fixture.event($0) }
            for (number, line) in lines.enumerated() { try lake.deliver([line], to: "\(number + 10).json") }
            try lake.run()
            #expect(try lake.plan(16).stateSnapshot == 0)
            #expect(try lake.plan(17).stateSnapshot == 16)
            for batch in 1...15 as ClosedRange<UInt64> { try lake.lake.store.remove(lake.shard.plan(batch)) }
            let more = Fixture.event(19)
            try lake.deliver([more], to: "99.json")
            #expect(try lake.run().batches == 1)
            try lake.expectExact(lines + [more])
        }
    }

    @Test
    func checkpointsOfTablesThatGrowTogetherAreSpreadOverBatches() throws {
        try DatabricksFixture.with { fixture in
            fixture.settings.checkpointInterval = 4
            let services = ["jobs", "clusters", "notebook", "accounts"]
            let tables =
                [fixture.settings.bronze, fixture.settings.silver] + services.map { fixture.gold($0) }
            let system = TableName(catalog: "main", schema: "_auditlake", table: "expectations")
            func checkpoints(_ table: TableName) throws -> Int {
                try fixture.lake.store.list("\(table.folder)/_delta_log")
                    .filter { $0.name.hasSuffix(".checkpoint.parquet") }.count
            }
            var counts = [0]
            var systemCounts = [0]
            for batch in 1...12 {
                fixture.now += 1_000_000
                let lines = services.enumerated().map {
                    DatabricksFixture.event(batch * 10 + $0.offset, service: $0.element)
                }
                try fixture.deliver(lines, to: "\(batch).json")
                try fixture.run()
                counts.append(try tables.reduce(0) { try $0 + checkpoints($1) })
                systemCounts.append(try checkpoints(system))
            }
            // Seven tables, one of them without rows: 1 + 7 / 4 in a batch.
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $1 - $0 <= 2 }, "\(counts)")
            // Due from batch 4 on, the system table waits for a batch in which no other has its turn.
            for batch in 1...12 where systemCounts[batch] > systemCounts[batch - 1] {
                #expect(counts[batch] == counts[batch - 1], "\(counts), \(systemCounts)")
            }
            #expect(systemCounts.last == 2)
            for table in tables {
                let delta = try #require(try fixture.lake.table(table))
                #expect(delta.head.version == 12)
                #expect(delta.commitsSinceCheckpoint < 7)
            }
        }
    }
}
