import BatchProtocol
import Catalog
import Intake

/// Sees what lies unread for a pipeline of any kind, again and again at the cost of what has changed.
///
/// Belongs to one thread.
package final class PipelineLooks {
    private enum Source {
        case files(PostgresPipelineSettings, TailedFiles)
        case objects(ObjectDrops)
        /// Objects of a bucket; each listing costs requests.
        case listed(ObjectDrops, Recurrence)
    }

    private let settings: PipelineSettings
    private var source: Source
    private var goldLag = GoldLag()

    /// Has seen nothing yet.
    ///
    /// - Parameters:
    ///   - settings: What the pipeline reads.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    ///   - uptime: In nanoseconds, by a clock that nobody sets; says when a bucket is listed again.
    package init(
        _ settings: PipelineSettings,
        clock: @escaping @Sendable () -> Int64 = { TailedFiles.kernelClock() / 1_000 },
        uptime: @escaping () -> Int64 = Uptime.nanoseconds
    ) {
        self.settings = settings
        source =
            switch settings {
            case .postgres(let settings): .files(settings, TailedFiles(source: settings.source))
            case .databricks(let settings): Self.source(settings.objects, clock, uptime)
            case .customerCSV(let settings): Self.source(settings.objects, clock, uptime)
            }
    }

    private static func source(
        _ objects: ObjectIntakeSettings,
        _ clock: @escaping @Sendable () -> Int64,
        _ uptime: @escaping () -> Int64
    ) -> Source {
        guard let interval = objects.listingInterval else { return .objects(objects.drops(clock: clock)) }
        return .listed(objects.drops(clock: clock), Recurrence(every: interval, uptime: uptime))
    }

    /// Looks at lake and source; writes nothing, and does not hold up a run.
    ///
    /// A lake or pipeline that does not exist yet is one without batches.
    ///
    /// - Parameters:
    ///   - lake: The pipeline's lake.
    ///   - now: Microseconds since 1970-01-01 UTC.
    /// - Returns: What was found.
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `Lake.LakeError`.
    package func look(_ lake: Lake, now: Int64) throws -> PipelineStatus {
        let shard = ShardStore(store: lake.store, path: ShardPath(pipeline: settings.name, shard: 0))
        let opening = try lake.openForReading() ? try shard.open(isReading: true) : nil
        if opening?.plan == nil { try settings.demandKnownLake(lake) }
        let found = try files(after: opening?.state ?? ShardState(), now: now)
        let last = opening?.receipt?.batch ?? 0
        let since = now - PipelineStatus.rateSeconds * 1_000_000
        let recent = RecentBatches(try shard.newestPlans(upTo: last, since: since))
        let table = settings.mainTable.description
        let count = PipelineStatus.recentBatchCount
        return PipelineStatus(
            pipeline: settings.name,
            table: table,
            files: found.files,
            vanishedFiles: found.look?.absent.count ?? 0,
            leftAlone: found.leftAlone,
            lastBatch: last,
            lastBatchAt: recent.plans.first?.plannedAt,
            lastBatchRows: recent.rows(of: table, batches: 1),
            openBatch: opening?.plan.flatMap { $0.batch > last ? $0.batch : nil },
            rowsPerSecond: recent.rowsPerSecond(of: table, now: now),
            quarantinedRows: recent.rows(of: settings.quarantine.description, batches: count),
            quarantineBatches: min(recent.plans.count, count),
            gold: try gold(after: opening?.receipt, in: shard),
            lastError: try FailureNote.read(pipeline: settings.name, in: lake.store),
            spool: try SpoolStatus.read(settings, beside: found.look)
        )
    }

    private func gold(after receipt: BatchReceipt?, in shard: ShardStore) throws -> GoldBacklog? {
        guard case .databricks = settings else { return nil }
        return try goldLag.backlog(after: receipt, in: shard)
    }

    private func files(
        after state: ShardState,
        now: Int64
    ) throws -> (files: [SourceFileStatus], look: Look?, leftAlone: LeftAloneObjects) {
        switch source {
        case .files(let settings, let tailed):
            let reader = FileStatusReader(settings: settings, state: state, now: now, tailed: tailed)
            let (files, look) = try reader.files()
            return (files, look, LeftAloneObjects())
        case .objects(let drops):
            return status(try drops.look(after: state.objects, limit: .max, listing: .anew), now: now)
        case .listed(let drops, var listing):
            let isDue = listing.isDue
            let look = try drops.look(after: state.objects, limit: .max, listing: isDue ? .anew : .never)
            if isDue {
                listing.note()
                source = .listed(drops, listing)
            }
            return status(look, now: now)
        }
    }

    /// Of a hundred thousand objects only the unread ones say something.
    private func status(
        _ look: ObjectLook,
        now: Int64
    ) -> (files: [SourceFileStatus], look: Look?, leftAlone: LeftAloneObjects) {
        let format = if case .customerCSV = settings { "csv" } else { "events" }
        let files = look.objects.map { object in
            SourceFileStatus(
                path: object.key,
                format: format,
                offset: object.from,
                byteCount: object.byteCount,
                lagBytes: object.byteCount - min(object.from, object.byteCount),
                lagSeconds: Double(max(0, now - object.modified)) / 1_000_000,
                pendingBytes: 0
            )
        }
        return (files, nil, look.leftAlone)
    }
}
