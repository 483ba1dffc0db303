import BatchProtocol

/// A fault that is put into the simulation to see that it is found.
enum Defect: CaseIterable {
    /// A table takes a batch again although its `txn` has it.
    case tableIgnoresTransaction
    /// A plan overwrites another of its number.
    case planReplacesAnother
    /// Plans and receipts are not looked at a second time after the tables' transactions were read.
    case openingTakesOneLook
    /// A receipt is stored when the last table of the group is still to come.
    case receiptBeforeLastTable
    /// A restarted process plans anew instead of ending the open plan.
    case openPlanIsForgotten
}

/// A row of a simulated table: one byte of the source.
struct Row: Hashable {
    var offset: UInt64
    var byte: UInt8
    var plannedAt: Int64
}

/// A table that takes a batch at once or not at all, and once.
struct SimulatedTable: Hashable {
    var version: Int64 = 0
    var transaction: UInt64?
    var rows: [Row] = []
}

/// What all processes of a simulation share and what a crash leaves: a source that grows, the objects, the tables.
struct World: Hashable {
    /// Takes every byte.
    static let every = PlannedTable(
        name: "main.log.every",
        tableID: "11111111-0000-4000-a000-000000000000",
        rows: 1
    )
    /// Takes capital letters only, so a batch may have no row in it.
    static let capitals = PlannedTable(
        name: "main.log.capitals",
        tableID: "22222222-0000-4000-a000-000000000000",
        rows: 1
    )
    static let group = [every, capitals]

    var source: [UInt8]
    /// What will be appended to the source, piece by piece.
    var coming: [[UInt8]]
    var plans: [UInt64: BatchPlan] = [:]
    var receipts: [UInt64: BatchReceipt] = [:]
    var tables = Dictionary(uniqueKeysWithValues: group.map { ($0.name, SimulatedTable()) })
    let defect: Defect?

    /// A world whose source grows by one piece at a time.
    init(_ pieces: [String], defect: Defect? = nil) {
        source = Array((pieces.first ?? "").utf8)
        coming = pieces.dropFirst().map { Array($0.utf8) }
        self.defect = defect
    }

    mutating func grow() { source += coming.removeFirst() }

    /// Stores a plan unless its number is taken; returns whether it was free.
    mutating func put(_ plan: BatchPlan) -> Bool {
        guard plans[plan.batch] == nil || defect == .planReplacesAnother else { return false }
        plans[plan.batch] = plan
        return true
    }

    /// Stores a receipt unless there is one; returns whether there was none.
    mutating func put(_ receipt: BatchReceipt) -> Bool {
        guard receipts[receipt.batch] == nil else { return false }
        receipts[receipt.batch] = receipt
        return true
    }

    /// Commits rows with a `txn`, once; returns the version that holds them.
    mutating func commit(_ rows: [Row], batch: UInt64, to name: String) -> Int64 {
        var table = tables[name] ?? SimulatedTable()
        if table.transaction ?? 0 >= batch, defect != .tableIgnoresTransaction { return table.version }
        table.version += 1
        table.transaction = batch
        table.rows += rows
        tables[name] = table
        return table.version
    }

    /// The rows that a plan has for a table.
    func rows(of plan: BatchPlan, in name: String) -> [Row] {
        plan.ranges.flatMap { range in
            (range.from..<range.file.offset).map { offset in
                Row(offset: offset, byte: source[Int(offset)], plannedAt: plan.plannedAt)
            }
        }.filter { name == World.every.name || (65...90).contains($0.byte) }
    }

    /// How far the batches up to `batch` have read.
    func state(after batch: UInt64) -> ShardState {
        var state = ShardState()
        for number in 0..<batch { if let plan = plans[number + 1] { state.apply(plan) } }
        return state
    }

    var newestPlan: BatchPlan? { plans.values.max { $0.batch < $1.batch } }
    var newestReceipt: BatchReceipt? { receipts.values.max { $0.batch < $1.batch } }
}
