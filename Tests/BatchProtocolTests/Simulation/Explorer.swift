import BatchProtocol

/// Runs every schedule of a simulation: any process may go on or crash, and the source may grow, at every point.
///
/// A state that was reached before is not entered again, so crashes need no bound.
struct Explorer {
    enum Move: Hashable {
        case run(Int)
        case crash(Int)
        case grow
    }

    struct State: Hashable {
        var world: World
        var drivers: [Driver]
    }

    /// A schedule after which something is wrong.
    struct Violation: CustomStringConvertible {
        var what: String
        var schedule: [Move]
        var description: String { "\(what) after \(schedule.map { "\($0)" }.joined(separator: " "))" }
    }

    private(set) var violation: Violation?
    /// Different states that were reached.
    private(set) var stateCount = 0
    /// States in which all processes had nothing left to do.
    private(set) var endCount = 0
    /// States from which the processes are known to end.
    private var ending: Set<State> = []
    private var trail: [(parent: Int, move: Move)] = []

    /// Explores from a world in which every driver is about to start; ends at the first violation.
    init(_ world: World, drivers: [Driver]) {
        let start = State(world: world, drivers: drivers)
        var seen: Set<State> = [start]
        var open: [(state: State, trail: Int)] = [(start, -1)]
        while let (state, place) = open.popLast() {
            let moves = Self.moves(state)
            if state.isEnd { endCount += 1 }
            if let what = state.fault ?? (comesToAnEnd(state) ? nil : "the processes never end") {
                violation = Violation(what: what, schedule: schedule(to: place))
                break
            }
            for move in moves {
                let next = Self.apply(move, to: state)
                guard seen.insert(next).inserted else { continue }
                trail.append((place, move))
                open.append((next, trail.count - 1))
            }
        }
        stateCount = seen.count
    }

    private static func moves(_ state: State) -> [Move] {
        var moves: [Move] = state.world.coming.isEmpty ? [] : [.grow]
        for (index, driver) in state.drivers.enumerated() {
            if driver.position != .drained, !driver.isWaiting(in: state.world) { moves.append(.run(index)) }
            if driver.position != .opening { moves.append(.crash(index)) }
        }
        return moves
    }

    /// Whether the processes end when they take turns and nothing more happens to them.
    private mutating func comesToAnEnd(_ state: State) -> Bool {
        var state = state
        var passed: [State] = []
        while !state.isEnd, !ending.contains(state) {
            guard passed.count < 200 else { return false }
            passed.append(state)
            while !state.world.coming.isEmpty { state.world.grow() }
            for index in state.drivers.indices { state.drivers[index].advance(&state.world) }
        }
        ending.formUnion(passed)
        return true
    }

    private static func apply(_ move: Move, to state: State) -> State {
        var state = state
        switch move {
        case .run(let index): state.drivers[index].advance(&state.world)
        case .crash(let index): state.drivers[index].crash()
        case .grow: state.world.grow()
        }
        return state
    }

    private func schedule(to place: Int) -> [Move] {
        var moves: [Move] = []
        var place = place
        while place >= 0 {
            moves.append(trail[place].move)
            place = trail[place].parent
        }
        return moves.reversed()
    }
}

extension Explorer.State {
    /// Whether all processes have drained the source.
    var isEnd: Bool { world.coming.isEmpty && drivers.allSatisfy { $0.position == .drained } }

    /// What is wrong in this state; nil when nothing is.
    var fault: String? {
        for driver in drivers {
            if case .failed(let error) = driver.position { return "a process stopped: \(error)" }
        }
        return world.fault ?? (isEnd ? world.faultAtEnd : nil)
    }
}

extension World {
    /// What must hold at every instant.
    fileprivate var fault: String? {
        let received = UInt64(receipts.count)
        guard received == newestReceipt?.batch ?? 0,
            (received...received + 1).contains(newestPlan?.batch ?? 0)
        else {
            return "plans \(plans.keys.sorted()) with receipts \(receipts.keys.sorted())"
        }
        for (name, table) in tables {
            let planned = plans.values.sorted { $0.batch < $1.batch }.map {
                (batch: $0.batch, rows: rows(of: $0, in: name))
            }
            let least = planned.filter { $0.batch <= received }.flatMap(\.rows)
            let most = planned.flatMap(\.rows)
            guard table.rows == least || table.rows == most else {
                return
                    "\(name) holds \(table.rows.map(\.offset)), planned are \(most.map(\.offset)), \(received) received"
            }
        }
        return nil
    }

    /// What must hold when everything has been read.
    fileprivate var faultAtEnd: String? {
        guard plans.count == receipts.count else { return "a plan has no receipt" }
        for (name, table) in tables {
            let expected = source.indices.filter {
                name == World.every.name || (65...90).contains(source[$0])
            }
            guard table.rows.map(\.offset) == expected.map(UInt64.init) else {
                return "\(name) holds \(table.rows.map(\.offset)) of \(expected)"
            }
            let receipt = newestReceipt?.tables.first { $0.name == name }
            guard receipt?.lastBatch == table.transaction ?? 0, receipt?.version ?? 0 <= table.version else {
                return "the last receipt says \(String(describing: receipt)), the table \(table)"
            }
        }
        for (batch, receipt) in receipts {
            guard let plan = plans[batch] else { return "receipt \(batch) has no plan" }
            for table in receipt.tables where table.rows != rows(of: plan, in: table.name).count {
                return "receipt \(batch) counts \(table.rows) rows of \(table.name)"
            }
            guard receipt.tables.map(\.name) == World.group.map(\.name), receipt.bytes == plan.byteCount
            else {
                return "receipt \(batch) is not complete: \(receipt)"
            }
        }
        return nil
    }
}
