import BatchProtocol

/// Counts what gold lacks, again and again at the cost of the batches that came since.
struct GoldLag {
    /// Rows for gold of batches that gold may lack, by batch; batches without such rows have 0.
    private var rows: [UInt64: Int] = [:]

    /// Looks at the newest receipt.
    ///
    /// - Throws: `StorageError`, `PipelineError`.
    mutating func backlog(after receipt: BatchReceipt?, in shard: ShardStore) throws -> GoldBacklog {
        guard let receipt, let first = receipt.deferredFrom else {
            rows = [:]
            return GoldBacklog(batches: 0, rows: 0)
        }
        let next = max(first, try shard.deferredHint() + 1)
        rows = rows.filter { $0.key >= next }
        var batch = next
        while batch <= receipt.batch {
            if rows[batch] == nil { rows[batch] = try shard.plan(batch)?.deferrableRowCount ?? 0 }
            batch += 1
        }
        return GoldBacklog(
            batches: rows.values.count { $0 > 0 },
            rows: rows.values.reduce(0, +)
        )
    }
}

extension BatchPlan {
    /// Rows of tables that may get them after the batch's receipt.
    fileprivate var deferrableRowCount: Int {
        tables.reduce(0) { $0 + ($1.isDeferrable == true ? $1.rows : 0) }
    }
}
