import Testing

@testable import DeltaLog

/// A writer of the race: what it wants to commit, and how far it has come.
private struct Writer: Hashable {
    enum Work: Hashable {
        /// Appends batch 1 of an application as row `row`, with a new column when one is given.
        case append(appId: String, row: String, column: String?)
        /// Merges the files x and y.
        case compact
        /// Removes the file x with its row.
        case delete
    }

    enum Phase: Hashable {
        case idle
        /// Number of the attempt in the explorer's table.
        case attempting(Int)
        case done(CommitStep?)
    }

    var name: String
    var work: Work
    var phase = Phase.idle
    var attempts = 0
}

/// One commit file on its way to the log.
private struct Put: Hashable {
    var version: Int64
    /// Number of the bytes in the explorer's table.
    var bytes: Int
}

private struct World: Hashable {
    /// Commit files by version.
    var log: [Int] = []
    /// Puts whose answer is lost and that may still arrive.
    var late: [Put] = []
    var writers: [Writer]
    var faultsLeft: Int

    /// Put-if-absent; true when it created the file.
    mutating func put(_ version: Int64, _ bytes: Int) -> Bool {
        guard log.count == version else { return false }
        log.append(bytes)
        return true
    }
}

/// Values by number: worlds of numbers are quick to compare.
private struct Numbers<Value: Hashable> {
    private var numbers: [Value: Int] = [:]
    private(set) var values: [Value] = []

    mutating func number(_ value: Value) -> Int {
        if let known = numbers[value] {
            return known
        }
        numbers[value] = values.count
        values.append(value)
        return values.count - 1
    }
}

/// Walks through every order of steps and every fault.
private struct Explorer {
    /// What may go wrong with one put.
    enum Fault: CaseIterable {
        case lostRequest
        case lostAnswer
        case lateArrival
        case crashBefore
        case crashAfter
        case crashThenLateArrival
    }

    private(set) var finals: [World] = []
    private var seen: Set<World> = []
    private var commits: [Put: Commit] = [:]
    private var snapshots: [[Int]: Snapshot] = [:]
    private var attempts = Numbers<CommitAttempt>()
    private var files = Numbers<[UInt8]>()
    private var nextSteps: [Int: CommitStep] = [:]
    var stateCount: Int {
        seen.count
    }

    mutating func explore(_ start: World) throws {
        var stack = [start]
        while let world = stack.popLast() {
            guard seen.insert(world).inserted else { continue }
            let next = try successors(world)
            if next.isEmpty {
                finals.append(world)
            }
            stack += next
        }
    }

    mutating func commit(_ world: World, _ version: Int) throws -> Commit {
        let key = Put(version: Int64(version), bytes: world.log[version])
        if let known = commits[key] {
            return known
        }
        let commit = try Commit(version: key.version, decoding: files.values[key.bytes])
        commits[key] = commit
        return commit
    }

    mutating func snapshot(_ world: World) throws -> Snapshot {
        if let known = snapshots[world.log] {
            return known
        }
        var snapshot = try Snapshot(creation: commit(world, 0))
        for version in world.log.indices.dropFirst() {
            try snapshot.apply(commit(world, version))
        }
        snapshots[world.log] = snapshot
        return snapshot
    }

    mutating func file(_ bytes: [UInt8]) -> Int {
        files.number(bytes)
    }

    private mutating func attempting(_ attempt: CommitAttempt) -> Writer.Phase {
        .attempting(attempts.number(attempt))
    }

    private mutating func next(_ number: Int) -> CommitStep {
        if let known = nextSteps[number] {
            return known
        }
        let step = attempts.values[number].next
        nextSteps[number] = step
        return step
    }

    private mutating func successors(_ world: World) throws -> [World] {
        var result: [World] = []
        for (index, late) in world.late.enumerated() {
            var next = world
            next.late.remove(at: index)
            _ = next.put(late.version, late.bytes)
            result.append(next)
        }
        for index in world.writers.indices {
            switch world.writers[index].phase {
            case .idle: result.append(try started(world, index))
            case .attempting(let attempt): result += try steps(world, index, attempt)
            case .done: continue
            }
        }
        return result
    }

