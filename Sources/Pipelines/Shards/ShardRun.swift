import BatchProtocol
import Catalog
import DeltaLog
import DeltaTables
import ObjectStorage

/// Carries out what the batch protocol of one shard asks for.
struct ShardRun {
    private let pipeline: any BatchWork
    let shard: ShardStore
    let appID: String
    private var machine: ShardMachine
    private var state: ShardState
    private var stateSnapshot: UInt64
    private var lastPlannedAt: Int64
    /// Durable data files of the open plan, by table of the group; nil when another process or an earlier run planned.
    private var staged: StagedBatch?
    /// The last batch that was planned here, not by an earlier run or another process.
    private var ownBatch: UInt64 = 0
    /// Whether tables were maintained after the last batch.
    private(set) var hasKeptTablesShort = false

    /// Opens the shard as its objects and tables show it.
    ///
    /// - Parameters:
    ///   - pipeline: Does the work.
    ///   - shard: The objects.
    ///   - appID: The shard's uuid.
    ///   - opening: What is known of the shard, when somebody has looked already.
    /// - Throws: `ShardError`, `PipelineError`, `StorageError`.
    init(pipeline: any BatchWork, shard: ShardStore, appID: String, opening: ShardStore.Opening? = nil) throws
    {
        self.pipeline = pipeline
        self.shard = shard
        self.appID = appID
        var opening = try opening ?? shard.open()
        while true {
            // Those that were opened before may be older than the shard's objects.
            let fresh = try pipeline.openTables(of: opening, appID: appID)
            for table in pipeline.tables where !fresh.contains(table.name) { try table.delta.refresh() }
            let transactions = Self.transactions(of: pipeline.tables, appID: appID)
            do {
                machine = try ShardMachine(
                    opening: ShardMachine.Record(
                        plan: opening.plan,
                        receipt: opening.receipt,
                        transactions: transactions
                    ),
                    parserVersion: pipeline.parserVersion
                )
                break
            } catch let error as ShardError {
                // Shard and tables are read one after the other: another process may have gone on in between.
                let newer = try shard.open()
                guard newer.plan != opening.plan || newer.receipt != opening.receipt else { throw error }
                opening = newer
            }
        }
        state = opening.state
        stateSnapshot = opening.stateSnapshot
        lastPlannedAt = opening.plan?.plannedAt ?? 0
    }

    /// By table name, the last batch of this shard that the table holds now.
    private static func transactions(
        of tables: [GroupTable],
        appID: String
    ) -> [String: UInt64] {
        var transactions: [String: UInt64] = [:]
        for table in tables {
            if let txn = table.delta.head.transactions[appID] {
                transactions[table.name.description] = UInt64(txn.version)
            }
        }
        return transactions
    }

    /// How far the batches with a receipt have read tailed files.
    var positions: [TrackedFile] { state.files }

    /// Whether a batch is planned that has no receipt yet.
    var hasOpenBatch: Bool { machine.openPlan != nil }

    /// The newest batch with a receipt; nil before the first.
    var newestReceipt: UInt64? {
        let next: UInt64
        if case .plan(let batch) = machine.step { next = batch } else { next = machine.openPlan?.batch ?? 1 }
        return next > 1 ? next - 1 : nil
    }

    /// Takes one step; false when nothing is left to do.
    mutating func advance() throws -> Bool {
        if !pipeline.isDeferring, let first = machine.deferredFrom { try catchUp(from: first) }
        switch machine.step {
        case .plan(let batch):
            try demandNoStop()
            return try plan(batch)
        case .commit(let plan, let table):
            try commit(plan, table)
            return true
        case .putReceipt(let receipt):
            try finish(receipt)
            return true
        }
    }

    private func demandNoStop() throws {
        guard pipeline.observer.isCancelled() else { return }
        throw PipelineError(
            code: .cancelled,
            message: "the run was stopped",
            mend: "run it again to go on"
        )
    }

    // MARK: Plan

    private mutating func plan(_ batch: UInt64) throws -> Bool {
        let now = pipeline.clock()
        // Whole milliseconds, as Delta's statistics have them.
        let earliest = pipeline.plansAtDistinctTimes ? lastPlannedAt + 1_000 : lastPlannedAt
        let plannedAt = max(now - now % 1_000, earliest)
        guard let new = try pipeline.stage(batch: batch, plannedAt: plannedAt, after: state) else {
            return false
        }
        let plan = plan(batch, plannedAt: plannedAt, of: new)
        pipeline.observer.phase(.plan)
        do {
            if batch > 1 { try shard.demandReceipt(batch - 1) }
            let isOurs = try shard.put(plan)
            if isOurs, try shard.isCompacted(batch) {
                // The number was free only because its plan is so old that it was compacted.
                pipeline.remove(new)
                try shard.withdraw(plan)
                self = try ShardRun(pipeline: pipeline, shard: shard, appID: appID)
                return true
            }
            guard isOurs else {
                // Another process planned this batch: its plan stands, our files go.
                pipeline.remove(new)
                self = try ShardRun(pipeline: pipeline, shard: shard, appID: appID)
                return true
            }
        } catch {
            // Whether the plan is there or not, the next run finds out; it does not use these files.
            pipeline.remove(new)
            throw error
        }
        staged = new
        ownBatch = batch
        machine.planned(plan)
        return true
    }

