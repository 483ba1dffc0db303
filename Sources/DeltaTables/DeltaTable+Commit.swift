import DeltaLog
import ObjectStorage

/// What became of a commit.
package enum CommitResult: Hashable, Sendable {
    /// It is in the table as this version.
    case committed(version: Int64)
    /// The batch was there before, by this version; the caller's data files are not needed.
    case alreadyCommitted(version: Int64)

    /// The version.
    package var version: Int64 {
        switch self {
        case .committed(let version), .alreadyCommitted(let version): version
        }
    }
}

/// A commit that could not be made on top of what others committed.
package struct CommitConflictError: Error, Sendable, CustomStringConvertible {
    /// The table's folder.
    package var table: String
    /// What stands in the way.
    package var conflict: CommitConflict

    /// What happened.
    package var description: String {
        "table \(table): another writer's commit stands in the way: \(conflict)"
    }
}

extension DeltaTable {
    /// The engine's name in commits.
    package static let engineInfo = "auditlake"

    /// Creates a table; when another process created one of the same schema first, opens that.
    ///
    /// - Parameters:
    ///   - store: Where the lake lies.
    ///   - folder: The table's folder in the store.
    ///   - metadata: Identity, schema, partitioning and properties.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    /// - Returns: The table, open.
    /// - Throws: `CommitConflictError` when the other one cannot take this schema.
    package static func create(
        store: any ObjectStore,
        folder: String,
        metadata: TableMetadata,
        now: Int64
    ) throws -> DeltaTable {
        let commit = try creation(of: metadata, now: now)
        if try store.putIfAbsent("\(folder)/\(LogFileName.commit(version: 0).path)", commit.encoded) {
            let head = try TableHead(creation: commit)
            return DeltaTable(store: store, folder: folder, head: head, checkpointVersion: -1)
        }
        guard let table = try open(store: store, folder: folder) else {
            throw DeltaLogError(.noSuchVersion, "the table that was just created is gone", version: 0)
        }
        try requireRoom(for: metadata, in: table)
        return table
    }

    /// A table that there is none of yet; nothing is written before `make`.
    ///
    /// - Parameters:
    ///   - store: Where the lake lies.
    ///   - folder: The table's folder in the store.
    ///   - metadata: Identity, schema, partitioning and properties; the identity is the same whoever makes the table.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    /// - Returns: The table as it will be.
    /// - Throws: `DeltaLogError`.
    package static func prepared(
        store: any ObjectStore,
        folder: String,
        metadata: TableMetadata,
        now: Int64
    ) throws -> DeltaTable {
        let commit = try creation(of: metadata, now: now)
        let head = try TableHead(creation: commit)
        let table = DeltaTable(store: store, folder: folder, head: head, checkpointVersion: -1)
        table.creation = commit
        return table
    }

    /// Whether the table was made.
    package var isMade: Bool { creation == nil }

    /// Makes a table that was prepared; when another process was faster, this is its table then.
    ///
    /// - Throws: `CommitConflictError` when that is another table; `StorageError`, `DeltaLogError`.
    package func make() throws {
        guard let creation else { return }
        if try !store.putIfAbsent(logKey(.commit(version: 0)), creation.encoded) {
            guard let other = try Self.open(store: store, folder: folder),
                other.head.metadata.id == head.metadata.id
            else { throw CommitConflictError(table: folder, conflict: .tableReplaced(version: 0)) }
            head = other.head
            checkpointVersion = other.checkpointVersion
        }
        self.creation = nil
    }

    private static func creation(of metadata: TableMetadata, now: Int64) throws -> Commit {
        let info = CommitInfo(
            timestamp: now,
            operation: "CREATE TABLE",
            operationParameters: [:],
            engineInfo: engineInfo,
            txnId: RandomName.uuid()
        )
        return try Commit(
            version: 0,
            actions: [.commitInfo(info), .protocol(.current), .metaData(metadata)]
        )
    }

