import BatchProtocol
import Catalog
import Intake
import ObjectStorage

/// How far a pipeline has come, as its lake and its files show it.
package struct PipelineStatus: Codable, Hashable, Sendable {
    /// Batches that are counted for `quarantinedRows`.
    package static let recentBatchCount = 20
    /// What `rowsPerSecond` is taken over, in seconds.
    package static let rateSeconds: Int64 = 60

    /// The pipeline.
    package var pipeline: String
    /// The table that it fills.
    package var table: String
    /// Its files, oldest first.
    package var files: [SourceFileStatus]
    /// Files that were read and match no more, or are gone.
    package var vanishedFiles: Int
    /// Files that have other lines than those that were read, and are not read again.
    package var leftAlone: LeftAloneObjects
    /// The newest batch with a receipt; 0 for none.
    package var lastBatch: UInt64
    /// When that was planned, in microseconds since 1970-01-01 UTC.
    package var lastBatchAt: Int64?
    /// Its rows.
    package var lastBatchRows: Int
    /// A batch that is planned and has no receipt yet.
    package var openBatch: UInt64?
    /// Rows of the last minute's batches, a second.
    package var rowsPerSecond: Double
    /// Rows that the last batches have put into the quarantine.
    package var quarantinedRows: Int
    /// How many batches those are.
    package var quarantineBatches: Int
    /// What gold has not got yet; nil for a pipeline without gold.
    package var gold: GoldBacklog?
    /// What the last run failed with; nil when it is well.
    package var lastError: FailureNote?
    /// What is kept because the lake is, or was, down; nil for nothing.
    package var spool: SpoolStatus?

    /// What lies unread in all files together, and what gold lacks.
    package var backlog: PipelineBacklog {
        PipelineBacklog(
            lagBytes: files.reduce(0) { $0 + $1.lagBytes },
            lagSeconds: files.contains { $0.lagBytes > 0 } ? files.compactMap(\.lagSeconds).max() : 0,
            pendingBytes: files.reduce(0) { $0 + $1.pendingBytes },
            gold: gold
        )
    }
}

/// The plans of the newest batches, newest first.
struct RecentBatches {
    var plans: [BatchPlan]

    init(_ plans: [BatchPlan]) { self.plans = plans }

    /// Rows that the newest `batches` plans have for a table.
    func rows(of table: String, batches: Int) -> Int {
        plans.prefix(batches).reduce(0) { $0 + $1.rows(of: table) }
    }

    /// Rows a second over the last minute.
    func rowsPerSecond(of table: String, now: Int64) -> Double {
        let start = now - PipelineStatus.rateSeconds * 1_000_000
        let rows = plans.filter { $0.plannedAt > start }.reduce(0) { $0 + $1.rows(of: table) }
        return Double(rows) / Double(PipelineStatus.rateSeconds)
    }
}

extension BatchPlan {
    /// Rows of the batch in a table.
    func rows(of table: String) -> Int { tables.first { $0.name == table }?.rows ?? 0 }
}

extension ShardStore {
    /// The plans of the newest batches with a receipt, newest first: those since an instant, and at least as many as
    /// `PipelineStatus` counts.
    ///
    /// Plans that were compacted meanwhile are passed over.
    func newestPlans(upTo last: UInt64, since instant: Int64) throws -> [BatchPlan] {
        var plans: [BatchPlan] = []
        var batch = last
        while batch > 0, let plan = try plan(batch),
            plans.count < PipelineStatus.recentBatchCount || plan.plannedAt > instant
        {
            plans.append(plan)
            batch -= 1
        }
        return plans
    }
}
