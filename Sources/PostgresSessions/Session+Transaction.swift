extension Session {
    /// The most ranges and savepoints of a transaction that are kept in mind.
    static let rangeLimit = 512
    static let savepointLimit = 256

    /// Notes an audit record of the transaction.
    ///
    /// - Returns: The number of lines that are given up because there are too many ranges; their outcome stays unknown.
    @inline(__always)
    mutating func append(line: Int) -> Int {
        if flags.contains(.continuesRange), !ranges.isEmpty {
            ranges[ranges.count &- 1].last = line
            return 0
        }
        ranges.append(LineRange(first: line, last: line))
        flags.insert(.continuesRange)
        return ranges.count > Self.rangeLimit ? giveUpOldestRange() : 0
    }

    private mutating func giveUpOldestRange() -> Int {
        let lost = ranges.removeFirst()
        for index in savepoints.indices {
            savepoints[index].firstRange = max(0, savepoints[index].firstRange - 1)
        }
        statement.rangesBefore = max(0, statement.rangesBefore - 1)
        return lost.last - lost.first + 1
    }

    /// Begins the next statement: notes where the ranges end that lie before it.
    @inline(__always)
    mutating func beginStatement(id: Int, line: Int, queryID: UInt64) {
        statement = Statement()
        statement.id = id
        statement.firstLine = line
        statement.lastLine = line
        statement.queryID = queryID
        statement.rangesBefore = ranges.count
        statement.endBefore = ranges.last?.last ?? 0
        lastRow = -1
    }

    /// Takes the lines of the last statement, which failed, out of the transaction.
    mutating func removeStatementLines() {
        ranges.removeSubrange(min(statement.rangesBefore, ranges.count)...)
        if let end = ranges.indices.last { ranges[end].last = min(ranges[end].last, statement.endBefore) }
        flags.remove(.continuesRange)
    }

    /// Takes back what followed a savepoint, or everything when `depth` is nil: the lines and the role.
    mutating func rollBack(toDepth depth: Int?, _ decided: (LineRange) -> Void) {
        let from = depth.map { savepoints[$0].firstRange } ?? 0
        for range in ranges[min(from, ranges.count)...] { decided(range) }
        ranges.removeSubrange(min(from, ranges.count)...)
        role = depth.map { savepoints[$0].role } ?? roleAtStart
        flags.remove(.continuesRange)
    }

    /// Carries out SAVEPOINT, whose own record belongs to what comes before.
    mutating func addSavepoint(_ name: String) {
        if savepoints.count >= Self.savepointLimit {
            savepoints.removeFirst()
            flags.insert(.lostSavepoint)
        }
        savepoints.append(Savepoint(name: name, firstRange: ranges.count, role: role))
        flags.remove(.continuesRange)
    }

    /// The innermost savepoint of a name; nil when it is not known.
    func depth(of name: String) -> Int? { savepoints.lastIndex { $0.name == name } }

    /// Enters another transaction, which ends the last statement and what was set for the last transaction only.
    mutating func enter(_ next: UInt64) {
        transaction = next
        role.endTransaction()
        roleAtStart = role
        ranges.removeAll(keepingCapacity: true)
        savepoints.removeAll(keepingCapacity: true)
        flags.remove(.lostSavepoint)
        let isChained = flags.contains(.chained)
        flags.remove([.explicit, .ended, .chained, .gap, .failed, .continuesRange])
        if isChained { flags.insert(.explicit) }
        beginStatement(id: 0, line: 0, queryID: 0)
    }
}