    private static func requireRoom(for metadata: TableMetadata, in table: DeltaTable) throws {
        let version = table.head.version
        guard table.head.metadata.partitionColumns == metadata.partitionColumns else {
            throw CommitConflictError(table: table.folder, conflict: .tableReplaced(version: version))
        }
        do {
            _ = try table.head.metadata.schema().merged(with: metadata.schema())
        } catch {
            throw CommitConflictError(
                table: table.folder,
                conflict: .metadataChanged(version: version, error)
            )
        }
    }

    /// Adds files of one numbered batch, once.
    ///
    /// - Parameters:
    ///   - files: Durable data files.
    ///   - grown: Columns, and fields of structures, that the files have and the table gets in the same commit; nil when
    ///     the table has them.
    ///   - appID: The shard's uuid.
    ///   - batch: The batch's number.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    /// - Returns: The version that holds the batch, and whether this call made it.
    /// - Throws: `CommitConflictError`, `StorageError`, `DeltaLogError`. The commit is then not made, unless the disk
    ///   failed between the put and its sync.
    package func append(
        _ files: [AddFile],
        growing grown: TableSchema? = nil,
        appID: String,
        batch: UInt64,
        now: Int64
    ) throws -> CommitResult {
        let info = CommitInfo(
            timestamp: now,
            operation: "WRITE",
            operationParameters: ["mode": .string("Append")],
            readVersion: head.version,
            isBlindAppend: true,
            engineInfo: Self.engineInfo,
            txnId: RandomName.uuid()
        )
        let transaction = ApplicationTransaction(appId: appID, version: Int64(batch), lastUpdated: now)
        let attempt = try CommitAttempt(
            actions: try metadataAction(growing: grown) + files.map { .add($0) },
            info: info,
            transaction: transaction,
            on: head
        )
        return try carryOut(attempt)
    }

    /// The action that gives the table more columns; none when it has them.
    private func metadataAction(growing grown: TableSchema?) throws -> [Action] {
        guard let grown else { return [] }
        let schema = try head.metadata.schema()
        let merged = try schema.merged(with: grown)
        guard merged != schema else { return [] }
        var metadata = head.metadata
        metadata.schemaString = merged.schemaString
        return [.metaData(metadata)]
    }

    /// The present version when it holds a batch, nil when it does not; makes sure that the version is durable.
    package func versionHolding(batch: UInt64, appID: String) throws -> Int64? {
        guard let transaction = head.transactions[appID], transaction.version >= Int64(batch) else {
            return nil
        }
        // The process that linked the commit may have been killed before it made the name durable.
        try store.makeDurable(logKey(.commit(version: head.version)))
        return head.version
    }

    /// Replaces files by others that hold the same rows.
    func replace(_ removed: [AddFile], with added: [AddFile], now: Int64) throws -> CommitResult {
        let info = CommitInfo(
            timestamp: now,
            operation: "OPTIMIZE",
            operationParameters: ["predicate": .string("[]")],
            readVersion: head.version,
            isBlindAppend: false,
            engineInfo: Self.engineInfo,
            txnId: RandomName.uuid()
        )
        let removals = removed.map { Action.remove($0.removed(deletionTimestamp: now, dataChange: false)) }
        let attempt = try CommitAttempt(actions: removals + added.map { .add($0) }, info: info, on: head)
        return try carryOut(attempt)
    }

