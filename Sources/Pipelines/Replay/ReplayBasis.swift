import AuditFormats
import BatchProtocol
import Catalog
import DeltaTables

/// Where a shard stands when a replay begins: between two batches, with all tables at the newest receipt.
struct ReplayBasis {
    /// The time of the newest batch: rows of later ones are left alone.
    var plannedAt: Int64
    /// The services and keys so far.
    var known: KnownServices
    /// The raw lines.
    var bronze: DeltaTable
    /// The tables of the layer that are there, at the version that has the newest batch.
    var tables: [TableName: DeltaTable]
}

extension DatabricksPipeline {
    /// Time between two looks at a shard that is amid a batch.
    private static let lookInterval = Duration.milliseconds(50)

    /// Finds a moment between two batches.
    ///
    /// - Parameters:
    ///   - layer: The layer whose tables are wanted.
    ///   - mayApply: Whether a batch without rows, which a replay that was killed has left open, may be finished.
    ///   - patience: How long an open batch may take.
    /// - Returns: The shard and the layer's tables at its newest receipt.
    /// - Throws: `PipelineError` with code `unsettled` when a batch stays open or gold was left for later.
    func replayBasis(of layer: ReplayLayer, mayApply: Bool, patience: Duration) throws -> ReplayBasis {
        let deadline = ContinuousClock.now + patience
        while true {
            if let basis = try replayBasis(of: layer) { return basis }
            if mayApply, try finishAmendment() { continue }
            guard ContinuousClock.now < deadline, !observer.isCancelled() else {
                throw PipelineError(
                    code: .unsettled,
                    message: "a batch of the pipeline \(name) is open: it is in some of its tables only",
                    mend: "finish it with: auditlake run --once \(name)"
                )
            }
            StopRequest().sleep(for: Self.lookInterval)
        }
    }

    /// Finishes the open batch when it has no rows; returns whether it had none.
    private func finishAmendment() throws -> Bool {
        let shard = ShardStore(store: lake.store, path: ShardPath(pipeline: name, shard: 0))
        let opening = try shard.open(isReading: true)
        guard let plan = opening.plan, plan.batch != opening.receipt?.batch,
            plan.tables.allSatisfy({ $0.rows == 0 })
        else { return false }
        var run = try open()
        while run.hasOpenBatch { _ = try run.advance() }
        return true
    }

    /// nil when a batch is open.
    private func replayBasis(of layer: ReplayLayer) throws -> ReplayBasis? {
        let shard = ShardStore(store: lake.store, path: ShardPath(pipeline: name, shard: 0))
        guard try lake.openForReading(), try lake.store.exists(shard.path.identity) else {
            throw nothingToReplay
        }
        let appID = try shard.appID(pipeline: name)
        let opening = try shard.open(isReading: true)
        guard let plan = opening.plan, opening.receipt?.batch == plan.batch else {
            if opening.plan == nil { throw nothingToReplay }
            return nil
        }
        guard let receipt = opening.receipt, let bronze = try lake.table(settings.bronze) else {
            throw nothingToReplay
        }
        if layer == .gold, receipt.deferredFrom != nil, try shard.deferredHint() < receipt.batch {
            throw PipelineError(
                code: .unsettled,
                message: "gold of the pipeline \(name) was left for later and has not all batches",
                mend: "bring it up with: auditlake run --once --only gold \(name)"
            )
        }
        let known = try KnownServices(opening.state)
        let names =
            layer == .silver
            ? [settings.silver, settings.quarantine] : known.services.map(settings.gold)
        var tables: [TableName: DeltaTable] = [:]
        for name in names {
            let last = receipt.tables.first { $0.name == name.description }?.lastBatch ?? 0
            guard let table = try lake.table(name) else {
                guard last == 0 else { throw lacksBatch(name, last) }
                continue
            }
            let held = UInt64(table.head.transactions[appID]?.version ?? 0)
            // The next batch has begun meanwhile.
            guard held <= receipt.batch else { return nil }
            let wasLate = layer == .gold && receipt.deferredFrom != nil
            guard held == last || wasLate && held > last else { throw lacksBatch(name, last) }
            tables[name] = table
        }
        return ReplayBasis(plannedAt: plan.plannedAt, known: known, bronze: bronze, tables: tables)
    }

    private var nothingToReplay: PipelineError {
        PipelineError(
            code: .unsettled,
            message: "the pipeline \(name) has no batch in this lake",
            mend: "load one with: auditlake run --once \(name)"
        )
    }

    private func lacksBatch(_ table: TableName, _ batch: UInt64) -> PipelineError {
        PipelineError(
            code: .damagedState,
            message: "table \(table) does not hold batch \(batch), the receipts say that it does",
            mend: "bring the table's _delta_log back from a backup"
        )
    }
}
