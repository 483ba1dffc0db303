/// The batch protocol of one shard: says what to do next and is told how it went.
///
/// It does nothing itself.
///
/// One batch at a time: plan, then each table of the group in order, then the receipt. The plan and the tables' `txn`
/// are the fence between processes that work on the same shard at once; whoever comes second takes over the other's
/// plan and finds its commits done.
package struct ShardMachine: Hashable, Sendable {
    /// What to do next.
    package enum Step: Hashable, Sendable {
        /// Nothing is open: read input and propose a plan with this number, or stop.
        case plan(batch: UInt64)
        /// Commit the rows that the plan has for table number `table` of its group.
        case commit(BatchPlan, table: Int)
        /// Store the receipt unless one is there.
        case putReceipt(BatchReceipt)
    }

    /// How far a shard had come when it was opened.
    package struct Record: Hashable, Sendable {
        /// The newest plan.
        package var plan: BatchPlan?
        /// The newest receipt.
        package var receipt: BatchReceipt?
        /// By table name, the version in the table's `txn` for this shard.
        package var transactions: [String: UInt64]

        /// Creates a record; that of a new shard is empty.
        package init(
            plan: BatchPlan? = nil,
            receipt: BatchReceipt? = nil,
            transactions: [String: UInt64] = [:]
        ) {
            self.plan = plan
            self.receipt = receipt
            self.transactions = transactions
        }
    }

    private enum Phase: Hashable, Sendable {
        case idle
        case committing(BatchPlan, table: Int)
        case receiving(BatchPlan)
    }

    private var phase: Phase
    private var nextBatch: UInt64
    private let parserVersion: Int
    /// By name, what the shard has left in each table so far.
    private var tables: [TableReceipt]
    private var gaps: [SourceGap] = []
    /// The first batch that has rows for tables which were left for later; nil when all tables have all.
    package private(set) var deferredFrom: UInt64?

    /// Opens a shard.
    ///
    /// - Parameters:
    ///   - record: What was found in the store and in the tables.
    ///   - parserVersion: The rules of this release.
    /// - Throws: `ShardError` when plans, receipts and tables contradict each other.
    package init(opening record: Record, parserVersion: Int) throws {
        self.parserVersion = parserVersion
        tables = record.receipt?.tables ?? []
        let received = record.receipt?.batch ?? 0
        deferredFrom = record.receipt?.deferredFrom
        nextBatch = received + 1
        phase = .idle
        for format in [record.plan?.format, record.receipt?.format] {
            guard let format, format > BatchPlan.currentFormat else { continue }
            throw ShardError(
                code: .newerFormat,
                batch: received,
                detail:
                    "its plan or receipt has format \(format); this release knows \(BatchPlan.currentFormat)"
            )
        }
        let planned = record.plan?.batch ?? 0
        guard planned == received || planned == received + 1 else {
            throw ShardError(
                code: .brokenSequence,
                batch: planned,
                detail: "the newest plan is \(planned), the newest receipt \(received)"
            )
        }
        let open = planned == received + 1 ? record.plan : nil
        let deferrable = Set(record.plan?.tables.filter { $0.isDeferrable == true }.map(\.name) ?? [])
        try check(record.transactions, open: open, received: received, deferrable: deferrable)
        if let open { phase = Self.start(of: open) }
    }

    private func check(
        _ transactions: [String: UInt64],
        open: BatchPlan?,
        received: UInt64,
        deferrable: Set<String>
    ) throws {
        var isPartlyCommitted = false
        for name in Set(tables.map(\.name)).union(transactions.keys).sorted() {
            let expected = tables.first { $0.name == name }?.lastBatch ?? 0
            let found = transactions[name]
            if let open, found == open.batch {
                isPartlyCommitted = true
                continue
            }
            guard found ?? 0 != expected else { continue }
            // What was left for later may have been brought in since.
            if deferredFrom != nil, deferrable.contains(name), (expected...received).contains(found ?? 0) {
                continue
            }
            throw ShardError(
                code: found == nil ? .missingTransaction : .transactionMismatch,
                batch: expected,
                detail:
                    "table \(name) holds \(found.map { "batch \($0)" } ?? "nothing") of this shard, the receipts say batch \(expected)"
            )
        }
        if let open, isPartlyCommitted, open.parserVersion != parserVersion {
            throw ShardError(
                code: .parserVersion,
                batch: open.batch,
                detail: "begun under parser version \(open.parserVersion), this release has \(parserVersion)"
            )
        }
    }

    /// What to do next.
    package var step: Step {
        switch phase {
        case .idle: .plan(batch: nextBatch)
        case .committing(let plan, let table): .commit(plan, table: table)
        case .receiving(let plan): .putReceipt(receipt(of: plan))
        }
    }

    private func receipt(of plan: BatchPlan) -> BatchReceipt {
        var receipt = BatchReceipt(
            batch: plan.batch,
            parserVersion: parserVersion,
            tables: tables,
            bytes: plan.byteCount,
            gaps: (plan.gaps ?? []) + gaps
        )
        receipt.deferredFrom = deferredFrom
        return receipt
    }

    /// The batch that is planned and has no receipt yet.
    package var openPlan: BatchPlan? {
        switch phase {
        case .idle: nil
        case .committing(let plan, _), .receiving(let plan): plan
        }
    }

    /// The plan is stored: our own, or that of another process, whose rows are then to be made from its ranges.
    package mutating func planned(_ plan: BatchPlan) {
        precondition(phase == .idle && plan.batch == nextBatch, "a plan follows its predecessor's receipt")
        gaps = []
        phase = Self.start(of: plan)
    }

    private static func start(of plan: BatchPlan) -> Phase {
        plan.tables.isEmpty ? .receiving(plan) : .committing(plan, table: 0)
    }

    /// The present table holds the batch, by us or by another process.
    ///
    /// - Parameters:
    ///   - rows: Rows of the batch in the table.
    ///   - version: The table's version with them.
    package mutating func committed(rows: Int, version: Int64) {
        finishTable { batch, table in
            table.rows = rows
            table.version = version
            table.lastBatch = batch
        }
    }

    /// The plan has no rows for the present table.
    package mutating func skipped() { finishTable { _, table in table.rows = 0 } }

    /// The rows of the present table are left for later.
    package mutating func deferred() {
        guard let batch = openPlan?.batch else { preconditionFailure("no table is being committed") }
        deferredFrom = deferredFrom ?? batch
        finishTable { _, table in table.rows = 0 }
    }

    /// Tables that were left for later have all batches with a receipt.
    ///
    /// - Parameter held: By name, the last batch that each holds, and the table's version with it.
    package mutating func caughtUp(_ held: [String: (batch: UInt64, version: Int64)]) {
        deferredFrom = nil
        for (name, last) in held {
            if let index = tables.firstIndex(where: { $0.name == name }) {
                tables[index].lastBatch = last.batch
                tables[index].version = last.version
            } else {
                tables.append(
                    TableReceipt(name: name, rows: 0, version: last.version, lastBatch: last.batch)
                )
            }
        }
    }

    private mutating func finishTable(_ change: (UInt64, inout TableReceipt) -> Void) {
        guard case .committing(let plan, let index) = phase else {
            preconditionFailure("no table is being committed")
        }
        let name = plan.tables[index].name
        if let found = tables.firstIndex(where: { $0.name == name }) {
            change(plan.batch, &tables[found])
        } else {
            var table = TableReceipt(name: name, rows: 0, version: 0, lastBatch: 0)
            change(plan.batch, &table)
            tables.append(table)
        }
        phase = index + 1 < plan.tables.count ? .committing(plan, table: index + 1) : .receiving(plan)
    }

    /// Bytes of the open plan are gone and the configuration says to go on without them.
    package mutating func lost(_ gap: SourceGap) { gaps.append(gap) }

    /// The receipt is stored, by us or by another process: the batch is over.
    package mutating func received(_ receipt: BatchReceipt) {
        guard case .receiving(let plan) = phase else { preconditionFailure("no receipt is due") }
        tables = receipt.tables
        deferredFrom = receipt.deferredFrom
        nextBatch = plan.batch + 1
        phase = .idle
    }
}
