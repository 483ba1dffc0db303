import AuditFormats
import Catalog
import DeltaLog
import DeltaTables
import Foundation
import Intake
import Pipelines
import Synchronization
import Testing

@Suite struct RunTests {
    private typealias Fixture = PipelineFixture

    @Test func secondRunDoesNothing() throws {
        try Fixture.with { lake in
            let records = Fixture.records(1...5)
            try lake.append(records)
            let first = try lake.run()
            #expect(first.rows == 5)
            #expect(first.batches == 1)
            #expect(first.bytes == UInt64(records.joined().utf8.count))
            let second = try lake.run()
            #expect(second.rows == 0)
            #expect(second.batches == 0)
            #expect(second.redoneBatches == 0)
            try lake.expectExact(records: records)
            #expect(try lake.receipt(1).tables.map(\.rows) == [0, 5])
        }
    }

    @Test func appendedRecordsFollowTheOthers() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...3))
            try lake.run()
            try lake.append(Fixture.records(4...5))
            #expect(try lake.run().rows == 2)
            try lake.expectExact(records: Fixture.records(1...5))
            #expect(try lake.names(in: lake.shard.plans).count == 2)
        }
    }

    @Test func begunRecordWaitsForItsEnd() throws {
        try Fixture.with { lake in
            let record = Fixture.record(2)
            let half = record.index(record.startIndex, offsetBy: 100)
            try lake.append([Fixture.record(1), String(record[..<half])])
            let summary = try lake.run()
            #expect(summary.rows == 1)
            #expect(summary.pending == [lake.logPath("a.csv"): 100])
            #expect(try lake.run().batches == 0)
            try lake.append([String(record[half...])])
            #expect(try lake.run().pending.isEmpty)
            try lake.expectExact(records: Fixture.records(1...2))
        }
    }

    @Test func everyFileIsRead() throws {
        try Fixture.with { lake in
            var records: [String] = []
            for name in ["a", "b", "c"] {
                let own = Fixture.records(1...3, session: "6b01.\(name)")
                records += own
                try lake.append(own, to: "\(name).csv")
            }
            #expect(try lake.run().batches == 1)
            let more = Fixture.records(4...4, session: "6b01.b")
            try lake.append(more, to: "b.csv")
            let new = Fixture.records(1...1, session: "6b01.d")
            try lake.append(new, to: "d.csv")
            #expect(try lake.run().rows == 2)
            try lake.expectExact(records: records + more + new)
        }
    }

    @Test func fileThatWasRenamedIsNotReadAgain() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...3))
            try lake.run()
            try FileManager.default.moveItem(atPath: lake.logPath("a.csv"), toPath: lake.logPath("old.csv"))
            try lake.append(Fixture.records(4...4), to: "old.csv")
            try lake.append(Fixture.records(5...5), to: "a.csv")
            #expect(try lake.run().rows == 2)
            try lake.expectExact(records: Fixture.records(1...5))
        }
    }

    @Test(arguments: [1, 100, 260, 600, 1_000, 1_500, 2_500, 100_000] as [UInt64])
    func batchBordersChangeNoRow(_ byteCount: UInt64) throws {
        try Fixture.with { lake in
            let first = Fixture.records(1...4)
            let second = Fixture.records(1...5, session: "6b01.b")
            try lake.append(Array(first[..<2]) + ["torn record\n"] + first[2...], to: "a.csv")
            try lake.append(second, to: "b.csv")
            lake.settings.batchByteCount = byteCount
            let summary = try lake.run()
            #expect(summary.rows == 9)
            #expect(try lake.raws() == (first + second).map { String($0.dropLast()) }.sorted())
            // A border may lie in the damage: its pieces together are what was torn.
            #expect(try lake.raws(of: lake.settings.quarantine).joined().count == "torn record\n".count)
            #expect(summary.batches == (try lake.names(in: lake.shard.receipts).count))
            #expect(byteCount > 600 || summary.batches > 4)
            #expect(try lake.run().batches == 0)
        }
    }

    @Test func rowsOfABatchBearTheTimeOfItsPlan() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...1))
            let commit = "\(lake.lakePath)/\(Fixture.table.folder)/_delta_log/00000000000000000001.json"
            try lake.runUntil { $0 == .link(commit) }
            let planned = lake.now
            try lake.append(Fixture.records(2...2))
            lake.now += 5_000_000
            try lake.run()
            #expect(try lake.values("ingest_ts") { $0.int64($1) }.sorted() == [planned, lake.now])
            lake.now -= 60_000_000
            try lake.append(Fixture.records(3...3))
            try lake.run()
            #expect(
                try lake.plan(3).plannedAt == planned + 5_000_000,
                "a clock that went back moves no batch back"
            )
        }
    }

    @Test func cancelledRunStopsBetweenBatchesAndGoesOnLater() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...6))
            lake.settings.batchByteCount = 1
            let asked = Mutex(0)
            let observer = PipelineObserver(isCancelled: {
                asked.withLock { count in
                    count += 1
                    return count > 3
                }
            })
            let error = #expect(throws: PipelineError.self) { try lake.run(observer: observer) }
            #expect(error?.code == .cancelled)
            try lake.expectExact(records: Fixture.records(1...3))
            #expect(try lake.run().batches == 3)
            try lake.expectExact(records: Fixture.records(1...6))
        }
    }

    @Test func timeZoneThatIsNotKnownEndsTheRunBeforeAnyRow() throws {
        try Fixture.with { lake in
            let bad = Fixture.record(2).split(separator: "UTC", maxSplits: 1).joined(separator: "CST")
            try lake.append([Fixture.record(1), bad])
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .timeZone)
            let offset = Fixture.record(1).utf8.count
            #expect(error?.message.contains("a.csv, byte \(offset)") == true)
            #expect(try lake.raws().isEmpty)
            #expect(try lake.names(in: "\(Fixture.table.folder)").filter { $0.hasSuffix("parquet") }.isEmpty)
            lake.settings.decoding.zone = LogTimeZone(transitions: [
                .init(instant: 0, offset: -21_600, abbreviation: "CST")
            ])
            try lake.run()
            try lake.expectExact(records: [Fixture.record(1), bad])
        }
    }

    @Test(arguments: [false, true])
    func tableOfOtherColumnsIsRefused(_ isClaimed: Bool) throws {
        try Fixture.with { lake in
            if isClaimed { try lake.lake.claim(Fixture.table) }
            let metadata = TableMetadata(
                id: "other",
                schema: TableSchema([SchemaField("id", .long)]),
                createdTime: 1
            )
            _ = try DeltaTable.create(
                store: lake.lake.store,
                folder: Fixture.table.folder,
                metadata: metadata,
                now: 1
            )
            try lake.append(Fixture.records(1...1))
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .tableMismatch)
            #expect(try lake.lake.table(Fixture.table)?.head.version == 0)
        }
    }

    @Test func twoRunsAtOnceBringEveryRecordOnce() throws {
        for _ in 0..<4 {
            try Fixture.with { lake in
                let records = Fixture.records(1...12)
                try lake.append(records)
                lake.settings.batchByteCount = 1
                lake.settings.checkpointInterval = 2
                lake.settings.liveFileLimit = 3
                let (settings, store, now) = (lake.settings, lake.lake, lake.now)
                let errors = Mutex<[String]>([])
                let threads = (0..<2).map { _ in
                    WorkerThread.start(stackByteCount: 1 << 20) {
                        do {
                            _ = try PipelineSettings.postgres(settings).runOnce(lake: store, clock: { now })
                        } catch {
                            errors.withLock { $0.append("\(error)") }
                        }
                    }
                }
                for thread in threads { thread.join() }
                #expect(errors.withLock { $0 } == [])
                try lake.expectExact(records: records)
            }
        }
    }
}

@Suite struct UTCDayTests {
    @Test(
        arguments: [
            (0, "1970-01-01"), (-1, "1969-12-31"), (1_795_242_120_545_000, "2026-11-21"),
            (1_709_251_199_999_999, "2024-02-29"), (1_709_251_200_000_000, "2024-03-01"),
            (-2_203_891_200_000_000, "1900-03-01"), (-62_135_596_800_000_000, "0001-01-01"),
        ] as [(Int64, String)]
    )
    func dayOfAnInstantIsThatOfUTC(_ microseconds: Int64, _ day: String) {
        #expect(UTCDay.text(microseconds: microseconds) == day)
    }
}