    /// Puts files in the place of others that hold rows of the same batches, in one commit without a `txn`.
    ///
    /// What other commits have added since stays. Two replays never go on top of each other.
    ///
    /// - Parameters:
    ///   - removed: Files that were live at `version`.
    ///   - added: Durable data files; when this throws, those that no commit names are removed.
    ///   - grown: Columns, and fields of structures, that the files have and the table gets in the same commit.
    ///   - version: The version at which the table was looked at.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    /// - Returns: The version that the commit made.
    /// - Throws: `CommitConflictError` when one of the files has left the table or another replay has been committed
    ///   since; `StorageError`, `DeltaLogError`. The commit is then not made, unless the disk failed between the put and
    ///   its sync.
    package func replay(
        _ removed: [AddFile],
        with added: [AddFile],
        growing grown: TableSchema,
        since version: Int64,
        now: Int64
    ) throws -> Int64 {
        do {
            return try put(removed, added, grown, since: version, now: now)
        } catch {
            dropUncommitted(added)
            throw error
        }
    }

    private func put(
        _ removed: [AddFile],
        _ added: [AddFile],
        _ grown: TableSchema,
        since version: Int64,
        now: Int64
    ) throws -> Int64 {
        try refresh()
        let paths = Set(removed.map(\.path))
        var next = version + 1
        while next <= head.version {
            let commit = try readCommit(next, content: .all).required(next)
            let gone = commit.actions.compactMap { action in
                if case .remove(let file) = action, paths.contains(file.path) { file.path } else { nil }
            }
            guard gone.isEmpty, !Self.isReplay(commit) else {
                let conflict = CommitConflict.filesGone(version: next, paths: gone)
                throw CommitConflictError(table: folder, conflict: conflict)
            }
            next += 1
        }
        let info = CommitInfo(
            timestamp: now,
            operation: Self.replayOperation,
            operationParameters: [:],
            readVersion: head.version,
            isBlindAppend: false,
            engineInfo: Self.engineInfo,
            txnId: RandomName.uuid()
        )
        let removals = removed.map { Action.remove($0.removed(deletionTimestamp: now, dataChange: true)) }
        let attempt = try CommitAttempt(
            actions: try metadataAction(growing: grown) + removals + added.map { .add($0) },
            info: info,
            on: head
        )
        return try carryOut(attempt) { Self.isReplay($0) && $0.info?.txnId != info.txnId }.version
    }

    private static let replayOperation = "REPLAY"

    private static func isReplay(_ commit: Commit) -> Bool { commit.info?.operation == replayOperation }

    /// Makes sure that a free name is that of the next version and not of one that was cleaned up since this was opened.
    private func requireLog(upTo version: Int64) throws {
        guard try !store.exists(logKey(.commit(version: version - 1))) else { return }
        let versions = try store.list("\(folder)/\(LogFileName.folder)").compactMap {
            LogFileName($0.name)?.version
        }
        guard versions.contains(where: { $0 >= version }) else { return }
        throw DeltaLogError(
            .logGap,
            "the log was cleaned up beyond this version while the table was open; open it again",
            version: version
        )
    }

    private func carryOut(
        _ start: CommitAttempt,
        standsBackBehind isOther: (Commit) -> Bool = { _ in false }
    ) throws -> CommitResult {
        var attempt = start
        while true {
            switch attempt.next {
            case .put(let version, let bytes):
                observer?(.commit)
                try requireLog(upTo: version)
                if try store.putIfAbsent(logKey(.commit(version: version)), bytes) {
                    try goOn(to: bytes)
                    attempt.report(.won)
                } else {
                    let winner = try readCommit(version, content: .all).required(version)
                    if head.version < version { try head.apply(winner) }
                    guard !isOther(winner) else {
                        let conflict = CommitConflict.filesGone(version: version, paths: [])
                        throw CommitConflictError(table: folder, conflict: conflict)
                    }
                    attempt.report(.taken(winner))
                }
            case .mergeSchema: attempt.acceptSchema()
            case .committed(let version): return .committed(version: version)
            case .alreadyCommitted(let version):
                // The process that linked it may have been killed before it made the name durable.
                try store.makeDurable(logKey(.commit(version: version)))
                return .alreadyCommitted(version: version)
            case .conflict(let conflict): throw CommitConflictError(table: folder, conflict: conflict)
            }
        }
    }
}
