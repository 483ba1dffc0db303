import AuditFormats
import Catalog
import DeltaLog
import DeltaTables
import ObjectStorage
import Synchronization

/// Tables of one layer made again from bronze, with today's parser and settings, beside the tables as they are.
///
/// Rows keep their `ingest_ts` and their ids. What batches bring after the replay began is left alone.
package struct DatabricksReplay: Sendable {
    /// Every table that has rows in the range, or would have.
    package let tables: [ShadowTable]

    private let settings: DatabricksPipelineSettings
    private let lake: Lake
    private let observer: PipelineObserver
    private let clock: @Sendable () -> Int64
    private let target: ReplayTarget
    private let knownServices: [ServiceSchema]
    private let services: [ServiceSchema]
    /// Every file that was made, as a key of the lake.
    private let keys: [String]
    private let attempted = AttemptedSwaps()

    /// Bytes of stack of the thread that parses.
    private static let stackByteCount = 8 << 20
    /// Folders beside the shards that hold what no table gets.
    private static let scratchPrefix = "replay-"
    /// How long files of a replay that was killed stay, in microseconds: longer than any replay lives.
    private static let scratchRetention: Int64 = 2 * 86_400_000_000

    /// What is made again, and for what.
    package struct Request: Hashable, Sendable {
        /// The layer.
        package var layer: ReplayLayer
        /// The days of events.
        package var days: DayRange
        /// Whether ``DatabricksReplay/apply(_:)`` may follow; nothing is left in the tables' folders otherwise.
        package var mayApply: Bool
        /// How long a batch of another process may stay open.
        package var patience: Duration

        /// Creates a request.
        package init(
            layer: ReplayLayer,
            days: DayRange = DayRange(),
            mayApply: Bool,
            patience: Duration = .seconds(10)
        ) {
            self.layer = layer
            self.days = days
            self.mayApply = mayApply
            self.patience = patience
        }
    }

    // MARK: Making

    /// Makes the rows; no table changes.
    ///
    /// `discard` has to be called in the end. Blocks; runs on threads of its own.
    ///
    /// - Parameters:
    ///   - request: What to make.
    ///   - settings: The pipeline.
    ///   - lake: Holds the tables.
    ///   - observer: Is asked for a stop and told how far it is.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: The tables as they are and as they would be.
    /// - Throws: `PipelineError` with code `unsettled` when the shard is amid a batch or gold was left for later,
    ///   `expectationFailed`, `cancelled`, `damagedState`; `StorageError`, `Lake.LakeError`, `DeltaLogError`,
    ///   `ParquetError`. Nothing is left of the files then.
    package static func make(
        _ request: Request,
        _ settings: DatabricksPipelineSettings,
        lake: Lake,
        observer: PipelineObserver = PipelineObserver(),
        clock: @escaping @Sendable () -> Int64
    ) throws -> DatabricksReplay {
        try WorkerThread.run(stackByteCount: stackByteCount) {
            try DatabricksReplay(request, settings, lake, observer, clock)
        }
    }

    private init(
        _ request: Request,
        _ given: DatabricksPipelineSettings,
        _ lake: Lake,
        _ observer: PipelineObserver,
        _ clock: @escaping @Sendable () -> Int64
    ) throws {
        var settings = given
        settings.layers = .all
        self.settings = settings
        self.lake = lake
        self.observer = observer
        self.clock = clock
        let folder = "\(Lake.reservedName)/\(settings.name)"
        Self.removeAbandoned(folder, of: lake, now: clock())
        target = ReplayTarget(
            layer: request.layer,
            days: request.days,
            scratch: "\(folder)/\(Self.scratchPrefix)\(RandomName.make())",
            makesTables: request.mayApply
        )
        let pipeline = DatabricksPipeline(settings: settings, lake: lake, observer: observer, clock: clock)
        try pipeline.demandJSONLibrary()
        let basis = try pipeline.replayBasis(
            of: request.layer,
            mayApply: request.mayApply,
            patience: request.patience
        )
        observer.phase(.read)
        let made: (files: [String: [StagedFile]], services: [ServiceSchema])
        do {
            made = try pipeline.replay(basis, into: target)
        } catch {
            try? lake.store.removeFolder(target.scratch)
            throw error
        }
        knownServices = basis.known.services
        services = made.services
        keys = made.files.flatMap { folder, files in files.map { "\(folder)/\($0.add.path.decoded)" } }
        do {
            tables = try Self.outlines(target, settings, services).compactMap { [target] outline in
                try Self.shadow(outline, basis.tables[outline.name], made.files, target, lake)
            }
        } catch {
            for key in keys { try? lake.store.remove(key) }
            try? lake.store.removeFolder(target.scratch)
            throw error
        }
    }

    /// The tables of a layer, in the order in which they are swapped.
    private static func outlines(
        _ target: ReplayTarget,
        _ settings: DatabricksPipelineSettings,
        _ services: [ServiceSchema]
    ) -> [ShadowTable.Outline] {
        switch target.layer {
        case .silver:
            [
                ShadowTable.Outline(
                    name: settings.silver,
                    schema: TableShape.silver.schema,
                    days: target.days
                ),
                // Filed by the day of ingest, the files of all days are written again.
                ShadowTable.Outline(
                    name: settings.quarantine,
                    schema: TableShape.quarantine.schema,
                    days: DayRange(),
                    key: ReplayTarget.quarantineKeys,
                    order: ["length", "reason"]
                ),
            ]
        case .gold:
            services.map { service in
                ShadowTable.Outline(
                    name: settings.gold(service),
                    schema: TableShape.gold(service).schema,
                    days: target.days
                )
            }
        }
    }

    private static func shadow(
        _ outline: ShadowTable.Outline,
        _ live: DeltaTable?,
        _ made: [String: [StagedFile]],
        _ target: ReplayTarget,
        _ lake: Lake
    ) throws -> ShadowTable? {
        let name = outline.name
        func paths(_ folder: String) -> [String] {
            (made[folder] ?? []).map { lake.store.path("\(folder)/\($0.add.path.decoded)") }
        }
        let files = try live?.snapshot().files.values.sorted { $0.path.encoded < $1.path.encoded } ?? []
        let removed = files.filter { outline.days.contains(partition: $0.partitionValues["date"] ?? nil) }
        let staged = made[target.folder(of: name)] ?? []
        guard !removed.isEmpty || !staged.isEmpty else { return nil }
        let before = try live?.head.metadata.schema()
        let after = try before?.merged(with: outline.schema) ?? outline.schema
        let old = before?.paths ?? []
        let new = outline.schema.paths
        let kept = Set(removed.map(\.path))
        return ShadowTable(
            name: name,
            key: outline.key,
            order: outline.order,
            liveColumns: try live?.columns() ?? [],
            columns: DeltaTable.columns(of: after, partitionColumns: ["date"]),
            comparedPaths: after.paths.filter { !outline.key.contains($0[0]) },
            addedPaths: new.filter { !old.contains($0) },
            missingPaths: old.filter { !new.contains($0) },
            liveFiles: removed.compactMap { live?.path(of: $0.path) },
            otherLiveFiles: files.filter { !kept.contains($0.path) }.compactMap { live?.path(of: $0.path) },
            shadowFiles: paths(target.folder(of: name)),
            foreignFiles: paths(target.foreignFolder(of: name)),
            version: live?.head.version ?? -1,
            removed: removed,
            staged: staged,
            schema: outline.schema
        )
    }

    // MARK: Ending

    /// Puts the rows that were made into the place of those that are there, table by table.
    ///
    /// A process that is killed in it has swapped some tables and left others; another replay does the rest.
    ///
    /// - Parameters:
    ///   - names: The tables to swap.
    ///   - swapped: Is told of each table and the version that has its new rows.
    /// - Throws: `CommitConflictError` when files of a table were merged or replayed meanwhile, `PipelineError` with
    ///   code `unsettled` when new services or keys came meanwhile; `StorageError` and others. Tables that were swapped
    ///   stay so.
    package func apply(
        _ names: Set<TableName>,
        swapped: @escaping @Sendable (TableName, Int64) -> Void = { _, _ in }
    ) throws {
        precondition(target.makesTables, "the files lie in the tables' folders only when the request says so")
        guard !names.isEmpty else { return }
        try WorkerThread.run(stackByteCount: Self.stackByteCount) {
            if target.layer == .gold, services != knownServices {
                let pipeline = DatabricksPipeline(
                    settings: settings,
                    lake: lake,
                    observer: observer,
                    clock: clock
                )
                try pipeline.learn(ServiceAmendment(known: knownServices, grown: services))
            }
            for table in tables where names.contains(table.name) {
                swapped(table.name, try swap(table))
            }
        }
    }

    private func swap(_ shadow: ShadowTable) throws -> Int64 {
        guard let table = try lake.table(shadow.name) else {
            throw PipelineError(
                code: .damagedState,
                message: "table \(shadow.name) is gone",
                mend: "bring it back from a backup"
            )
        }
        observer.phase(.commit)
        attempted.add(shadow.name)
        return try table.replay(
            shadow.removed,
            with: shadow.staged.map(\.add),
            growing: shadow.schema,
            since: max(shadow.version, 0),
            now: clock() / 1_000
        )
    }

    /// Removes what was made and is in no table.
    package func discard() {
        // Of a swap that was tried the log decides, and the swap has cleaned up after itself.
        let kept = Set(
            tables.filter { attempted.contains($0.name) }.flatMap { table in
                table.staged.map { "\(target.folder(of: table.name))/\($0.add.path.decoded)" }
            }
        )
        // Invisible to readers: what cannot be removed now is removed by clean-up.
        for key in keys where !kept.contains(key) { try? lake.store.remove(key) }
        try? lake.store.removeFolder(target.scratch)
    }

    /// Removes what replays that were killed have left.
    private static func removeAbandoned(_ folder: String, of lake: Lake, now: Int64) {
        for entry in (try? lake.store.list(folder)) ?? []
        where entry.name.hasPrefix(scratchPrefix) && entry.modified < now - scratchRetention {
            try? lake.store.removeFolder("\(folder)/\(entry.name)")
        }
    }
}

/// The tables whose swap was begun.
private final class AttemptedSwaps: Sendable {
    private let names = Mutex<Set<TableName>>([])

    func add(_ name: TableName) { names.withLock { _ = $0.insert(name) } }
    func contains(_ name: TableName) -> Bool { names.withLock { $0.contains(name) } }
}
