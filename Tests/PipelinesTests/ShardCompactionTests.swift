import BatchProtocol
import Foundation
import ObjectStorage
import ParquetFiles
import Testing

@testable import Pipelines

/// Old plans and receipts become one Parquet file a thousand batches.
@Suite final class ShardCompactionTests {
    private let root = FileManager.default.temporaryDirectory
        .appendingPathComponent("compaction-\(RandomName.make())").path
    private let disk: VolatileDisk
    private let shard: ShardStore
    private let week: Int64 = 7 * 86_400_000_000

    init() throws {
        try FileManager.default.createDirectory(atPath: "\(root)/grave", withIntermediateDirectories: true)
        disk = VolatileDisk(graveyard: "\(root)/grave")
        shard = ShardStore(
            store: LocalStore(root: "\(root)/lake", fileSystem: disk),
            path: ShardPath(pipeline: "pg", shard: 0)
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func plan(_ batch: UInt64) -> BatchPlan {
        BatchPlan(
            pipeline: "pg",
            appID: "id",
            batch: batch,
            plannedAt: Int64(batch),
            parserVersion: 1,
            stateSnapshot: (batch - 1) / ShardPath.stateInterval * ShardPath.stateInterval,
            ranges: [],
            tables: []
        )
    }

    private func receipt(_ batch: UInt64) -> BatchReceipt {
        BatchReceipt(batch: batch, parserVersion: 1, tables: [], bytes: batch, gaps: [])
    }

    private func fill(_ batches: ClosedRange<UInt64>) throws {
        for batch in batches {
            _ = try shard.put(plan(batch))
            _ = try shard.put(receipt(batch))
            if batch % ShardPath.stateInterval == 0 { try shard.put(ShardState(), after: batch) }
        }
    }

    private func names(_ folder: String) throws -> [String] {
        try shard.store.list(folder).map(\.name).sorted()
    }

    private func rows(_ key: String) throws -> [(batch: Int64?, plan: String?, receipt: String?)] {
        let reader = try ParquetReader(path: shard.store.path(key))
        return try (0..<reader.rowGroupCount).flatMap { group in
            try reader.withRowGroup(group) { view in
                (0..<view.count).map { index in
                    (
                        view.field("batch")?.int64(index), view.field("plan")?.string(index),
                        view.field("receipt")?.string(index)
                    )
                }
            }
        }
    }

    private func text(_ key: String) throws -> String? {
        try shard.store.read(key).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "a segment older than a week becomes one file that holds its plans and receipts; the last thousand stay"
    )
    func oldSegment() throws {
        try fill(1...2_000)
        let plans = try (1...1_000).map { try text(shard.path.plan($0)) }
        let receipts = try (1...1_000).map { try text(shard.path.receipt($0)) }
        try shard.compact(newest: 2_000, now: 1_000 + week + 1)
        #expect(try names(shard.path.plans).count == 1_000)
        #expect(try names(shard.path.receipts).count == 1_000)
        #expect(try shard.plan(1_000) == nil)
        #expect(try shard.plan(1_001) == plan(1_001))
        let rows = try rows(shard.path.compacted(1_000))
        #expect(rows.map(\.batch) == (1...1_000).map { Int64($0) })
        #expect(rows.map(\.plan) == plans)
        #expect(rows.map(\.receipt) == receipts)
        #expect(try shard.isCompacted(1_000))
        #expect(try shard.isCompacted(1))
        #expect(try !shard.isCompacted(1_001))
        #expect(try shard.open().receipt == receipt(2_000))
    }

    @Test(
        "nothing is compacted within the week, within the last thousand, or at any other batch",
        arguments: [(2_000, 1_000 + 7 * 86_400_000_000), (1_999, .max / 2), (1_000, .max / 2)]
            as [(UInt64, Int64)]
    )
    func tooEarly(_ newest: UInt64, _ now: Int64) throws {
        try fill(1...newest)
        let before = disk.changes.count
        try shard.compact(newest: newest, now: now)
        #expect(disk.changes.count == before)
    }

    @Test("plans of batches that were left for gold stay until it has them")
    func deferredBatches() throws {
        try fill(1...1_999)
        _ = try shard.put(plan(2_000))
        var last = receipt(2_000)
        last.deferredFrom = 700
        _ = try shard.put(last)
        try shard.hintDeferred(999)
        try shard.compact(newest: 2_000, now: .max / 2)
        #expect(try names(shard.path.plans).count == 2_000)
        try shard.hintDeferred(1_000)
        try shard.compact(newest: 2_000, now: .max / 2)
        #expect(try names(shard.path.plans).count == 1_000)
    }

    @Test("a compaction that was killed while it removed objects is finished by the next one")
    func killedWhileRemoving() throws {
        try fill(1...2_000)
        let last = shard.store.path(shard.path.plan(500))
        disk.fail(.death) { _, change in change == .remove(last) }
        #expect(throws: (any Error).self) { try shard.compact(newest: 2_000, now: .max / 2) }
        disk.revive()
        try fill(2_001...3_000)
        try shard.compact(newest: 3_000, now: .max / 2)
        #expect(try names(shard.path.plans).count == 1_000)
        #expect(try names("\(shard.path.folder)/compacted").count == 2)
        #expect(try rows(shard.path.compacted(1_000)).count == 1_000)
        #expect(try rows(shard.path.compacted(2_000)).count == 1_000)
    }
}
