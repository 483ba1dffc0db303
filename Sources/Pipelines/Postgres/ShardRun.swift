import AuditFormats
import BatchProtocol
import Catalog
import DeltaLog
import DeltaTables
import Intake
import ObjectStorage

/// Carries out what the batch protocol of one shard asks for.
struct ShardRun {
    private let pipeline: PostgresPipeline
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

    /// Opens the shard as its objects and tables show it.
    init(pipeline: PostgresPipeline, shard: ShardStore, appID: String) throws {
        self.pipeline = pipeline
        self.shard = shard
        self.appID = appID
        var opening = try shard.open()
        while true {
            let transactions = try Self.transactions(of: pipeline.tables, appID: appID)
            do {
                machine = try ShardMachine(
                    opening: ShardMachine.Record(
                        plan: opening.plan,
                        receipt: opening.receipt,
                        transactions: transactions
                    ),
                    parserVersion: PostgresSchema.parserVersion
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
        of tables: [PostgresPipeline.GroupTable],
        appID: String
    ) throws -> [String: UInt64] {
        var transactions: [String: UInt64] = [:]
        for table in tables {
            try table.delta.refresh()
            if let txn = table.delta.head.transactions[appID] {
                transactions[table.name.description] = UInt64(txn.version)
            }
        }
        return transactions
    }

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
        switch machine.step {
        case .plan(let batch):
            guard !pipeline.observer.isCancelled() else {
                throw PipelineError(
                    code: .cancelled,
                    message: "the run was stopped",
                    mend: "run it again to go on"
                )
            }
            return try plan(batch)
        case .commit(let plan, let table):
            try commit(plan, table)
            return true
        case .putReceipt(let receipt):
            try finish(receipt)
            return true
        }
    }

    // MARK: Plan

    private mutating func plan(_ batch: UInt64) throws -> Bool {
        let now = pipeline.clock()
        // Whole milliseconds, as Delta's statistics have them.
        let plannedAt = max(now - now % 1_000, lastPlannedAt)
        guard let new = try pipeline.stage(batch: batch, plannedAt: plannedAt, after: state) else {
            return false
        }
        var plan = BatchPlan(
            pipeline: pipeline.settings.name,
            appID: appID,
            batch: batch,
            plannedAt: plannedAt,
            parserVersion: PostgresSchema.parserVersion,
            stateSnapshot: stateSnapshot,
            ranges: new.ranges,
            tables: pipeline.tables.enumerated().map { index, table in
                PlannedTable(
                    name: table.name.description,
                    tableID: table.delta.head.metadata.id,
                    rows: new.files[index]?.rowCount ?? 0
                )
            }
        )
        plan.forgotten = new.forgotten.isEmpty ? nil : new.forgotten
        plan.stateChanges = new.stateChanges.isEmpty ? nil : new.stateChanges
        plan.expectations = new.expectations.isEmpty ? nil : new.expectations
        pipeline.observer.phase(.plan)
        do {
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

    // MARK: Commit

    private mutating func commit(_ plan: BatchPlan, _ index: Int) throws {
        guard plan.tables.count == pipeline.tables.count,
            plan.tables[index].tableID == pipeline.tables[index].delta.head.metadata.id
        else {
            throw ShardError(
                code: .tableReplaced,
                batch: plan.batch,
                detail: "table \(plan.tables[index].name) is not the one that was planned"
            )
        }
        let planned = plan.tables[index]
        let table = pipeline.tables[index]
        guard planned.rows > 0 else { return machine.skipped() }
        if let version = try table.delta.versionHolding(batch: plan.batch, appID: appID) {
            // An earlier run or another process was faster: the bytes are not needed again.
            return machine.committed(rows: planned.rows, version: version)
        }
        let files = try stagedFiles(plan)
        // Only with lost bytes a planned table can be left without rows.
        guard let file = files[index] else { return machine.skipped() }
        switch try table.delta.append(
            [file.add],
            appID: appID,
            batch: plan.batch,
            now: pipeline.clock() / 1_000
        ) {
        case .committed(let version): machine.committed(rows: file.rowCount, version: version)
        case .alreadyCommitted(let version):
            try lakeRemove(file, of: table)
            machine.committed(rows: file.rowCount, version: version)
        }
    }

    private mutating func stagedFiles(_ plan: BatchPlan) throws -> [Int: StagedFile] {
        if let staged { return staged.files }
        let redone = try pipeline.restage(plan, after: state)
        for gap in redone.gaps { machine.lost(gap) }
        pipeline.summary.redoneBatches += 1
        staged = redone
        return redone.files
    }

    private func lakeRemove(_ file: StagedFile, of table: PostgresPipeline.GroupTable) throws {
        try pipeline.lake.store.remove("\(table.name.folder)/\(file.add.path.decoded)")
    }

    // MARK: Receipt

    private mutating func finish(_ receipt: BatchReceipt) throws {
        guard let plan = machine.openPlan else { preconditionFailure("no receipt is due") }
        pipeline.observer.phase(.receipt)
        machine.received(try shard.put(receipt))
        state.apply(plan)
        pipeline.sessionsAfter = nil
        if plan.batch == ownBatch, let sessions = staged?.sessions {
            pipeline.sessionsAfter = (plan.batch, sessions)
        }
        lastPlannedAt = plan.plannedAt
        if receipt.batch % ShardPath.stateInterval == 0 {
            try shard.put(state, after: receipt.batch)
            stateSnapshot = receipt.batch
        }
        try shard.pointHead(at: receipt.batch)
        try shard.compact(newest: receipt.batch, now: pipeline.clock())
        for (index, table) in pipeline.tables.enumerated() {
            let rows = receipt.tables.first { $0.name == table.name.description }?.rows ?? 0
            if index == 0 { pipeline.summary.quarantined += rows } else { pipeline.summary.rows += rows }
            try table.delta.maintain(
                storage: table.storage,
                interval: pipeline.settings.checkpointInterval,
                fileLimit: pipeline.settings.liveFileLimit,
                now: pipeline.clock() / 1_000
            )
        }
        pipeline.summary.batches += 1
        pipeline.summary.leftOut += staged?.leftOut.count ?? 0
        pipeline.summary.bytes += receipt.bytes
        pipeline.observer.event(.committed(report(of: receipt, plan)))
        pipeline.summary.lostBytes += receipt.gaps.reduce(0) { $0 + $1.to - $1.from }
        staged = nil
    }

    private func report(of receipt: BatchReceipt, _ plan: BatchPlan) -> BatchReport {
        func rows(_ index: Int) -> Int {
            receipt.tables.first { $0.name == pipeline.tables[index].name.description }?.rows ?? 0
        }
        return BatchReport(
            batch: receipt.batch,
            rows: rows(1),
            quarantined: rows(0),
            leftOut: staged?.leftOut.bySetting ?? [:],
            bytes: receipt.bytes,
            plannedAt: plan.plannedAt,
            finishedAt: pipeline.clock(),
            offsets: Dictionary(plan.ranges.map { ($0.file.path, $0.file.offset) }, uniquingKeysWith: max),
            expectations: plan.expectations ?? [],
            isRedone: receipt.batch != ownBatch
        )
    }
}
