/// The state of a table without its files: what a writer that only appends has to know.
///
/// Source: protocol section "Action Reconciliation": the last `protocol`, the last `metaData` and the last
/// `txn` of every application count.
package struct TableHead: Hashable, Sendable {
    /// Version of the table.
    package private(set) var version: Int64
    /// What clients must know.
    package private(set) var tableProtocol: TableProtocol
    /// Schema and properties.
    package private(set) var metadata: TableMetadata
    /// Progress of every application by its id.
    package private(set) var transactions: [String: ApplicationTransaction]

    /// The state that a table's first commit makes.
    ///
    /// - Throws: `DeltaLogError` with `versionGap` unless the commit is version 0, `missingProtocol`,
    ///   `missingMetadata` or `unsupportedReader`.
    package init(creation commit: Commit) throws(DeltaLogError) {
        guard commit.version == 0 else {
            throw DeltaLogError(
                .versionGap,
                "replay without a checkpoint must start with version 0",
                version: commit.version
            )
        }
        try self.init(version: 0, actions: commit.actions)
    }

    /// The state that the rows of a checkpoint describe, in any order; file rows are skipped.
    ///
    /// - Throws: `DeltaLogError` with `missingProtocol`, `missingMetadata` or `unsupportedReader`.
    package init(version: Int64, checkpointRows rows: some Collection<Action>) throws(DeltaLogError) {
        try self.init(version: version, actions: rows)
    }

    private init(version: Int64, actions: some Collection<Action>) throws(DeltaLogError) {
        var tableProtocol: TableProtocol?
        var metadata: TableMetadata?
        var transactions: [String: ApplicationTransaction] = [:]
        for action in actions {
            switch action {
            case .protocol(let value): tableProtocol = value
            case .metaData(let value): metadata = value
            case .txn(let value): transactions[value.appId] = value
            case .commitInfo, .add, .remove: continue
            }
        }
        guard let tableProtocol else {
            throw DeltaLogError(.missingProtocol, "no protocol action starts the log", version: version)
        }
        try tableProtocol.requireReadable(version: version)
        guard let metadata else {
            throw DeltaLogError(.missingMetadata, "no metaData action starts the log", version: version)
        }
        self.version = version
        self.tableProtocol = tableProtocol
        self.metadata = metadata
        self.transactions = transactions
    }

    /// Moves one version on.
    ///
    /// After a throw nothing has changed.
    ///
    /// - Parameter commit: The commit of the version after this one.
    /// - Throws: `DeltaLogError` with `versionGap` or `unsupportedReader`.
    /// - Complexity: O(actions of the commit).
    package mutating func apply(_ commit: Commit) throws(DeltaLogError) {
        guard commit.version == version + 1 else {
            throw DeltaLogError(
                .versionGap,
                "version \(version) must be followed by \(version + 1)",
                version: commit.version
            )
        }
        for case .protocol(let value) in commit.actions {
            try value.requireReadable(version: commit.version)
        }
        version = commit.version
        for action in commit.actions {
            switch action {
            case .protocol(let value): tableProtocol = value
            case .metaData(let value): metadata = value
            case .txn(let value): transactions[value.appId] = value
            case .commitInfo, .add, .remove: continue
            }
        }
    }

    /// Makes sure that this library may write the table.
    ///
    /// - Throws: `DeltaLogError` with `unsupportedReader` or `unsupportedWriter`, also for a column with a
    ///   `delta.invariants` rule, which a writer of version 2 would have to check on every row.
    package func requireWritable() throws(DeltaLogError) {
        try tableProtocol.requireWritable(version: version)
        guard metadata.schemaString.contains(#""delta.invariants""#) else { return }
        throw DeltaLogError(
            .unsupportedWriter,
            "the table has column invariants, which this program does not check; drop the constraints",
            version: version
        )
    }
}
