import DeltaLog

/// What one commit did to the rows of a table.
package struct TableChange: Hashable, Sendable {
    /// The version that the commit made.
    package var version: Int64
    /// The batch that it brought, and whose; nil for a commit that is no batch.
    package var batch: (appID: String, number: UInt64)? {
        transaction.map { ($0.appId, UInt64(clamping: $0.version)) }
    }
    /// Files with rows that were not in the table before.
    package var added: [AddFile]
    /// Whether rows left the table, or others took their place.
    package var removesRows: Bool
    private var transaction: ApplicationTransaction?

    init(_ commit: Commit) {
        version = commit.version
        added = []
        removesRows = false
        for action in commit.actions {
            switch action {
            case .add(let file) where file.dataChange: added.append(file)
            case .remove(let file) where file.dataChange: removesRows = true
            case .txn(let transaction): self.transaction = transaction
            default: break
            }
        }
    }
}

extension DeltaTable {
    /// What a version changed.
    ///
    /// - Parameter version: A version up to the head's.
    /// - Returns: nil when the log does not hold its commit any more.
    /// - Throws: `StorageError`, `DeltaLogError`.
    package func change(at version: Int64) throws -> TableChange? {
        try readCommit(version, content: .state).map(TableChange.init)
    }
}

extension DeltaTable {
    /// Whether a data file is still there.
    ///
    /// - Throws: `StorageError`.
    package func holds(_ file: DataFilePath) throws -> Bool {
        let decoded = file.decoded
        // Paths outside of the table's folder are not those of our files.
        return decoded.hasPrefix("/") ? true : try store.exists("\(folder)/\(decoded)")
    }
}