    private func plan(_ batch: UInt64, plannedAt: Int64, of staged: StagedBatch) -> BatchPlan {
        var plan = BatchPlan(
            pipeline: pipeline.name,
            appID: appID,
            batch: batch,
            plannedAt: plannedAt,
            parserVersion: pipeline.parserVersion,
            stateSnapshot: stateSnapshot,
            ranges: staged.ranges,
            tables: pipeline.tables.map { table in
                var planned = PlannedTable(
                    name: table.name.description,
                    tableID: table.delta.head.metadata.id,
                    rows: staged.rowCount(table.name),
                    isDeferrable: pipeline.isDeferrable(table.name)
                )
                if table.name == pipeline.mainTable { planned.comparedVersion = staged.comparedVersion }
                return planned
            }
        )
        plan.objects = staged.objects.isEmpty ? nil : staged.objects
        plan.settings = staged.settings
        plan.forgotten = staged.forgotten.isEmpty ? nil : staged.forgotten
        plan.firstDay = staged.firstDay
        plan.stateChanges = staged.stateChanges.isEmpty ? nil : staged.stateChanges
        plan.expectations = staged.expectations.isEmpty ? nil : staged.expectations
        plan.gaps = staged.vanished.isEmpty ? nil : staged.vanished
        return plan
    }

    // MARK: Commit

    private mutating func commit(_ plan: BatchPlan, _ index: Int) throws {
        let planned = plan.tables[index]
        guard let table = pipeline.tables.first(where: { $0.name.description == planned.name }),
            planned.tableID == table.delta.head.metadata.id
        else {
            throw ShardError(
                code: .tableReplaced,
                batch: plan.batch,
                detail: "table \(planned.name) is not the one that was planned"
            )
        }
        guard planned.rows > 0 else { return machine.skipped() }
        if pipeline.isDeferring, planned.isDeferrable == true { return machine.deferred() }
        if let version = try table.delta.versionHolding(batch: plan.batch, appID: appID) {
            // An earlier run or another process was faster: the bytes are not needed again.
            return machine.committed(rows: planned.rows, version: version)
        }
        let staged = try staged(for: plan)
        // Only with lost bytes a planned table can be left without rows.
        guard let files = staged.files[table.name], !files.isEmpty else { return machine.skipped() }
        let rowCount = staged.rowCount(table.name)
        try pipeline.opener.make(table)
        switch try table.delta.append(
            files.map(\.add),
            growing: staged.grown[table.name],
            appID: appID,
            batch: plan.batch,
            now: pipeline.clock() / 1_000
        ) {
        case .committed(let version): machine.committed(rows: rowCount, version: version)
        case .alreadyCommitted(let version):
            for file in files {
                try pipeline.lake.store.remove("\(table.folder)/\(file.add.path.decoded)")
            }
            machine.committed(rows: rowCount, version: version)
        }
    }

    /// The data files of the open plan, made anew when this run did not plan it.
    private mutating func staged(for plan: BatchPlan) throws -> StagedBatch {
        if let staged { return staged }
        let wanted = pipeline.tables.filter { table in
            Int64(plan.batch) > table.delta.head.transactions[appID]?.version ?? 0
        }
        let redone = try pipeline.restage(plan, for: Set(wanted.map(\.name)), after: state)
        for gap in redone.gaps { machine.lost(gap) }
        pipeline.summary.redoneBatches += 1
        staged = redone
        return redone
    }

    // MARK: What was left for later

    /// Brings tables that were left for later up to the newest batch that has its receipt by now.
    ///
    /// A batch that is open is left to the process that has begun it.
    mutating func bringInWhatIsReceived() throws {
        if try shard.hasReceipt(after: newestReceipt ?? 0) {
            self = try ShardRun(pipeline: pipeline, shard: shard, appID: appID)
        }
        if let first = machine.deferredFrom { try catchUp(from: first) }
    }

