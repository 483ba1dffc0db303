import BatchProtocol
import Catalog
import Columnar
import DeltaTables
import ObjectStorage

/// What a system table takes from the plans of a shard.
protocol PlanProjection {
    /// The table's name in the schema `_auditlake`.
    var table: String { get }
    /// Columns without the partition column.
    var columns: [ColumnField] { get }

    /// The rows of one batch, by columns; nil when there are none.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    func rows(of plan: BatchPlan) throws -> [[CellValue]]?
}

/// Carries what plans say into a system table, once.
///
/// The cursor is the table's `txn` under a name derived from the shard's. Each batch is a commit of its own, so that of two
/// processes, or one that was killed in between, none adds a row twice. Nothing depends on the table.
struct PlanFollower {
    /// What goes into the table.
    let projection: any PlanProjection
    private let shard: ShardStore
    private let appID: String
    /// The last batch that was looked at; nil before the table's cursor is known.
    private var cursor: UInt64?
    /// The table, once it was needed.
    private(set) var table: GroupTable?

    /// Follows a shard with this uuid.
    init(_ projection: any PlanProjection, shard: ShardStore, appID: String) {
        self.projection = projection
        self.shard = shard
        self.appID = "\(appID)-\(projection.table)"
    }

    private var shape: TableShape {
        TableShape(projection.columns, partitionColumn: "date", storage: [])
    }

    /// Brings in the batches up to one that has its receipt.
    ///
    /// - Parameters:
    ///   - newest: The newest batch with a receipt.
    ///   - catalog: The table's catalog.
    ///   - opener: Opens the table, which is made once there is a row.
    /// - Throws: `StorageError`, `PipelineError`, `ParquetError`, `CommitConflictError`; the next call goes on.
    mutating func project(upTo newest: UInt64, catalog: String, _ opener: TableOpener) throws {
        let name = TableName(catalog: catalog, schema: Lake.reservedName, table: projection.table)
        let stored = try cursor ?? shard.hint(of: projection.table)
        var next = stored
        if cursor == nil, next < newest, let target = try opener.openExisting(name, shape) {
            table = target
            next = max(stored, UInt64(target.delta.head.transactions[appID]?.version ?? 0))
        }
        cursor = next
        guard next < newest else { return }
        let now = opener.clock() / 1_000
        while next < newest {
            next += 1
            // Old plans may lie in a compacted segment: they were looked at a week ago.
            guard let plan = try shard.plan(next), let rows = try projection.rows(of: plan) else { continue }
            let target = try table ?? opener.open(name, shape)
            table = target
            try commit(rows, of: plan, to: target, now: now)
        }
        cursor = next
        // Batches without a row leave no trace in the table.
        try shard.hint(next, of: projection.table)
    }

    /// Maintains the table when its log is due.
    ///
    /// - Parameters:
    ///   - interval: Commits between two checkpoints.
    ///   - isBusy: A table of the pipeline was maintained just now: this one, which fills at their pace, takes its turn in
    ///     another batch, unless it has waited as long as it takes to come due.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    /// - Throws: What ``DeltaTable/maintain(storage:interval:fileLimit:now:)`` throws.
    func keepTableShort(interval: Int64, isBusy: Bool, now: Int64) throws {
        guard let table else { return }
        guard !isBusy || table.delta.commitsSinceCheckpoint >= 2 * interval else { return }
        try table.delta.maintain(
            storage: table.storage,
            interval: interval,
            fileLimit: DeltaTable.liveFileLimit,
            now: now
        )
    }

    private func commit(_ rows: [[CellValue]], of plan: BatchPlan, to table: GroupTable, now: Int64) throws {
        guard try table.delta.versionHolding(batch: plan.batch, appID: appID) == nil else { return }
        let writer = try DataFileWriter(
            store: shard.store,
            table: table.folder,
            schema: projection.columns,
            storage: table.storage,
            partitionValues: [
                (name: table.partitionColumn, value: UTCDay.text(microseconds: plan.plannedAt))
            ]
        )
        do {
            let columns = zip(projection.columns, rows).map { Column($0.type, values: $1) }
            let count = rows.first?.count ?? 0
            try writer.write(RecordBatch(schema: projection.columns, columns: columns, rowCount: count))
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
}

/// How records stood to the rules: `_auditlake.expectations`.
struct ExpectationsProjection: PlanProjection {
    let table = "expectations"
    let columns: [ColumnField] = [
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

    func rows(of plan: BatchPlan) -> [[CellValue]]? {
        guard let results = plan.expectations, !results.isEmpty else { return nil }
        return [
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
    }
}
