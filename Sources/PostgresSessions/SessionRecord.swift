/// One log record, as far as the meaning of its session depends on it.
///
/// Valid while its bytes are. Fields are given as PostgreSQL writes them; an absent one is empty.
@frozen
package struct SessionRecord {
    /// What the record tells of its session.
    package enum Kind: UInt8, Sendable {
        /// Nothing but that the session is there.
        case other
        /// A pgaudit record.
        case audit
        /// An ERROR, FATAL or PANIC of a session that had logged in.
        case failure
        /// A client came.
        case connection
        /// A client was refused: the session's last record.
        case refusal
        /// A client left: the session's last record.
        case disconnection
    }

    /// What the record tells.
    package var kind: Kind
    /// When it was logged, in microseconds since 1970-01-01 UTC.
    package var time: Int64
    /// `session_id`: start and process id, hexadecimal.
    package var sessionID: UnsafeRawBufferPointer
    /// `session_line_num`.
    package var lineNumber: UnsafeRawBufferPointer
    /// `virtual_transaction_id`.
    package var virtualTransactionID: UnsafeRawBufferPointer
    /// `query_id`.
    package var queryID: UnsafeRawBufferPointer
    /// `command_tag`: what the process was doing.
    package var commandTag: UnsafeRawBufferPointer
    /// `sql_state_code`.
    package var sqlState: UnsafeRawBufferPointer
    /// `user_name`: who logged in.
    package var userName: UnsafeRawBufferPointer
    /// `backend_type`.
    package var backendType: UnsafeRawBufferPointer
    /// The SQL, secrets taken out: pgaudit's STATEMENT with its markers, or the failure's `query`.
    package var text = UnsafeRawBufferPointer(start: nil, count: 0)
    /// pgaudit's CLASS.
    package var auditClass = UnsafeRawBufferPointer(start: nil, count: 0)
    /// pgaudit's COMMAND.
    package var command = UnsafeRawBufferPointer(start: nil, count: 0)
    /// pgaudit's STATEMENT_ID.
    package var statementID = UnsafeRawBufferPointer(start: nil, count: 0)
    /// pgaudit's SUBSTATEMENT_ID.
    package var substatementID = UnsafeRawBufferPointer(start: nil, count: 0)
    /// pgaudit's ROWS is there.
    package var hasRows = false
    /// The row that the record becomes in the open row group; negative when it becomes none.
    package var row: Int32 = -1

    /// Creates a record that is none of pgaudit's; `text` and what follows it are set afterwards.
    @inlinable @inline(__always)
    package init(
        kind: Kind,
        time: Int64,
        sessionID: UnsafeRawBufferPointer,
        lineNumber: UnsafeRawBufferPointer,
        virtualTransactionID: UnsafeRawBufferPointer,
        queryID: UnsafeRawBufferPointer,
        commandTag: UnsafeRawBufferPointer,
        sqlState: UnsafeRawBufferPointer,
        userName: UnsafeRawBufferPointer,
        backendType: UnsafeRawBufferPointer
    ) {
        self.kind = kind
        self.time = time
        self.sessionID = sessionID
        self.lineNumber = lineNumber
        self.virtualTransactionID = virtualTransactionID
        self.queryID = queryID
        self.commandTag = commandTag
        self.sqlState = sqlState
        self.userName = userName
        self.backendType = backendType
    }
}

/// What became of the transaction that a record ends.
package enum TransactionOutcome: UInt8, Sendable {
    /// It was committed.
    case committed
    /// It was rolled back.
    case rolledBack
    /// It waits for COMMIT PREPARED or ROLLBACK PREPARED.
    case prepared

    /// The word in `amends` and `txn_outcome`.
    package var word: StaticString {
        switch self {
        case .committed: "COMMITTED"
        case .rolledBack: "ROLLED_BACK"
        case .prepared: "PREPARED"
        }
    }
}

/// What a record means in its session.
@frozen
package struct SessionFinding: Sendable {
    /// What became of the transaction that the record ends.
    package var transaction: TransactionOutcome?
    /// The role that the statement ran under, for `SessionStates.name(of:)`; 0 when it is the user's own.
    package var role: Int32 = 0
    /// The line that has the text which this record leaves out; 0 for none.
    package var reference = 0
    /// The rows of the statement that failed, for `SessionStates.takeRow(_:)`; negative for none.
    package var failedRows: Int32 = -1

    /// Creates a finding that says nothing.
    @inlinable package init() {}
}