    /// Brings tables that were left for later up to the newest receipt, batch by batch.
    private mutating func catchUp(from first: UInt64) throws {
        guard let newest = newestReceipt else { return }
        var next = max(first, try shard.deferredHint() + 1)
        while next <= newest {
            try demandNoStop()
            guard let plan = try shard.plan(next) else {
                throw ShardError(
                    code: .brokenSequence,
                    batch: next,
                    detail: "\(shard.store.path(shard.path.plan(next))) is missing"
                )
            }
            try bringIn(plan)
            try shard.hintDeferred(next)
            next += 1
        }
        var held: [String: (batch: UInt64, version: Int64)] = [:]
        for table in pipeline.tables where pipeline.isDeferrable(table.name) {
            guard let last = table.delta.head.transactions[appID] else { continue }
            held[table.name.description] = (UInt64(last.version), table.delta.head.version)
        }
        machine.caughtUp(held)
    }

    private func bringIn(_ plan: BatchPlan) throws {
        let due = pipeline.tables.filter { table in
            plan.tables.contains {
                $0.name == table.name.description && $0.isDeferrable == true && $0.rows > 0
            } && Int64(plan.batch) > table.delta.head.transactions[appID]?.version ?? 0
        }
        guard !due.isEmpty else { return }
        let staged = try pipeline.restage(plan, for: Set(due.map(\.name)), after: state)
        var rows: [TableName: Int] = [:]
        for table in due {
            guard let files = staged.files[table.name], !files.isEmpty else { continue }
            try pipeline.opener.make(table)
            let result = try table.delta.append(
                files.map(\.add),
                growing: staged.grown[table.name],
                appID: appID,
                batch: plan.batch,
                now: pipeline.clock() / 1_000
            )
            guard case .alreadyCommitted = result else {
                rows[table.name] = staged.rowCount(table.name)
                continue
            }
            for file in files {
                try pipeline.lake.store.remove("\(table.folder)/\(file.add.path.decoded)")
            }
        }
        pipeline.summary.lateBatches += 1
        pipeline.summary.lateRows.merge(rows, uniquingKeysWith: +)
        pipeline.observer.event(.broughtIn(batch: plan.batch, rows: rows))
    }

    // MARK: Receipt

    private mutating func finish(_ receipt: BatchReceipt) throws {
        guard let plan = machine.openPlan else { preconditionFailure("no receipt is due") }
        pipeline.observer.phase(.receipt)
        machine.received(try shard.put(receipt))
        state.apply(plan)
        pipeline.received(plan, isOwn: plan.batch == ownBatch)
        lastPlannedAt = plan.plannedAt
        if ShardPath.hasState(receipt.batch, isSmall: state.isSmall) {
            try shard.put(state, after: receipt.batch)
            stateSnapshot = receipt.batch
        }
        try shard.pointHead(at: receipt.batch)
        try shard.compact(newest: receipt.batch, now: pipeline.clock())
        let report = report(of: receipt, plan)
        pipeline.summary.rows += report.rows
        pipeline.summary.quarantined += report.quarantined
        try keepTablesShort()
        pipeline.summary.batches += 1
        pipeline.summary.leftOut += report.leftOut.values.reduce(0, +)
        pipeline.summary.bytes += receipt.bytes
        pipeline.observer.event(.committed(report))
        pipeline.summary.lostBytes += report.lostBytes
        staged = nil
    }

    /// Maintains the tables whose logs are due, the longest first, and no more after one batch than come due in one on
    /// average: tables that were made together would all ask for it together.
    private mutating func keepTablesShort() throws {
        let upkeep = pipeline.upkeep
        let due = pipeline.tables
            .filter { $0.delta.commitsSinceCheckpoint >= upkeep.checkpointInterval }
            .sorted { $0.delta.commitsSinceCheckpoint > $1.delta.commitsSinceCheckpoint }
        hasKeptTablesShort = !due.isEmpty
        for table in due.prefix(1 + pipeline.tables.count / Int(upkeep.checkpointInterval)) {
            try table.delta.maintain(
                storage: table.storage,
                interval: upkeep.checkpointInterval,
                fileLimit: upkeep.liveFileLimit,
                now: pipeline.clock() / 1_000
            )
        }
    }

    private func report(of receipt: BatchReceipt, _ plan: BatchPlan) -> BatchReport {
        func rows(_ name: TableName?) -> Int {
            receipt.tables.first { $0.name == name?.description }?.rows ?? 0
        }
        return BatchReport(
            batch: receipt.batch,
            rows: rows(pipeline.mainTable),
            quarantined: rows(pipeline.quarantine),
            leftOut: staged?.leftOut ?? [:],
            bytes: receipt.bytes,
            plannedAt: plan.plannedAt,
            finishedAt: pipeline.clock(),
            offsets: Dictionary(
                plan.ranges.map { ($0.file.path, $0.file.offset) },
                uniquingKeysWith: max
            ),
            lostBytes: receipt.gaps.reduce(0) { $0 + $1.to - $1.from },
            expectations: plan.expectations ?? [],
            isRedone: receipt.batch != ownBatch
        )
    }
}
