import AuditFormats
import BatchProtocol
import Catalog
import DeltaLog
import DeltaTables
import Intake
import ObjectStorage

/// Brings Databricks audit events into a bronze, a silver and one gold table a service, by the batch protocol.
package final class DatabricksPipeline {
    /// Bytes of stack of the thread that parses.
    static let stackByteCount = 8 << 20

    let settings: DatabricksPipelineSettings
    let lake: Lake
    let observer: PipelineObserver
    let clock: @Sendable () -> Int64
    /// Takes the delivered files.
    private(set) lazy var intake = ObjectIntake(
        settings.objects,
        batchByteCount: settings.batchByteCount,
        for: self
    )
    /// Quarantine, bronze, silver and the gold tables that were met, in order of first sight.
    private(set) var tables: [GroupTable] = []
    /// The shard's uuid.
    private var appID = ""
    var tableHints: [String: TableHint] = [:]
    var summary = RunSummary()
    /// What the source said at the last look.
    var standingRemarks: Set<SourceRemark> = []
    /// What a replay found, on its way into the shard's state.
    var amendment: ServiceAmendment?
    /// By gold table, the schema that was seen to have every column of the service as it was then.
    private var roomy: [TableName: (schema: String, service: ServiceSchema)] = [:]

    init(
        settings: DatabricksPipelineSettings,
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

    func openFirstTables() throws {
        tables = [
            try opener.open(settings.quarantine, .quarantine),
            try opener.open(settings.bronze, .bronze),
            try opener.open(settings.silver, .silver),
        ]
    }

    func demandJSONLibrary() throws {
        guard !LogFormat.jsonlog.isReadable else { return }
        throw PipelineError(
            code: .missingLibrary,
            message: "audit events are JSON, and libsimdjson.so.14 is not installed",
            mend: "install it (Debian: libsimdjson14)"
        )
    }

    func openTables(of opening: ShardStore.Opening, appID: String) throws -> Set<TableName> {
        self.appID = appID
        let open = Set(tables.map(\.name))
        var state = opening.state
        if let plan = opening.plan { state.apply(plan) }
        for service in try KnownServices(state).services { try openGold(service) }
        return Set(tables.map(\.name)).subtracting(open)
    }

    /// Opens the table of a service, or prepares it.
    func openGold(_ service: ServiceSchema) throws {
        let name = settings.gold(service)
        guard !tables.contains(where: { $0.name == name }) else { return }
        let table = try opener.prepare(name, .gold(service), owner: appID)
        tables.append(table)
        if table.isOfShape { roomy[name] = (table.delta.head.metadata.schemaString, service) }
    }

    /// Opens or makes the table of a service.
    func makeGold(_ service: ServiceSchema) throws {
        try openGold(service)
        let name = settings.gold(service)
        for table in tables where table.name == name { try opener.make(table) }
    }

    /// Whether the table of a service, when it is open, has all columns of its rows.
    ///
    /// - Complexity: O(columns) after a change of the table or the service; otherwise two comparisons.
    func hasRoom(for service: ServiceSchema) throws -> Bool {
        let name = settings.gold(service)
        guard let table = tables.first(where: { $0.name == name })?.delta else { return true }
        let metadata = table.head.metadata
        if let seen = roomy[name], seen.service == service, seen.schema == metadata.schemaString {
            return true
        }
        let schema = try metadata.schema()
        guard try schema.merged(with: TableShape.gold(service).schema) == schema else { return false }
        roomy[name] = (metadata.schemaString, service)
        return true
    }
}

extension DatabricksPipeline: PipelineWork {
    var name: String { settings.name }
    var catalog: String { settings.catalog }
    var parserVersion: Int { DatabricksDecoder.parserVersion }
    var plansAtDistinctTimes: Bool { true }
    var upkeep: TableUpkeep {
        TableUpkeep(
            checkpointInterval: settings.checkpointInterval,
            liveFileLimit: settings.liveFileLimit
        )
    }
    var mainTable: TableName { settings.silver }
    var commitInterval: Duration { settings.commitInterval }
    var readsSource: Bool { settings.layers != .gold }
    var unreadable: [StorageError] { intake.unreadable }
    var sourceBucket: (any Bucket)? { settings.objects.bucket }
    var hasBacklog: Bool { intake.hasBacklog }
    var longestWait: Duration { readsSource ? settings.objects.pollInterval : settings.commitInterval }
    var projections: [any PlanProjection] { [ExpectationsProjection(), ServicesProjection()] }
    var configuredPipelines: Set<String>? { settings.configuredPipelines }

    var isDeferring: Bool { settings.layers == .bronzeAndSilver }
    func isDeferrable(_ table: TableName) -> Bool { table.schema == settings.goldSchema }

    func prepare() throws {
        try demandJSONLibrary()
        try PipelineSettings.databricks(settings).demandSourceOutside(lake)
    }
    func demandMainTable(among fed: [String]) throws {
        try PipelineSettings.databricks(settings).demandMainTable(among: fed)
    }
    /// Delivered objects stay where they are.
    func makeKeeper() -> SpoolKeeper? { nil }

    func makeWatcher() -> any SourceWatcher {
        guard readsSource else { return PollingWatcher() }
        return intake.makeWatcher()
    }
    func received(_ plan: BatchPlan, isOwn: Bool) {
        if isOwn { amendment = nil }
    }
}
