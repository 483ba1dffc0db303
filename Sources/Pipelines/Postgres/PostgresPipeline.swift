import AuditFormats
import BatchProtocol
import Catalog
import Columnar
import DeltaLog
import DeltaTables
import Intake
import ObjectStorage
import ParquetFiles
import PostgresSessions

/// What a PostgreSQL pipeline reads and where it writes.
package struct PostgresPipelineSettings: Sendable {
    /// What to do when bytes that a plan names are gone.
    package enum DataLossPolicy: String, Hashable, Sendable {
        /// Stop with an error.
        case fail
        /// Commit what is left and record the gap.
        case `continue`
    }

    /// Row groups beyond this size make files no smaller and readers no faster.
    package static let largestRowGroupByteCount = 16 << 20

    /// The pipeline's name.
    package var name: String
    /// The log files.
    package var source: TailedFileSource
    /// The target table.
    package var table: TableName
    /// What all files hold; nil when each file tells.
    package var format: LogFormat?
    /// How records become rows.
    package var decoding: PostgresDecoderSettings
    /// The most bytes of one batch.
    package var batchByteCount: UInt64 = 1 << 30
    /// Bytes of one open row group.
    package var rowGroupByteCount = PostgresPipelineSettings.largestRowGroupByteCount
    /// The names of all pipelines of the configuration, so that a renamed one is noticed; nil when they are not known.
    package var configuredPipelines: Set<String>?
    /// What to do when planned bytes are gone.
    package var onDataLoss = DataLossPolicy.fail
    /// Where to begin when the shard has no batch.
    package var start = StartingPoint.earliest
    /// The longest time from a whole record to its row, while following.
    package var commitInterval = Duration.seconds(1)
    /// How long a file that has vanished is kept in mind, in microseconds.
    package var forgetAfter: Int64 = 7 * 86_400_000_000
    /// Commits of a table between two checkpoints.
    package var checkpointInterval: Int64 = DeltaTable.checkpointInterval
    /// Where a shard without batches begins.
    package enum StartingPoint: Hashable, Sendable {
        /// With all that is there.
        case earliest
        /// Behind what is there.
        case latest
        /// With records of this time and later, in microseconds since 1970-01-01 UTC.
        case time(Int64)
    }

    /// Live files of a table at which merging starts.
    package var liveFileLimit = DeltaTable.liveFileLimit

    /// Creates settings with the defaults above.
    package init(name: String, source: TailedFileSource, table: TableName, decoding: PostgresDecoderSettings)
    {
        self.name = name
        self.source = source
        self.table = table
        self.decoding = decoding
    }

    /// The pipeline's quarantine table.
    package var quarantine: TableName {
        TableName(catalog: table.catalog, schema: Lake.reservedName, table: "quarantine_\(name)")
    }
}

