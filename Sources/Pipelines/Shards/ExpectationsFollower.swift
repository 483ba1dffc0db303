import BatchProtocol
import Catalog
import Columnar
import DeltaTables
import ObjectStorage

/// Carries the rules that records broke from a shard's plans into the table `_auditlake.expectations`, once.
///
/// The cursor is the table's `txn` under a name derived from the shard's. Each batch is a commit of its own, so that of two
/// processes, or one that was killed in between, none adds a row twice. Nothing depends on the table.
struct ExpectationsFollower {
    static let columns: [ColumnField] = [
        ColumnField("time", .timestamp, isNullable: false),
        ColumnField("pipeline", .string, isNullable: false),
        ColumnField("batch", .int64, isNullable: false),
        ColumnField("name", .string, isNullable: false),
        ColumnField("rule", .string, isNullable: false),
        ColumnField("action", .string, isNullable: false),
        ColumnField("checked", .int64, isNullable: false),
        ColumnField("failed", .int64, isNullable: false),
        ColumnField("sample", .string),
    ]
    /// The table.
    static let shape = TableShape(columns, partitionColumn: "date", storage: [])

    private let shard: ShardStore
    private let appID: String
    /// The last batch that was looked at; nil before the table's cursor is known.
    private var cursor: UInt64?

    /// Follows a shard with this uuid.
    init(shard: ShardStore, appID: String) {
        self.shard = shard
        self.appID = "\(appID)-expectations"
    }

    /// Brings in the batches up to one that has its receipt.
    ///
    /// - Parameters:
    ///   - newest: The newest batch with a receipt.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    ///   - existing: Gives the table when it is there.
    ///   - open: Opens the table, which is made when it is not there; called once there is a row.
    /// - Throws: `StorageError`, `PipelineError`, `ParquetError`, `CommitConflictError`; the next call goes on.
    mutating func project(
        upTo newest: UInt64,
        now: Int64,
        existing: () throws -> DeltaTable?,
        open: () throws -> GroupTable
    ) throws {
        let stored = try cursor ?? shard.expectationsHint()
        var next = try cursor ?? max(stored, UInt64(existing()?.head.transactions[appID]?.version ?? 0))
        guard next < newest else {
            cursor = next
            return
        }
        var table: GroupTable?
        while next < newest {
            next += 1
            // Old plans may lie in a compacted segment: they were looked at a week ago.
            guard let plan = try shard.plan(next), let broken = plan.expectations, !broken.isEmpty else {
                continue
            }
            let target = try table ?? open()
            table = target
            try commit(broken, of: plan, to: target, now: now)
        }
        cursor = next
        // Batches without a row leave no trace in the table.
        if next > stored { try shard.hintExpectations(next) }
        guard let table else { return }
        try table.delta.maintain(
            storage: table.storage,
            interval: DeltaTable.checkpointInterval,
            fileLimit: DeltaTable.liveFileLimit,
            now: now
        )
    }

    private func commit(
        _ results: [ExpectationResult],
        of plan: BatchPlan,
        to table: GroupTable,
        now: Int64
    ) throws {
        guard try table.delta.versionHolding(batch: plan.batch, appID: appID) == nil else { return }
        let writer = try DataFileWriter(
            store: shard.store,
            table: table.folder,
            schema: Self.columns,
            storage: table.storage,
            partitionValues: [
                (name: table.partitionColumn, value: UTCDay.text(microseconds: plan.plannedAt))
            ]
        )
        do {
            try writer.write(rows(results, of: plan))
            let file = try writer.finish(now: now)
            let result = try table.delta.append([file], appID: appID, batch: plan.batch, now: now)
            if case .alreadyCommitted = result {
                try shard.store.remove("\(table.folder)/\(file.path.decoded)")
            }
        } catch {
            writer.abandon()
            throw error
        }
    }

    private func rows(_ results: [ExpectationResult], of plan: BatchPlan) -> RecordBatch {
        let values: [[CellValue]] = [
            results.map { _ in .int64(plan.plannedAt) },
            results.map { _ in .string(plan.pipeline) },
            results.map { _ in .int64(Int64(plan.batch)) },
            results.map { .string($0.name) },
            results.map { .string($0.rule) },
            results.map { .string($0.action.rawValue) },
            results.map { .int64(Int64($0.checked)) },
            results.map { .int64(Int64($0.failed)) },
            results.map { $0.samples.isEmpty ? .null : .string($0.samples.joined(separator: "\n")) },
        ]
        let columns = zip(Self.columns, values).map { Column($0.type, values: $1) }
        return RecordBatch(schema: Self.columns, columns: columns, rowCount: results.count)
    }
}
