import Columnar
import PostgresSessions

extension PostgresDecoder {
    /// Takes a record into the state of its session, and takes it back that the statement succeeded which it ended.
    ///
    /// - Parameters:
    ///   - record: The record, secrets taken out.
    ///   - kind: What it is.
    ///   - sql: Its SQL; empty when it has none or pgaudit left it out.
    ///   - time: When it was logged, in microseconds since 1970-01-01 UTC.
    ///   - isRow: Whether it becomes the next row.
    /// - Returns: What it means; `sessions.amendsText` belongs to it.
    mutating func noteSession(
        _ record: LogRecord,
        kind: RecordKind,
        sql: UnsafeRawBufferPointer,
        time: Int64,
        isRow: Bool
    ) -> SessionFinding {
        var note = SessionRecord(
            kind: kind.inSession,
            time: time,
            sessionID: record.stored(LogField.sessionID),
            lineNumber: record.stored(LogField.sessionLineNumber),
            virtualTransactionID: record.stored(LogField.virtualTransactionID),
            queryID: record.stored(LogField.queryID),
            commandTag: record.stored(LogField.commandTag),
            sqlState: record.stored(LogField.sqlState),
            userName: record.stored(LogField.userName),
            backendType: record.stored(LogField.backendType)
        )
        note.text = sql
        if kind.isAudit {
            if sql.isEmpty { note.text = payload.stored(PgAuditPayload.statement) }
            note.auditClass = payload.stored(PgAuditPayload.auditClass)
            note.command = payload.stored(PgAuditPayload.command)
            note.statementID = payload.stored(PgAuditPayload.statementID)
            note.substatementID = payload.stored(PgAuditPayload.substatementID)
            note.hasRows = !payload.stored(PgAuditPayload.rows).isEmpty
            if isRow { note.row = Int32(truncatingIfNeeded: rows.count) }
        }
        var finding = sessions.note(note)
        while let row = sessions.takeRow(&finding.failedRows) {
            rows.fail(row: row, state: record.stored(LogField.sqlState))
        }
        return finding
    }

    /// Appends the pairs of column `extra` that come from other records of the session.
    mutating func appendFinding(_ finding: SessionFinding, _ record: LogRecord, kind: RecordKind) {
        let keys = rows.keys
        if kind.isAudit {
            rows.outcomes.append(Int32(truncatingIfNeeded: rows.extra.pairCount))
            "final".withRawBytes { rows.extra.append(entry: keys.outcome, $0) }
        } else {
            rows.outcomes.append(-1)
        }
        if finding.role != 0 {
            let user = plainText(record, LogField.userName)
            sessions.name(of: finding.role).withRawBytes { role in
                if !role.equals(user) { rows.extra.append(entry: keys.effectiveRole, role) }
            }
        }
        if sessions.hasAmends {
            sessions.amendsText.withUnsafeBytes { rows.extra.append(entry: keys.amends, $0) }
        }
        if let word = finding.transaction?.word {
            let text = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
            rows.extra.append(entry: keys.transactionOutcome, text)
        }
        if finding.reference != 0 {
            String(finding.reference).withRawBytes { rows.extra.append(entry: keys.statementReference, $0) }
        }
    }

    /// The rows of the open row group as a batch; the row group is empty again.
    ///
    /// Statements that may still fail are marked as open: what becomes of them stands in a later row.
    package mutating func finishRows() -> RecordBatch {
        rows.open(sessions.finishRowGroup())
        return rows.finish()
    }
}

extension RecordKind {
    /// What the record tells of its session.
    fileprivate var inSession: SessionRecord.Kind {
        if isAudit { return .audit }
        if isFailure { return isConnection ? .refusal : .failure }
        if isConnection { return .connection }
        return isDisconnection ? .disconnection : .other
    }
}