    private mutating func started(_ world: World, _ index: Int) throws -> World {
        var next = world
        next.writers[index].attempts += 1
        let attempt = try plan(next.writers[index], on: world.log.isEmpty ? nil : snapshot(world))
        next.writers[index].phase = attempt.map { attempting($0) } ?? .done(nil)
        return next
    }

    private func plan(_ writer: Writer, on snapshot: Snapshot?) throws -> CommitAttempt? {
        let txnId = "\(writer.name)\(writer.attempts)"
        let made = { (actions: [Action], transaction: ApplicationTransaction?) in
            try CommitAttempt(
                actions: actions,
                info: info(txnId),
                transaction: transaction,
                on: snapshot?.head
            )
        }
        let x = remove("x", dataChange: writer.work == .delete)
        switch writer.work {
        case .append(let appId, let row, let column):
            var actions = [add("\(row)-\(txnId)")]
            let base = try snapshot?.head.metadata.schema() ?? eventSchema
            if let column {
                let wider = try base.merged(
                    with: TableSchema(eventSchema.fields + [SchemaField(column, .long)])
                )
                actions.append(.metaData(metadata(wider)))
            } else if snapshot == nil {
                actions.append(.metaData(metadata(id: txnId)))
            }
            if snapshot == nil {
                actions.append(.protocol(.current))
            }
            return try made(actions, ApplicationTransaction(appId: appId, version: 1))
        case .compact:
            guard let snapshot, Set(["x", "y"]).isSubset(of: snapshot.paths) else { return nil }
            let merged = add("x+y-\(txnId)", dataChange: false)
            return try made([x, remove("y", dataChange: false), merged], nil)
        case .delete:
            guard let snapshot, snapshot.paths.contains("x") else { return nil }
            return try made([x], nil)
        }
    }

    private mutating func steps(_ world: World, _ index: Int, _ number: Int) throws -> [World] {
        var next = world
        var attempt = attempts.values[number]
        switch self.next(number) {
        case .put(let version, let bytes):
            let put = Put(version: version, bytes: file(bytes))
            let faults =
                world.faultsLeft > 0 ? Fault.allCases.map { faulted(world, index, number, put, $0) } : []
            return [try answered(world, index, attempt, put)] + faults
        case .mergeSchema:
            attempt.acceptSchema()
            next.writers[index].phase = attempting(attempt)
            return [next]
        case .committed, .alreadyCommitted, .conflict:
            next.writers[index].phase = .done(self.next(number))
            return [next]
        }
    }

    private mutating func answered(
        _ world: World,
        _ index: Int,
        _ attempt: CommitAttempt,
        _ put: Put
    ) throws -> World {
        var next = world
        var attempt = attempt
        let created = next.put(put.version, put.bytes)
        attempt.report(created ? .won : .taken(try commit(world, Int(put.version))))
        next.writers[index].phase = attempting(attempt)
        return next
    }

    private mutating func faulted(
        _ world: World,
        _ index: Int,
        _ number: Int,
        _ put: Put,
        _ fault: Fault
    ) -> World {
        var next = world
        next.faultsLeft -= 1
        switch fault {
        case .lostRequest, .crashBefore: break
        case .lostAnswer, .crashAfter: _ = next.put(put.version, put.bytes)
        case .lateArrival, .crashThenLateArrival: next.late.append(put)
        }
        switch fault {
        case .lostRequest, .lostAnswer, .lateArrival:
            var attempt = attempts.values[number]
            attempt.report(.unknown)
            next.writers[index].phase = attempting(attempt)
        case .crashBefore, .crashAfter, .crashThenLateArrival:
            next.writers[index].phase = .idle
        }
        return next
    }
}

@Suite struct CommitRaceTests {
    fileprivate typealias Work = Writer.Work

    private static let a = Work.append(appId: "A", row: "a", column: nil)
    private static let b = Work.append(appId: "B", row: "b", column: nil)
    private static let wide = Work.append(appId: "C", row: "c", column: "c")
    private static let wider = Work.append(appId: "D", row: "d", column: "d")