/// Brings PostgreSQL logs into a Delta table by the batch protocol.
package final class PostgresPipeline {
    /// Bytes of stack of the thread that parses: libpg_query recurses as deep as SQL nests.
    package static let stackByteCount = 64 << 20

    let settings: PostgresPipelineSettings
    let lake: Lake
    /// The log files as they were last seen.
    let files: TailedFiles
    let observer: PipelineObserver
    /// Microseconds since 1970-01-01 UTC.
    let clock: @Sendable () -> Int64
    /// Quarantine, then the table: the batch group in order of commit.
    var tables: [GroupTable] = []
    var summary = RunSummary()
    var progress = PipelineProgress()
    /// What the source said at the last look.
    var standingRemarks: Set<TailedFileSource.Remark> = []
    /// Files that could not be read at the last look.
    var unreadable: [StorageError] = []
    /// Since when each file that is gone has been absent, by id, in microseconds since 1970-01-01 UTC.
    var absentSince: [String: Int64] = [:]
    /// Whether the last batch had no room for all that was there.
    var hasBacklog = false
    /// Files as they were when nothing but the beginning of a record was unread.
    var fruitless: Set<FoundFile> = []
    /// A file of each format that this run has read.
    var formatsRead: [LogFormat: String] = [:]
    /// The sessions after a batch that was planned and committed here: the same as the shard's state has them.
    var sessionsAfter: (batch: UInt64, states: SessionStates)?
    /// Carries broken rules into their table; nil before the first time.
    var expectations: ExpectationsFollower?

    /// One table of the batch group.
    struct GroupTable {
        var name: TableName
        var delta: DeltaTable
        var schema: [ColumnField]
        var storage: [ColumnStorage]
        var partitionColumn: String
    }

    init(
        settings: PostgresPipelineSettings,
        lake: Lake,
        observer: PipelineObserver,
        clock: @escaping @Sendable () -> Int64
    ) {
        var settings = settings
        settings.decoding.stackBytes = Self.stackByteCount
        if case .time(let time) = settings.start { settings.decoding.startTime = time }
        self.settings = settings
        files = TailedFiles(source: settings.source)
        self.lake = lake
        self.observer = observer
        self.clock = clock
    }

    /// Reads all that is there, batch by batch, and returns.
    ///
    /// Blocks; runs on threads of its own.
    ///
    /// A process that is killed at any instant leaves a state from which the next run goes on without losing a row or
    /// adding one twice; so does another process that runs the same pipeline at the same time.
    ///
    /// - Parameters:
    /// - clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: What the run did.
    /// - Throws: `PipelineError`, `ShardError`, `StorageError`, `Lake.LakeError`, `DeltaLogError`, `ParquetError`,
    /// `CommitConflictError`. What was committed stays.
    package static func runOnce(
        _ settings: PostgresPipelineSettings,
        lake: Lake,
        observer: PipelineObserver = PipelineObserver(),
        clock: @escaping @Sendable () -> Int64
    ) throws -> RunSummary {
        try WorkerThread.run(stackByteCount: stackByteCount) {
            let pipeline = PostgresPipeline(settings: settings, lake: lake, observer: observer, clock: clock)
            return try pipeline.drain()
        }
    }

    private func drain() throws -> RunSummary {
        var run = try open()
        while try run.advance() {}
        try projectExpectations(of: run)
        // What can be read is in the table; that there is more is no success.
        if let error = unreadable.first { throw error }
        return summary
    }

    /// Opens lake, shard and tables, and finds out where the shard stands.
    func open() throws -> ShardRun {
        try refuseConflicts()
        try lake.open()
        let shard = ShardStore(store: lake.store, path: ShardPath(pipeline: settings.name, shard: 0))
        let appID = try shard.appID(pipeline: settings.name)
        tables = [
            try openTable(
                settings.quarantine,
                schema: QuarantineRows.columns,
                partition: "date",
                storage: Self.quarantineStorage
            ),
            try openTable(
                settings.table,
                schema: PostgresSchema.columns,
                partition: "ingest_date",
                storage: Self.rowStorage
            ),
        ]
        try checkForOrphans(shard)
        return try ShardRun(pipeline: self, shard: shard, appID: appID)
    }

    /// A shard begins at batch 1 only beside batches of shards that the lake still knows: those of one whose folder was
    /// removed are the same logs, which would be loaded again.
    private func checkForOrphans(_ shard: ShardStore) throws {
        guard try !shard.store.exists(shard.path.plan(1)) else { return }
        for table in tables {
            let writers = Set(table.delta.head.transactions.keys)
            guard !writers.isEmpty else { continue }
            let owners = try shard.allOwners()
            if let former = writers.compactMap({ owners[$0] }).first(where: isNoLongerConfigured) {
                throw PipelineError(
                    code: .tableMismatch,
                    message:
                        "table \(table.name) was filled by the pipeline \(former), which is not configured any more",
                    mend:
                        "give the pipeline its name \(former) back, or another table to load everything anew"
                )
            }
            guard !writers.isSubset(of: owners.keys) else { continue }
            let folder = lake.store.path("\(Lake.reservedName)/\(settings.name)")
            throw PipelineError(
                code: .damagedState,
                message:
                    "table \(table.name) holds batches of a pipeline whose folder was removed from the lake, such as \(folder)",
                mend:
                    "bring the folder back from a backup, or give the pipeline another table name to load everything anew"
            )
        }
    }

    private func isNoLongerConfigured(_ pipeline: String) -> Bool {
        guard let configured = settings.configuredPipelines else { return false }
        return !configured.contains(pipeline)
    }

    // MARK: Tables

    func openTable(
        _ name: TableName,
        schema: [ColumnField],
        partition: String,
        storage: [ColumnStorage]
    ) throws -> GroupTable {
        let found = try lake.table(name)
        // A claim comes before its table: a table without one is not ours, or lost the receipts that say what it holds.
        if found != nil, try !lake.hasClaimed(name) {
            throw PipelineError(
                code: .tableMismatch,
                message:
                    "table \(name) in \(lake.store.path(name.folder)) is there, but this lake knows nothing of it: something else made it, or \(lake.store.path(Lake.reservedName)) was removed",
                mend:
                    "bring that folder back from a backup, give the pipeline another table name, or move the table's folder away"
            )
        }
        try lake.claim(name)
        let wanted = TableSchema(columns: schema, partitionColumns: [ColumnField(partition, .date)])
        let delta: DeltaTable
        if let existing = try found ?? lake.table(name) {
            delta = existing
            guard try existing.head.metadata.schema() == wanted,
                existing.head.metadata.partitionColumns == [partition]
            else {
                throw PipelineError(
                    code: .tableMismatch,
                    message:
                        "table \(name) in \(lake.store.path(name.folder)) has other columns than this pipeline writes",
                    mend: "give the pipeline another table name, or move the folder away"
                )
            }
        } else {
            let now = clock() / 1_000
            let metadata = TableMetadata(
                id: RandomName.uuid(),
                schema: wanted,
                partitionColumns: [partition],
                createdTime: now
            )
            delta = try DeltaTable.create(
                store: lake.store,
                folder: name.folder,
                metadata: metadata,
                now: now
            )
        }
        let phase = observer.phase
        delta.observer = { stage in phase(stage == .commit ? .commit : .checkpoint) }
        return GroupTable(
            name: name,
            delta: delta,
            schema: schema,
            storage: storage,
            partitionColumn: partition
        )
    }

    /// Texts that never repeat are stored plain, times as differences; footers carry no bounds that nobody can use.
    private static let rowStorage: [ColumnStorage] = [
        ColumnStorage("event_time", usesDictionary: false, usesDelta: true),
        ColumnStorage("ingest_ts", usesDictionary: false, usesDelta: true),
        ColumnStorage("raw", usesDictionary: false, hasStatistics: false),
        ColumnStorage("extra.key_value.key", usesDictionary: true, hasStatistics: false),
        ColumnStorage("extra.key_value.value", usesDictionary: false, hasStatistics: false),
    ]

    private static let quarantineStorage: [ColumnStorage] = [
        ColumnStorage("raw", usesDictionary: false, hasStatistics: false),
        ColumnStorage("ingest_ts", usesDictionary: false, usesDelta: true),
    ]
}
