import BatchProtocol
import Catalog
import FoundationEssentials
import ObjectStorage
import ParquetFiles

/// Finds batches of a pipeline by what they hold; writes nothing.
package struct BatchSearch {
    private let shard: ShardStore
    /// What the shard knows after its newest receipt.
    package let state: ShardState
    /// The newest batch with a receipt; 0 for none.
    package let lastBatch: UInt64
    /// The plan that has no receipt yet.
    package let openPlan: BatchPlan?

    /// Opens a pipeline's shard; nil when there is no lake.
    ///
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `Lake.LakeError`.
    package init?(pipeline: String, lake: Lake) throws {
        guard try lake.openForReading() else { return nil }
        shard = ShardStore(store: lake.store, path: ShardPath(pipeline: pipeline, shard: 0))
        let opening = try shard.open(isReading: true)
        state = opening.state
        lastBatch = opening.receipt?.batch ?? 0
        openPlan = opening.plan.flatMap { [lastBatch] in $0.batch > lastBatch ? $0 : nil }
    }

    /// The batches that were planned at an instant: mostly one.
    ///
    /// - Parameter instant: Column `ingest_ts`, in microseconds since 1970-01-01 UTC.
    /// - Returns: Their plans, ascending, that of the open batch among them.
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `ParquetError`.
    /// - Complexity: O(log batches) plans, since plans are ordered by their time.
    package func batches(plannedAt instant: Int64) throws -> [BatchPlan] {
        let newest = openPlan?.batch ?? lastBatch
        guard newest > 0 else { return [] }
        var low: UInt64 = 1
        var high = newest + 1
        while low < high {
            let middle = low + (high - low) / 2
            if try required(middle).plannedAt < instant { low = middle + 1 } else { high = middle }
        }
        var found: [BatchPlan] = []
        while low <= newest {
            let plan = try required(low)
            guard plan.plannedAt == instant else { break }
            found.append(plan)
            low += 1
        }
        return found
    }

    /// The batch whose plan has a byte of a file, with or without receipt.
    ///
    /// - Parameters:
    ///   - byte: Offset in the file.
    ///   - fileID: The file's id in the shard's state.
    /// - Returns: nil for a byte that no batch has.
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `ParquetError`.
    /// - Complexity: O(log batches) state snapshots and 64 plans; O(plans) where neither is left.
    package func batch(
        holding byte: UInt64,
        of fileID: String
    ) throws -> (plan: BatchPlan, range: SourceRange)? {
        if let openPlan, let range = openPlan.range(holding: byte, of: fileID) { return (openPlan, range) }
        var batch = try newestCandidate(for: byte, of: fileID)
        while batch > 0 {
            let plan = try required(batch)
            if let range = plan.range(holding: byte, of: fileID) { return (plan, range) }
            batch -= 1
        }
        return nil
    }

    /// The oldest snapshot at which the byte had been read, or the newest batch.
    private func newestCandidate(for byte: UInt64, of fileID: String) throws -> UInt64 {
        var low: UInt64 = 1
        var high = lastBatch / ShardPath.stateInterval + 1
        while low < high {
            let middle = low + (high - low) / 2
            // A file that is forgotten, or not yet known, says nothing of the byte: look among later batches.
            let snapshot = try shard.state(middle * ShardPath.stateInterval)
            let offset = snapshot?.files.first { $0.id == fileID }?.offset ?? 0
            if offset > byte { high = middle } else { low = middle + 1 }
        }
        return min(low * ShardPath.stateInterval, lastBatch)
    }

    private func required(_ batch: UInt64) throws -> BatchPlan {
        if let plan = try shard.plan(batch) ?? shard.compactedPlan(batch) { return plan }
        throw ShardError(code: .brokenSequence, batch: batch, detail: "its plan is missing")
    }
}

extension BatchPlan {
    /// The range that has a byte of a file.
    func range(holding byte: UInt64, of fileID: String) -> SourceRange? {
        ranges.first { $0.file.id == fileID && $0.from <= byte && byte < $0.file.offset }
    }
}

extension ShardStore {
    /// The state after a batch, where a snapshot of it was stored and is still there.
    func state(_ batch: UInt64) throws -> ShardState? { try read(ShardState.self, path.state(batch)) }

    /// A plan that was compacted into its segment's Parquet file.
    func compactedPlan(_ batch: UInt64) throws -> BatchPlan? {
        let key = path.compacted(segmentEnd(batch))
        guard try store.exists(key) else { return nil }
        let reader = try store.parquetReader(key, fields: ["batch", "plan"])
        for group in 0..<reader.rowGroupCount {
            let text = try reader.withRowGroup(group) { rows -> String? in
                guard let numbers = rows.field("batch"), let plans = rows.field("plan") else { return nil }
                let index = (0..<rows.count).first { numbers.int64($0) == Int64(batch) }
                return index.flatMap { plans.string($0) }
            }
            if let text { return try JSONDecoder().decode(BatchPlan.self, from: Data(text.utf8)) }
        }
        return nil
    }
}
