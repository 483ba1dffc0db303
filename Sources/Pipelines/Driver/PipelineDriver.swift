import BatchProtocol
import Catalog
import DeltaTables
import Intake
import ObjectStorage

/// A pipeline that a driver can run.
protocol PipelineWork: BatchWork {
    /// The catalog of its tables.
    var catalog: String { get }
    /// Files that could not be read at the last look.
    var unreadable: [StorageError] { get }
    /// Whether the last batch had no room for all that was there.
    var hasBacklog: Bool { get }
    /// The longest time from a whole record to its row, while following.
    var commitInterval: Duration { get }
    /// How long a look at the source may be off when nothing tells of a change.
    var longestWait: Duration { get }
    /// The names of all pipelines of the configuration; nil when they are not known.
    var configuredPipelines: Set<String>? { get }

    /// What goes from the plans into system tables.
    var projections: [any PlanProjection] { get }

    /// Whether it reads its source; else it brings in what other runs have left for later.
    var readsSource: Bool { get }

    /// Makes sure that the pipeline can run at all, before anything is made.
    func prepare() throws
    /// Makes sure that the tables which the shard has filled are those of the configuration.
    func demandMainTable(among fed: [String]) throws
    /// Opens the tables that every run of the pipeline feeds.
    func openFirstTables() throws

    /// The bucket that it reads; nil for none.
    var sourceBucket: (any Bucket)? { get }

    /// What tells that the source may have changed.
    func makeWatcher() -> any SourceWatcher

    /// What keeps the source's bytes while the lake is down; nil when nothing has to.
    func makeKeeper() -> SpoolKeeper?
}

/// Tells that a source may have changed.
protocol SourceWatcher: Sendable {
    /// Waits until something may have changed, `wake` was called, or an instant.
    func wait(until deadline: ContinuousClock.Instant)
    /// Ends the wait, from any thread.
    func wake()
}

/// Runs a pipeline: step after step, as its shard asks for it.
///
/// Belongs to one thread.
final class PipelineDriver {
    let work: any PipelineWork
    /// Carry what plans say into system tables; none before the first time.
    private var followers: [PlanFollower] = []
    /// The newest batch that had its receipt when the shard was left, or nil.
    var newestReceipt: UInt64?
    /// Batches that were done when the heads of the tables were noted last.
    private var notedBatches = 0

    init(_ work: any PipelineWork) { self.work = work }

    /// Reads all that is there, batch by batch.
    ///
    /// A file that cannot be read is an error once all others have been.
    func drain() throws -> RunSummary {
        var run = try work.open()
        while try run.advance() {}
        try project(run)
        try note(run)
        // What can be read is in the table; that there is more is no success.
        if let error = UnreadableInput.error(work.unreadable) { throw error }
        return work.summary
    }

    /// Notes the heads of all tables for the next run, when this one has changed them.
    func note(_ run: ShardRun) throws {
        let batches = work.summary.batches + work.summary.lateBatches
        guard batches != notedBatches else { return }
        try run.shard.hint(work.tables + followers.compactMap(\.table))
        notedBatches = batches
    }

    /// Brings what plans say into the system tables; to be called after receipts, at most once a minute and at the end of
    /// a run.
    func project(_ run: ShardRun) throws {
        guard let newest = run.newestReceipt else { return }
        if followers.isEmpty {
            followers = work.projections.map { PlanFollower($0, shard: run.shard, appID: run.appID) }
        }
        for index in followers.indices {
            try followers[index].project(upTo: newest, catalog: work.catalog, work.opener)
            try followers[index].keepTableShort(
                interval: work.upkeep.checkpointInterval,
                isBusy: run.hasKeptTablesShort,
                now: work.clock() / 1_000
            )
        }
    }
}

extension BatchWork {
    /// Opens tables of the pipeline.
    var opener: TableOpener {
        TableOpener(lake: lake, observer: observer, clock: clock, hints: tableHints)
    }
}

extension PipelineWork {
    var readsSource: Bool { true }
    var sourceBucket: (any Bucket)? { nil }

    /// Opens the lake and the tables, and finds out where the shard stands.
    ///
    /// - Parameter newest: A batch that has its receipt, as this process knows; nil for none. Without it nothing is begun in
    ///   the lake's place.
    /// - Returns: The shard.
    /// - Throws: What keeps the pipeline from running.
    func open(after newest: UInt64? = nil) throws -> ShardRun {
        try prepare()
        if let newest {
            try ShardStore(store: lake.store, path: ShardPath(pipeline: name, shard: 0)).demandReceipt(newest)
        }
        try lake.open()
        let shard = ShardStore(store: lake.store, path: ShardPath(pipeline: name, shard: 0))
        let opening = try shard.open()
        try demandMainTable(among: opening.fedTables)
        let appID = try shard.appID(pipeline: name)
        tableHints = shard.tableHints()
        try openFirstTables()
        try checkForOrphans(shard)
        return try ShardRun(pipeline: self, shard: shard, appID: appID, opening: opening)
    }

    /// A shard begins at batch 1 only beside batches of shards that the lake still knows: those of one whose folder was
    /// removed are the same records, which would be loaded again.
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
            let folder = lake.store.path("\(Lake.reservedName)/\(name)")
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
        guard let configuredPipelines else { return false }
        return !configuredPipelines.contains(pipeline)
    }
}
