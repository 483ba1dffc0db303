extension SessionStates {
    /// Takes in a pgaudit record.
    mutating func noteAudit(_ record: SessionRecord, line: Int, at place: Int) -> SessionFinding {
        let id = LogNumbers.number(record.statementID)
        let substatement = LogNumbers.number(record.substatementID)
        let text = StatementText(record.text)
        let command = AuditCommand(
            auditClass: record.auditClass,
            command: record.command,
            hasRows: record.hasRows
        )
        var finding = SessionFinding()
        table.sessions[place].flags.insert(.loggedIn)
        finding.role = table.sessions[place].role.effective
        finding.reference = table.sessions[place].noteText(
            text,
            line: line,
            statement: id,
            substatement: substatement
        )
        if table.sessions[place].statement.id != id, !continues(record, text, at: place) {
            table.sessions[place].beginStatement(
                id: id,
                line: line,
                queryID: LogNumbers.signed(record.queryID)
            )
        }
        table.sessions[place].statement.note(command, text: text, line: line)
        if record.row >= 0 { link(row: record.row, at: place) }
        finding.transaction = carryOut(command, text, line: line, at: place)
        return finding
    }

    /// What runs deferred, such as a check of a foreign key, has a STATEMENT_ID of its own but belongs to the statement or COMMIT before it.
    private func continues(_ record: SessionRecord, _ text: StatementText, at place: Int) -> Bool {
        let statement = table.sessions[place].statement
        guard statement.id > 0, statement.queryID != 0 else { return false }
        return (text.isForeignKeyCheck || table.sessions[place].flags.contains(.ended))
            && statement.queryID == LogNumbers.signed(record.queryID)
    }

    /// Does to the session what a command that has run did to it.
    ///
    /// - Returns: What became of the transaction that it ended.
    private mutating func carryOut(
        _ command: AuditCommand,
        _ text: StatementText,
        line: Int,
        at place: Int
    ) -> TransactionOutcome? {
        switch command {
        case .before, .after, .execute:
            break
        case .begin:
            table.sessions[place].flags.insert(.explicit)
        case .commit:
            return end(.committed, text, line: line, at: place)
        case .prepareTransaction:
            return end(.prepared, text, line: line, at: place)
        case .rollback:
            let words = statement(.rollback, text, at: place)
            if words?.savepoint != nil || words == nil && !table.sessions[place].savepoints.isEmpty {
                rollBack(to: words?.savepoint, at: place)
                break
            }
            if words?.isChained == true { table.sessions[place].flags.insert(.chained) }
            return rollBackAll(at: place)
        case .savepoint:
            let name = statement(.savepoint, text, at: place)?.savepoint ?? ""
            append(line: line, at: place)
            table.sessions[place].addSavepoint(name)
            return nil
        case .release:
            let name = statement(.release, text, at: place)?.savepoint ?? ""
            if let depth = table.sessions[place].depth(of: name) {
                table.sessions[place].savepoints.removeSubrange(depth...)
            }
        case .set, .reset:
            changeRole(command, text, at: place)
        case .discardAll:
            table.sessions[place].role.setAuthorization(0, isLocal: false)
        }
        append(line: line, at: place)
        return nil
    }

    private mutating func append(line: Int, at place: Int) {
        completeness.lostLines += table.sessions[place].append(line: line)
    }

    /// Carries out COMMIT or PREPARE TRANSACTION, as far as its own record tells: the transaction may still fail to end.
    ///
    /// - Returns: nil when there was no transaction.
    private mutating func end(
        _ outcome: TransactionOutcome,
        _ text: StatementText,
        line: Int,
        at place: Int
    ) -> TransactionOutcome? {
        let isChained = text.bytes.count > 6 && statement(.commit, text, at: place)?.isChained == true
        if isChained { table.sessions[place].flags.insert(.chained) }
        let isTransaction =
            table.sessions[place].flags.contains(.explicit) || !table.sessions[place].ranges.isEmpty
        for range in table.sessions[place].ranges { amends.append(outcome.word, range) }
        table.sessions[place].flags.insert(.ended)
        table.sessions[place].role.endTransaction()
        append(line: line, at: place)
        return isTransaction ? outcome : nil
    }

    private mutating func rollBackAll(at place: Int) -> TransactionOutcome? {
        let isTransaction =
            table.sessions[place].flags.contains(.explicit) || !table.sessions[place].ranges.isEmpty
        decide(.rolledBack, toDepth: nil, at: place)
        table.sessions[place].savepoints.removeAll(keepingCapacity: true)
        table.sessions[place].flags.insert(.ended)
        return isTransaction ? .rolledBack : nil
    }

    /// Carries out ROLLBACK TO; without a name, which pgaudit may leave out, the innermost savepoint is meant.
    private mutating func rollBack(to name: String?, at place: Int) {
        let innermost = table.sessions[place].savepoints.indices.last
        guard let depth = name.map({ table.sessions[place].depth(of: $0) }) ?? innermost else {
            // It is one of those that were let go: what it takes back cannot be told any more.
            if table.sessions[place].flags.contains(.lostSavepoint) { giveUpLines(at: place) }
            return
        }
        decide(.rolledBack, toDepth: depth, at: place)
        table.sessions[place].savepoints.removeSubrange((depth + 1)...)
    }

    /// Leaves the outcome of the transaction's statements so far open, and counts them.
    private mutating func giveUpLines(at place: Int) {
        completeness.lostLines += table.sessions[place].ranges.reduce(0) { $0 + $1.last - $1.first + 1 }
        table.sessions[place].ranges.removeAll(keepingCapacity: true)
        table.sessions[place].savepoints.removeAll(keepingCapacity: true)
        table.sessions[place].flags.remove(.continuesRange)
    }

    private mutating func changeRole(_ command: AuditCommand, _ text: StatementText, at place: Int) {
        let verb = command == .set ? SessionStatement.Verb.set : .reset
        guard SessionStatement.mayChangeRole(text.bytes) else { return }
        statement(verb, text, at: place)?.changeRole(&table.sessions[place].role, names: &names)
    }

    /// The present statement among those of its text.
    private mutating func statement(
        _ verb: SessionStatement.Verb,
        _ text: StatementText,
        at place: Int
    ) -> SessionStatement? {
        guard !text.isMissing else { return nil }
        let ordinal = table.sessions[place].countRepeat(of: text.hash, verb: verb)
        return SessionStatement(verb, in: text.bytes, ordinal: ordinal)
    }
}

