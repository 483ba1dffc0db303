extension SessionStates {
    /// Takes in an ERROR, FATAL or PANIC: decides the statement that it ended, and the rest of its transaction.
    mutating func noteFailure(_ record: SessionRecord, isInTransaction: Bool, at place: Int) -> SessionFinding
    {
        var finding = SessionFinding()
        finding.role = table.sessions[place].role.effective
        table.sessions[place].repeatedText = 0
        // In an aborted block nothing runs any more: "commands ignored until end of transaction block".
        guard isInTransaction, !record.sqlState.elementsEqual("25P02".utf8) else { return finding }
        let session = table.sessions[place]
        let hasEnded = session.flags.contains(.ended) && !session.ranges.isEmpty
        if hasEnded || isPartner(session.statement, record) {
            amends.append(
                "FAILURE",
                LineRange(first: session.statement.firstLine, last: session.statement.lastLine)
            )
            finding.failedRows = rowsOfStatement(at: place)
            // A failing COMMIT undoes itself too: its record said otherwise.
            if !hasEnded { table.sessions[place].removeStatementLines() }
        }
        let depth = hasEnded ? nil : session.savepoints.indices.last
        let hadOthers = !table.sessions[place].ranges.isEmpty
        decide(.rolledBack, toDepth: depth, at: place)
        if hadOthers || session.flags.contains(.explicit) { finding.transaction = .rolledBack }
        if hasEnded { table.sessions[place].savepoints.removeAll(keepingCapacity: true) }
        table.sessions[place].flags.insert(.failed)
        table.sessions[place].statement.isOpen = false
        return finding
    }

    /// Whether a failure ended this statement.
    private func isPartner(_ statement: Statement, _ record: SessionRecord) -> Bool {
        guard statement.isOpen, Self.isRunning(record.commandTag) else { return false }
        // With compute_query_id a failure without one came before its statement was analysed, and so logged.
        if statement.queryID != 0 { return LogNumbers.signed(record.queryID) == statement.queryID }
        let text = StatementText(record.text)
        return statement.textHash == 0 || text.isMissing || text.runsPreparedStatement
            || text.hash == statement.textHash
    }

    /// Whether the process was running a statement that pgaudit can have seen: not reading one, and not COMMIT.
    ///
    /// An idle session keeps the query id of its last statement.
    private static func isRunning(_ tag: UnsafeRawBufferPointer) -> Bool {
        !tag.starts(with: "idle".utf8) && !tag.elementsEqual("PARSE".utf8) && !tag.elementsEqual("BIND".utf8)
            && !tag.elementsEqual("COMMIT".utf8)
    }
}
