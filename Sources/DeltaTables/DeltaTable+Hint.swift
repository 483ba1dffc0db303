import DeltaLog
import ObjectStorage

extension DeltaTable {
    /// Takes the present head down.
    ///
    /// - Returns: nil when the head's commit is not in the log any more.
    /// - Throws: `StorageError`.
    package func hint() throws -> TableHint? {
        guard let commitHash = try hashOfHead() else { return nil }
        let transactions = head.transactions.sorted { $0.key < $1.key }.map { Action.txn($0.value) }
        let actions: [Action] = [.protocol(head.tableProtocol), .metaData(head.metadata)] + transactions
        let text = try Commit(version: head.version, actions: actions).encoded
        return TableHint(
            version: head.version,
            checkpointVersion: checkpointVersion,
            commitHash: commitHash,
            actions: String(decoding: text, as: UTF8.self)
        )
    }

    private func hashOfHead() throws -> UInt64? {
        if let seenCommit, seenCommit.version == head.version { return seenCommit.hash }
        return try store.read(logKey(.commit(version: head.version))).map(Self.hash)
    }

    /// Opens a table where a hint says it stood, and reads what was committed since.
    ///
    /// - Returns: nil when the hint does not fit the log.
    /// - Throws: `DeltaLogError`, `StorageError`.
    package static func open(store: any ObjectStore, folder: String, hint: TableHint) throws -> DeltaTable? {
        guard let commit = try store.read("\(folder)/\(LogFileName.commit(version: hint.version).path)"),
            hash(commit) == hint.commitHash,
            let actions = try? Commit(
                version: hint.version,
                decoding: Array(hint.actions.utf8),
                content: .head
            ),
            let head = try? TableHead(version: hint.version, checkpointRows: actions.actions)
        else { return nil }
        let table = DeltaTable(
            store: store,
            folder: folder,
            head: head,
            checkpointVersion: hint.checkpointVersion
        )
        table.seenCommit = (hint.version, hint.commitHash)
        try table.refresh()
        return table
    }

    /// FNV-1a, 64 bits.
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
