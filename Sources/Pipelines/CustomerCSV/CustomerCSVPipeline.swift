import AuditFormats
import BatchProtocol
import Catalog
import DeltaLog
import DeltaTables
import Intake
import ObjectStorage

/// Brings the CSV files of customers into one table, by the batch protocol.
package final class CustomerCSVPipeline {
    /// Bytes of stack of the thread that parses.
    static let stackByteCount = 8 << 20

    let settings: CustomerCSVPipelineSettings
    let lake: Lake
    let observer: PipelineObserver
    let clock: @Sendable () -> Int64
    /// Takes the delivered files.
    private(set) lazy var intake = ObjectIntake(
        settings.objects,
        batchByteCount: settings.batchByteCount,
        for: self
    )
    /// Quarantine and the table, once there is a row for it.
    private(set) var tables: [GroupTable] = []
    /// The shard's uuid.
    private var appID = ""
    var tableHints: [String: TableHint] = [:]
    var summary = RunSummary()
    /// What the source said at the last look.
    var standingRemarks: Set<SourceRemark> = []
    /// The ids that the table has, as far as batches asked for them; nil when they have to be read again.
    private var known: (ids: EventIndex, writers: [String: Int64])?
    /// The same with the rows of the batch that was staged last and has no receipt yet.
    private var staged: EventIndex?

    init(
        settings: CustomerCSVPipelineSettings,
        lake: Lake,
        observer: PipelineObserver,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.settings = settings
        self.lake = lake
        self.observer = observer
        self.clock = clock
    }

    // MARK: Tables

    /// The table; nil before its first row.
    var customers: GroupTable? { tables.first { $0.name == settings.table } }

    func openFirstTables() throws {
        tables = [try opener.open(settings.quarantine, .quarantine)]
        if let table = try opener.openExisting(settings.table, .customers([])) { tables.append(table) }
    }

    func openTables(of opening: ShardStore.Opening, appID: String) throws -> Set<TableName> {
        self.appID = appID
        let isOpen = customers != nil
        var state = opening.state
        if let plan = opening.plan { state.apply(plan) }
        let columns = try KnownColumns(state).columns
        let fed = opening.fedTables.contains(settings.table.description)
        if fed || !columns.isEmpty { try openCustomers(columns) }
        return !isOpen && customers != nil ? [settings.table] : []
    }

    /// Opens the table, or prepares it.
    func openCustomers(_ columns: [CSVColumn]) throws {
        guard customers == nil else { return }
        tables.append(try opener.prepare(settings.table, .customers(columns), owner: appID))
    }

    /// Whether the table, when it is open, has all of these columns.
    func hasRoom(for columns: [CSVColumn]) throws -> Bool {
        guard let table = customers?.delta else { return true }
        let schema = try table.head.metadata.schema()
        return try schema.merged(with: TableShape.customers(columns).schema) == schema
    }

    // MARK: Rows that are there

    /// The ids that earlier batches have left in the table, as far as they are known; they are given up with the batch.
    func takeKnownIDs() throws -> EventIndex {
        defer { known = nil }
        try customers.map { if $0.delta.isMade { try $0.delta.refresh() } }
        guard let known, known.writers == foreignWriters else { return EventIndex() }
        return known.ids
    }

    /// The batch was staged: once it has its receipt, the table has these ids.
    func keep(_ ids: EventIndex) { staged = ids }

    /// The last batches in the table of others than this shard.
    private var foreignWriters: [String: Int64] {
        (customers?.delta.head.transactions ?? [:]).filter { $0.key != appID }.mapValues(\.version)
    }
}

extension CustomerCSVPipeline: PipelineWork {
    var name: String { settings.name }
    var catalog: String { settings.table.catalog }
    var parserVersion: Int { CustomerCSVDecoder.parserVersion }
    var plansAtDistinctTimes: Bool { false }
    var upkeep: TableUpkeep {
        TableUpkeep(
            checkpointInterval: settings.checkpointInterval,
            liveFileLimit: settings.liveFileLimit
        )
    }
    var mainTable: TableName { settings.table }
    var commitInterval: Duration { settings.commitInterval }
    var longestWait: Duration { settings.objects.pollInterval }
    var projections: [any PlanProjection] { [ExpectationsProjection()] }
    var configuredPipelines: Set<String>? { settings.configuredPipelines }
    var unreadable: [StorageError] { intake.unreadable }
    var sourceBucket: (any Bucket)? { settings.objects.bucket }
    var hasBacklog: Bool { intake.hasBacklog }

    var isDeferring: Bool { false }
    func isDeferrable(_ table: TableName) -> Bool { false }

    func prepare() throws { try PipelineSettings.customerCSV(settings).demandSourceOutside(lake) }
    func demandMainTable(among fed: [String]) throws {
        let others = fed.filter { $0 != settings.quarantine.description }
        try PipelineSettings.customerCSV(settings).demandMainTable(among: others)
    }
    /// Delivered objects stay where they are.
    func makeKeeper() -> SpoolKeeper? { nil }
    func makeWatcher() -> any SourceWatcher { intake.makeWatcher() }

    func received(_ plan: BatchPlan, isOwn: Bool) {
        known = isOwn ? staged.map { ($0, foreignWriters) } : nil
        staged = nil
    }
}
