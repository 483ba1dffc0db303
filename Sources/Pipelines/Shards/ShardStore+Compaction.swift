import BatchProtocol
import Columnar
import DeltaTables
import ObjectStorage
import ParquetFiles

extension ShardStore {
    /// Batches whose plans and receipts become one Parquet file.
    static let segmentLength: UInt64 = 1_000
    /// How long plans and receipts stay objects of their own, in microseconds: seven days.
    static let objectRetention: Int64 = 7 * 86_400_000_000

    private static let columns = [
        ColumnField("batch", .int64, isNullable: false),
        ColumnField("plan", .string, isNullable: false),
        ColumnField("receipt", .string, isNullable: false),
    ]

    /// The last batch of the segment that a batch belongs to; segments begin at 1.
    func segmentEnd(_ batch: UInt64) -> UInt64 {
        (batch + Self.segmentLength - 1) / Self.segmentLength * Self.segmentLength
    }

    /// Whether a batch lies in a compacted segment: a worker that stored a plan under its number came a week late.
    func isCompacted(_ batch: UInt64) throws -> Bool {
        try store.exists(path.compacted(segmentEnd(batch)))
    }

    /// Takes back a plan that was stored under a compacted number; nothing was committed for it.
    func withdraw(_ plan: BatchPlan) throws { try store.remove(path.plan(plan.batch)) }

    /// Turns old plans and receipts into one Parquet file a thousand batches.
    ///
    /// The last thousand and those of the last seven days stay, and so do those that tables which were left for later
    /// have not got yet. Costs nothing but at every thousandth batch. A process
    /// that is killed in it leaves objects that the next call removes.
    ///
    /// - Parameters:
    ///   - newest: The newest batch with a receipt.
    ///   - now: Microseconds since 1970-01-01 UTC.
    /// - Throws: `StorageError`, `ParquetError`, `PipelineError`.
    func compact(newest: UInt64, now: Int64) throws {
        guard newest % Self.segmentLength == 0, newest >= 2 * Self.segmentLength else { return }
        let needed = try firstNeeded(after: newest)
        var end = newest - Self.segmentLength
        while end > 0 {
            // Older segments were removed before newer ones: the first that is gone ends the search.
            guard try store.exists(path.plan(end - Self.segmentLength + 1)) else { return }
            if try end < needed && isDue(segmentEndingAt: end, now: now) {
                try compact(segmentEndingAt: end)
            }
            end -= Self.segmentLength
        }
    }

    /// The first batch whose plan is still to be carried out for some table.
    private func firstNeeded(after newest: UInt64) throws -> UInt64 {
        guard let first = try read(BatchReceipt.self, path.receipt(newest))?.deferredFrom else { return .max }
        return max(first, try deferredHint() + 1)
    }

    /// Whether a segment is old enough, or its file was written by a process that was killed before it was done.
    private func isDue(segmentEndingAt end: UInt64, now: Int64) throws -> Bool {
        if try store.exists(path.compacted(end)) { return true }
        return try plan(end).map { $0.plannedAt < now - Self.objectRetention } ?? false
    }

    private func compact(segmentEndingAt end: UInt64) throws {
        let batches = (end - Self.segmentLength + 1)...end
        if try !store.exists(path.compacted(end)) { try writeSegment(batches, to: path.compacted(end)) }
        for batch in batches.reversed() {
            try store.remove(path.receipt(batch))
            try store.remove(path.state(batch))
            try store.remove(path.plan(batch))
        }
    }

    private func writeSegment(_ batches: ClosedRange<UInt64>, to key: String) throws {
        var plans: [CellValue] = []
        var receipts: [CellValue] = []
        for batch in batches {
            plans.append(.string(try text(path.plan(batch))))
            receipts.append(.string(try text(path.receipt(batch))))
        }
        let numbers = batches.map { CellValue.int64(Int64($0)) }
        let columns = zip(Self.columns, [numbers, plans, receipts]).map { Column($0.type, values: $1) }
        let rows = RecordBatch(schema: Self.columns, columns: columns, rowCount: batches.count)
        let writer = try store.publisher(key)
        do {
            let sink = StoreSink(writer)
            try sink.surfacing {
                let parquet = try ParquetWriter(schema: Self.columns, storage: [], sink: sink)
                try parquet.write(rows)
                try parquet.finish()
            }
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
    }

    private func text(_ key: String) throws -> String {
        guard let bytes = try store.read(key) else {
            throw PipelineError(
                code: .damagedState,
                message: "\(store.path(key)) is missing",
                mend: "restore it from a backup"
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
