import BatchProtocol

/// A process that performs what a `ShardMachine` asks for, one operation on the world at a time.
///
/// All that it knows is lost in a crash.
struct Driver: Hashable {
    /// Plans and receipts as one look shows them.
    struct Look: Hashable {
        var plan: BatchPlan?
        var receipt: BatchReceipt?
        var state: ShardState

        init(_ world: World) {
            plan = world.newestPlan
            receipt = world.newestReceipt
            state = world.state(after: receipt?.batch ?? 0)
        }
    }

    enum Position: Hashable {
        case opening
        case readingTransactions(Look, [String: UInt64], next: Int)
        case lookingAgain(Look, [String: UInt64])
        case running(ShardMachine, ShardState)
        case puttingPlan(ShardMachine, ShardState, BatchPlan)
        case readingPlan(ShardMachine, ShardState, batch: UInt64)
        case readingReceipt(ShardMachine, ShardState, batch: UInt64)
        case drained
        case failed(ShardError)
    }

    /// Bytes that it reads into one batch at the most: drivers that differ make different plans.
    let bytesPerBatch: Int
    private(set) var position = Position.opening

    init(bytesPerBatch: Int) { self.bytesPerBatch = bytesPerBatch }

    /// Kills the process and starts it again.
    mutating func crash() { position = .opening }

    /// Whether it waits for the source to grow.
    func isWaiting(in world: World) -> Bool {
        guard case .running(let machine, let state) = position, case .plan = machine.step else {
            return false
        }
        return offset(state) == world.source.count && !world.coming.isEmpty
    }

    /// Performs the next operation.
    mutating func advance(_ world: inout World) {
        switch position {
        case .opening: position = .readingTransactions(Look(world), [:], next: 0)
        case .readingTransactions(let look, var found, let next):
            let name = World.group[next].name
            found[name] = world.tables[name]?.transaction
            if next + 1 < World.group.count {
                position = .readingTransactions(look, found, next: next + 1)
            } else {
                position =
                    world.defect == .openingTakesOneLook
                    ? open(look, found, world) : .lookingAgain(look, found)
            }
        case .lookingAgain(let look, let found):
            position = Look(world) == look ? open(look, found, world) : .opening
        case .running(let machine, let state): perform(machine, state, &world)
        case .puttingPlan(var machine, let state, let plan):
            if world.put(plan) {
                machine.planned(plan)
                position = .running(machine, state)
            } else {
                position = .readingPlan(machine, state, batch: plan.batch)
            }
        case .readingPlan(var machine, let state, let batch):
            guard let plan = world.plans[batch] else { preconditionFailure("plans are never removed") }
            machine.planned(plan)
            position = .running(machine, state)
        case .readingReceipt(let machine, let state, let batch):
            guard let receipt = world.receipts[batch] else {
                preconditionFailure("receipts are never removed")
            }
            end(receipt, machine, state, world)
        case .drained, .failed: break
        }
    }

    private func open(_ look: Look, _ transactions: [String: UInt64], _ world: World) -> Position {
        var record = ShardMachine.Record(plan: look.plan, receipt: look.receipt, transactions: transactions)
        if world.defect == .openPlanIsForgotten, look.plan?.batch != look.receipt?.batch { record.plan = nil }
        if record.plan == nil, let receipt = look.receipt { record.plan = world.plans[receipt.batch] }
        do {
            return .running(try ShardMachine(opening: record, parserVersion: 1), look.state)
        } catch let error as ShardError {
            return .failed(error)
        } catch {
            preconditionFailure("only ShardError is thrown: \(error)")
        }
    }

    private mutating func perform(_ machine: ShardMachine, _ state: ShardState, _ world: inout World) {
        var machine = machine
        switch machine.step {
        case .plan(let batch):
            let from = offset(state)
            let to = min(from + bytesPerBatch, world.source.count)
            position = from < to ? .puttingPlan(machine, state, plan(batch, from: from, to: to)) : .drained
        case .commit(let plan, let index):
            let name = plan.tables[index].name
            let rows = world.rows(of: plan, in: name)
            if rows.isEmpty {
                machine.skipped()
            } else {
                machine.committed(rows: rows.count, version: world.commit(rows, batch: plan.batch, to: name))
            }
            position = .running(machine, state)
        case .putReceipt(let receipt):
            if world.put(receipt) {
                end(receipt, machine, state, world)
            } else {
                position = .readingReceipt(machine, state, batch: receipt.batch)
            }
        }
        if world.defect == .receiptBeforeLastTable, case .commit(let plan, table: 1) = machine.step {
            putEarly(plan, &world)
        }
    }

    private func putEarly(_ plan: BatchPlan, _ world: inout World) {
        let tables = World.group.map {
            TableReceipt(name: $0.name, rows: 0, version: 0, lastBatch: plan.batch)
        }
        let receipt = BatchReceipt(
            batch: plan.batch,
            parserVersion: 1,
            tables: tables,
            bytes: plan.byteCount,
            gaps: []
        )
        _ = world.put(receipt)
    }

    private mutating func end(
        _ receipt: BatchReceipt,
        _ machine: ShardMachine,
        _ state: ShardState,
        _ world: World
    ) {
        var machine = machine
        var state = state
        machine.received(receipt)
        if let plan = world.plans[receipt.batch] { state.apply(plan) }
        position = .running(machine, state)
    }

    private func offset(_ state: ShardState) -> Int { Int(state.files.first?.offset ?? 0) }

    private func plan(_ batch: UInt64, from: Int, to: Int) -> BatchPlan {
        let file = TrackedFile(
            id: "1-0",
            path: "/log",
            host: "h",
            inode: 1,
            headByteCount: 0,
            headHash: "",
            offset: UInt64(to),
            tailByteCount: 0,
            tailHash: ""
        )
        return BatchPlan(
            pipeline: "p",
            appID: "app",
            batch: batch,
            plannedAt: Int64(batch) * 100 + Int64(bytesPerBatch),
            parserVersion: 1,
            stateSnapshot: 0,
            ranges: [SourceRange(file: file, from: UInt64(from), hash: "")],
            tables: World.group
        )
    }
}
