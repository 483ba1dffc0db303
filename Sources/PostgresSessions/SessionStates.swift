/// What the records of a server's log mean together: which statement an error ended, what became of a transaction, who a
/// session acted as, and which records are missing.
///
/// A state machine without clock or input: the same records in the same order give the same findings and the same state,
/// wherever they are cut into batches. The rules are in Documentation/Tables.md. Used from one thread at a time.
///
/// - Complexity: O(1) a record, without allocation for most.
package struct SessionStates {
    /// The most sessions that are kept in mind.
    package static let sessionLimit = 100_000

    let sessionLimit: Int
    var table = SessionTable()
    var names = RoleNames()
    var log = LogHistory()
    var amends = Amends()
    var completeness = Completeness()
    /// Rows of statements in the open row group, each with the row of the same statement before it.
    private var rows: [(row: Int32, previous: Int32)] = []
    /// Sessions with rows in the open row group.
    private var placesWithRows: [Int32] = []
    private var rowGroup: Int32 = 0
    /// Keys of sessions that changed since the state was stored, some of them twice.
    var changedKeys: [UInt64] = []
    /// Keys of sessions that the stored state holds.
    var storedKeys: Set<UInt64> = []
    /// The stored text about the log as a whole.
    var storedHistory: String?

    /// Creates the state before the first record.
    package init(sessionLimit: Int = SessionStates.sessionLimit) { self.sessionLimit = sessionLimit }

    /// What the record that was just looked at decides about lines before it; empty for nothing.
    package var amendsText: [UInt8] { amends.bytes }

    /// Whether the record that was just looked at decides anything.
    @inlinable package var hasAmends: Bool { !amendsText.isEmpty }

    /// The role under a number of `SessionFinding.role`.
    package func name(of role: Int32) -> String { names.name(role) }

    // MARK: Records

    /// Takes in the next record of the log.
    ///
    /// All records have to come here, also those that become no row. A record whose session id cannot be read says nothing.
    ///
    /// - Returns: What it means; `amendsText` belongs to it.
    package mutating func note(_ record: SessionRecord) -> SessionFinding {
        amends.removeAll()
        guard let key = LogNumbers.session(record.sessionID) else { return SessionFinding() }
        let line = LogNumbers.number(record.lineNumber)
        var place = table.find(key)
        if place >= 0, line <= table.sessions[place].lastLine, line > 0 {
            // A record that was read before, unless the process id came back within the second.
            guard line == 1, record.time > table.sessions[place].lastTime else { return SessionFinding() }
            remove(place)
            place = -1
        }
        if place < 0 { place = begin(key, record, line: line) }
        noteLine(line, at: place)
        if !table.sessions[place].isChanged {
            table.sessions[place].isChanged = true
            changedKeys.append(key)
        }
        table.sessions[place].lastTime = record.time
        let transaction = LogNumbers.virtualTransaction(record.virtualTransactionID)
        if transaction != 0, transaction != table.sessions[place].transaction {
            // Without an error COMMIT may not have been logged: pgaudit.log can be changed at any time.
            if table.sessions[place].flags.contains(.failed) { finishTransaction(at: place) }
            table.sessions[place].enter(transaction)
        }
        return interpret(record, line: line, transaction: transaction, at: place)
    }

    private mutating func interpret(
        _ record: SessionRecord,
        line: Int,
        transaction: UInt64,
        at place: Int
    ) -> SessionFinding {
        switch record.kind {
        case .audit:
            return noteAudit(record, line: line, at: place)
        case .failure:
            return noteFailure(record, isInTransaction: transaction != 0, at: place)
        case .connection:
            if !record.userName.isEmpty { table.sessions[place].flags.insert(.loggedIn) }
        case .disconnection:
            log.hasDisconnections = true
            finishTransaction(at: place)
            remove(place)
        case .refusal:
            remove(place)
        case .other:
            var finding = SessionFinding()
            finding.role = table.sessions[place].role.effective
            return finding
        }
        return SessionFinding()
    }

    /// The session ends, or moves on after an error: an explicit transaction that saw no COMMIT was rolled back.
    ///
    /// Unless a record is missing, which may have been the COMMIT.
    mutating func finishTransaction(at place: Int, of session: UInt64? = nil) {
        let flags = table.sessions[place].flags
        guard flags.contains(.explicit), !flags.contains(.ended), !flags.contains(.gap) else { return }
        decide(.rolledBack, toDepth: nil, at: place, of: session)
    }

    /// Rolls back what followed a savepoint, or everything, and says so.
    mutating func decide(
        _ outcome: TransactionOutcome,
        toDepth depth: Int?,
        at place: Int,
        of session: UInt64? = nil
    ) {
        table.sessions[place].rollBack(toDepth: depth) { amends.append(outcome.word, $0, of: session) }
    }

    // MARK: Rows

    /// Notes the row that a record of the last statement becomes.
    @inline(__always)
    mutating func link(row: Int32, at place: Int) {
        if table.sessions[place].rowGroup != rowGroup {
            table.sessions[place].rowGroup = rowGroup
            table.sessions[place].lastRow = -1
            placesWithRows.append(Int32(truncatingIfNeeded: place))
        }
        rows.append((row, table.sessions[place].lastRow))
        table.sessions[place].lastRow = Int32(truncatingIfNeeded: rows.count &- 1)
    }

    /// The rows of a session's last statement in the open row group, for `takeRow`.
    func rowsOfStatement(at place: Int) -> Int32 {
        table.sessions[place].rowGroup == rowGroup ? table.sessions[place].lastRow : -1
    }

    /// Walks through the rows of a statement: returns the present one and moves to the next, nil at the end.
    package func takeRow(_ rows: inout Int32) -> Int32? {
        guard rows >= 0 else { return nil }
        let link = self.rows[Int(rows)]
        rows = link.previous
        return link.row
    }

    /// The row group is full: gives the rows whose statements may still fail, and forgets all rows.
    package mutating func finishRowGroup() -> [Int32] {
        var open: [Int32] = []
        for place in placesWithRows.map(Int.init) where table.sessions[place].statement.isOpen {
            var rows = rowsOfStatement(at: place)
            while let row = takeRow(&rows) { open.append(row) }
            table.sessions[place].lastRow = -1
        }
        placesWithRows.removeAll(keepingCapacity: true)
        rows.removeAll(keepingCapacity: true)
        rowGroup &+= 1
        return open.sorted()
    }
}