extension Statement {
    /// Notes a record of the statement.
    @inline(__always)
    mutating func note(_ command: AuditCommand, text: StatementText, line: Int) {
        lastLine = line
        if command == .before {
            guard !hasBegun else { return }
            hasBegun = true
            isOpen = true
            textHash = text.hash
        } else if isOpen, command == .execute || textHash != 0 && textHash == text.hash {
            // The record that PostgreSQL's own end of this statement wrote.
            isOpen = false
        }
    }
}

extension Session {
    /// Notes which line has a text; returns the line that has the one left out here, 0 for none.
    @inline(__always)
    mutating func noteText(_ text: StatementText, line: Int, statement: Int, substatement: Int) -> Int {
        if statement != textStatement {
            textStatement = statement
            textLine = 0
            recentTexts = RecentTexts()
        }
        if text.isPreviouslyLogged {
            let line = recentTexts.line(of: substatement)
            return line > 0 ? line : textLine
        }
        guard !text.isMissing else { return 0 }
        if textLine == 0 { textLine = line }
        recentTexts.note(substatement: substatement, line: line)
        return 0
    }

    /// How many statements of a verb were logged with this text in a row before.
    mutating func countRepeat(of hash: UInt64, verb: SessionStatement.Verb) -> Int {
        if repeatedText != hash {
            repeatedText = hash
            repeats = 0
        }
        let shift = UInt64(verb.rawValue * 8)
        let count = Int(repeats >> shift & 0xFF)
        repeats = repeats & ~(0xFF << shift) | UInt64((count + 1) & 0xFF) << shift
        return count
    }
}
