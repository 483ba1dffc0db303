/// One table of a batch group.
package struct PlannedTable: Codable, Hashable, Sendable {
    /// The three-level name.
    package var name: String
    /// The `metaData` id of the Delta table.
    package var tableID: String
    /// Rows that the batch has for it; a table without rows gets no commit.
    package var rows: Int
    /// Whether the table may get its rows after the batch's receipt; nil for no.
    package var isDeferrable: Bool?
    /// The table's version whose rows the batch's were compared with; nil when they were not.
    package var comparedVersion: Int64?

    /// Creates an entry.
    package init(name: String, tableID: String, rows: Int, isDeferrable: Bool = false) {
        self.name = name
        self.tableID = tableID
        self.rows = rows
        self.isDeferrable = isDeferrable ? true : nil
    }
}

/// What a batch consists of, fixed before any table holds a row of it.
///
/// Stored once under its number and never changed. Rows of the batch are a function of the ranges' bytes, the state
/// before it, `plannedAt` and the parser version.
package struct BatchPlan: Codable, Hashable, Sendable {
    /// The format of plans and receipts that this release writes.
    package static let currentFormat = 3

    /// Version of this format.
    package var format = BatchPlan.currentFormat
    /// The pipeline that made the plan, for people.
    package var pipeline: String
    /// The shard's uuid: the `appId` of its Delta transactions.
    package var appID: String
    /// The batch's number, from 1 on without gaps.
    package var batch: UInt64
    /// Microseconds since 1970-01-01 UTC: `ingest_ts` of every row; never smaller than that of the batch before.
    package var plannedAt: Int64
    /// Version of the rules that turn bytes into rows.
    package var parserVersion: Int
    /// The batch after which the newest state snapshot was written; 0 for none.
    package var stateSnapshot: UInt64
    /// What is read of tailed files, in order.
    package var ranges: [SourceRange]
    /// What is read of objects, in order; nil for none.
    package var objects: [ObjectRange]?
    /// The settings that its rows depend on, in the pipeline's own form; nil when a redo takes those of its run.
    package var settings: String?
    /// The batch group, in order of commit.
    package var tables: [PlannedTable]
    /// Ids of files that are no longer kept in mind; nil for none.
    package var forgotten: [String]?
    /// Objects that were last modified before this day, in days since 1970-01-01, are no longer kept in mind; nil for no change.
    package var firstDay: Int64?
    /// What the decoder keeps in mind from now on; nil for no change.
    package var stateChanges: [StateChange]?
    /// How the records stood to the rules that were broken; nil when none was.
    package var expectations: [ExpectationResult]?
    /// Bytes that were seen and vanished before a batch could have them; nil for none.
    package var gaps: [SourceGap]?

    /// Creates a plan.
    package init(
        pipeline: String,
        appID: String,
        batch: UInt64,
        plannedAt: Int64,
        parserVersion: Int,
        stateSnapshot: UInt64,
        ranges: [SourceRange],
        tables: [PlannedTable]
    ) {
        self.pipeline = pipeline
        self.appID = appID
        self.batch = batch
        self.plannedAt = plannedAt
        self.parserVersion = parserVersion
        self.stateSnapshot = stateSnapshot
        self.ranges = ranges
        self.tables = tables
    }

    /// Bytes of all ranges.
    package var byteCount: UInt64 {
        ranges.reduce(0) { $0 + $1.byteCount } + (objects ?? []).reduce(0) { $0 + $1.rangeByteCount }
    }
}

/// What a batch left in one table.
package struct TableReceipt: Codable, Hashable, Sendable {
    /// The three-level name.
    package var name: String
    /// Rows of this batch.
    package var rows: Int
    /// The table's version with this batch's rows; of the last batch that had any, when this one has none.
    package var version: Int64
    /// The last batch with rows in this table: what the table's `txn` must say; 0 for none.
    package var lastBatch: UInt64

    /// Creates an entry.
    package init(name: String, rows: Int, version: Int64, lastBatch: UInt64) {
        self.name = name
        self.rows = rows
        self.version = version
        self.lastBatch = lastBatch
    }
}

/// Bytes that no batch has: they vanished before they could be read, or be read again.
package struct SourceGap: Codable, Hashable, Sendable {
    /// Where the bytes were last seen.
    package var path: String
    /// Offset of the first byte.
    package var from: UInt64
    /// Offset one past the last byte.
    package var to: UInt64

    /// Creates a gap.
    package init(path: String, from: UInt64, to: UInt64) {
        self.path = path
        self.from = from
        self.to = to
    }
}

/// The proof that a batch is in all of its tables; only after it may the next batch be planned.
package struct BatchReceipt: Codable, Hashable, Sendable {
    /// Version of this format.
    package var format = BatchPlan.currentFormat
    /// The batch's number.
    package var batch: UInt64
    /// Version of the rules that made the rows.
    package var parserVersion: Int
    /// Every table that the shard has fed so far.
    package var tables: [TableReceipt]
    /// Bytes read.
    package var bytes: UInt64
    /// What was lost under `on_data_loss: continue`, before the batch or while it was done.
    package var gaps: [SourceGap]
    /// The first batch that has rows for tables which were left for later; nil when all tables have all.
    package var deferredFrom: UInt64?

    /// Creates a receipt.
    package init(batch: UInt64, parserVersion: Int, tables: [TableReceipt], bytes: UInt64, gaps: [SourceGap])
    {
        self.batch = batch
        self.parserVersion = parserVersion
        self.tables = tables
        self.bytes = bytes
        self.gaps = gaps
    }
}
