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
    /// Where logs are kept while the lake is down; nil for nowhere.
    package var spool: SpoolSettings? { didSet { source.spool = spool?.folder } }
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
    private(set) var tables: [GroupTable] = []
    var tableHints: [String: TableHint] = [:]
    var summary = RunSummary()
    var progress = PipelineProgress()
    /// Asks for the spool; nil when there is to be none.
    let spoolHolder: SpoolHolder?
    /// The spool, when this process may write it.
    var spool: Spool? { spoolHolder?.spool }
    /// Spools what is written while the lake is down; nil when nobody follows.
    private(set) var keeper: SpoolKeeper?
    /// What the source said at the last look.
    var standingRemarks: Set<SourceRemark> = []
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
    /// The sessions after the batch that was staged last.
    var sessionsStaged: SessionStates?

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
        spoolHolder = settings.spool.map { SpoolHolder($0, observer: observer) }
    }

    func openFirstTables() throws {
        tables = [
            try opener.open(settings.quarantine, .quarantine),
            try opener.open(
                settings.table,
                TableShape(
                    PostgresSchema.columns,
                    partitionColumn: "ingest_date",
                    storage: Self.rowStorage
                )
            ),
        ]
    }

    /// Texts that never repeat are stored plain, times as differences; footers carry no bounds that nobody can use.
    private static let rowStorage: [ColumnStorage] = [
        ColumnStorage("event_time", usesDictionary: false, usesDelta: true),
        ColumnStorage("ingest_ts", usesDictionary: false, usesDelta: true),
        ColumnStorage("raw", usesDictionary: false, hasStatistics: false),
        ColumnStorage("extra.key_value.key", usesDictionary: true, hasStatistics: false),
        ColumnStorage("extra.key_value.value", usesDictionary: false, hasStatistics: false),
    ]
}

extension PostgresPipeline: PipelineWork {
    var name: String { settings.name }
    var catalog: String { settings.table.catalog }
    var parserVersion: Int { PostgresSchema.parserVersion }
    var plansAtDistinctTimes: Bool { false }
    var upkeep: TableUpkeep {
        TableUpkeep(
            checkpointInterval: settings.checkpointInterval,
            liveFileLimit: settings.liveFileLimit
        )
    }
    var mainTable: TableName { settings.table }
    var commitInterval: Duration { settings.commitInterval }
    var longestWait: Duration { .seconds(5) }
    var projections: [any PlanProjection] { [ExpectationsProjection()] }
    var configuredPipelines: Set<String>? { settings.configuredPipelines }

    func makeKeeper() -> SpoolKeeper? {
        spoolHolder?.ask(isMade: true, isPatient: true)
        keeper = spoolHolder.map {
            SpoolKeeper($0, settings, lake: lake.store.root, observer: observer, clock: clock)
        }
        return keeper
    }

    func prepare() throws {
        spoolHolder?.ask(isMade: false, isPatient: true)
        try refuseConflicts()
        try PipelineSettings.postgres(settings).demandKnownLake(lake)
    }
    func demandMainTable(among fed: [String]) throws {
        try PipelineSettings.postgres(settings).demandMainTable(among: fed)
    }

    func makeWatcher() -> any SourceWatcher { FileWatcher(source: settings.source) }

    var isDeferring: Bool { false }
    func isDeferrable(_ table: TableName) -> Bool { false }

    /// There are two, always.
    func openTables(of opening: ShardStore.Opening, appID: String) -> Set<TableName> { [] }

    func received(_ plan: BatchPlan, isOwn: Bool) {
        sessionsAfter = isOwn ? sessionsStaged.map { (plan.batch, $0) } : nil
        sessionsStaged = nil
    }
}

extension FileWatcher: SourceWatcher {
    func wait(until deadline: ContinuousClock.Instant) { _ = waitForChange(until: deadline) }
}

extension TableShape {
    /// A pipeline's quarantine table.
    static let quarantine = TableShape(
        QuarantineRows.columns,
        partitionColumn: "date",
        storage: [
            ColumnStorage("raw", usesDictionary: false, hasStatistics: false),
            ColumnStorage("ingest_ts", usesDictionary: false, usesDelta: true),
        ]
    )
}