    fileprivate static let pairs: [[Work]] = {
        let works = [a, b, wide, wider, .compact, .delete]
        return works.indices.flatMap { left in works[left...].map { [works[left], $0] } }
    }()

    fileprivate static let triples: [[Work]] = [
        [a, a, .compact], [a, b, .compact], [a, wide, wider], [a, a, wide], [b, .compact, .delete],
        [wide, wider, .compact], [a, .compact, .compact], [a, a, a],
    ]

    @Test(arguments: pairs)
    fileprivate func twoWritersWithTwoFaults(works: [Work]) throws {
        try check(works, faults: 2, onNewTable: false)
    }

    @Test(arguments: triples)
    fileprivate func threeWritersWithOneFault(works: [Work]) throws {
        try check(works, faults: 1, onNewTable: false)
    }

    @Test(arguments: [[a, b], [a, a], [a, wide], [wide, wider]])
    fileprivate func twoWritersThatCreateTheTable(works: [Work]) throws {
        try check(works, faults: 2, onNewTable: true)
    }

    private func check(_ works: [Work], faults: Int, onNewTable: Bool) throws {
        let first = try creation([.commitInfo(info("first")), add("x"), add("y"), add("z")]).encoded
        let writers = works.enumerated().map { index, work in
            Writer(name: "w\(index).", work: work)
        }
        var explorer = Explorer()
        let log = onNewTable ? [] : [explorer.file(first)]
        try explorer.explore(World(log: log, writers: writers, faultsLeft: faults))
        #expect(explorer.stateCount > 40)
        for world in explorer.finals {
            guard try holds(world, works, onNewTable ? [] : ["x", "y", "z"], &explorer) else { return }
        }
    }

    /// Every row once, every column there, every writer told the truth.
    private func holds(
        _ world: World,
        _ works: [Work],
        _ base: [String],
        _ explorer: inout Explorer
    ) throws -> Bool {
        let snapshot = try explorer.snapshot(world)
        var expected = Set(base)
        var columns: Set<String> = ["id", "name"]
        for work in works {
            if case .append(_, let row, let column) = work {
                expected.insert(row)
                columns.formUnion(column.map { [$0] } ?? [])
            }
        }
        let deleted = try world.log.indices.contains { version in
            try explorer.commit(world, version).actions.contains(remove("x", dataChange: true))
        }
        if deleted {
            expected.remove("x")
        }
        let rows = snapshot.paths.flatMap { path in
            path.prefix { $0 != "-" }.split(separator: "+").map(String.init)
        }
        let schema = try snapshot.head.metadata.schema()
        let truths = try world.writers.map { try isTrue($0, world, &explorer) }
        let holds =
            rows.sorted() == expected.sorted() && Set(schema.fields.map(\.name)) == columns
            && schema.fields.count == columns.count && !truths.contains(false)
        #expect(holds, "rows \(rows), columns \(schema.fields.map(\.name)), \(world.writers.map(\.phase))")
        return holds
    }

    private func isTrue(_ writer: Writer, _ world: World, _ explorer: inout Explorer) throws -> Bool {
        guard case .done(let result) = writer.phase else { return false }
        let txnId = "\(writer.name)\(writer.attempts)"
        let isInLog = try world.log.indices.contains { try explorer.commit(world, $0).info?.txnId == txnId }
        if case .committed = result {
            // Checked below: it names its own version.
        } else if isInLog {
            // The writer would now delete the files of its own commit.
            return false
        }
        switch (result, writer.work) {
        case (.committed(let version), _):
            return try explorer.commit(world, Int(version)).info?.txnId == txnId
        case (.alreadyCommitted(let version), .append(let appId, _, _)):
            let log = try (0...Int(version)).map { try explorer.commit(world, $0) }
            return log.contains {
                $0.actions.contains(.txn(ApplicationTransaction(appId: appId, version: 1)))
            }
        case (.conflict(.filesGone), .compact), (.conflict(.filesGone), .delete), (nil, .compact),
            (nil, .delete):
            return true
        default:
            return false
        }
    }
}
