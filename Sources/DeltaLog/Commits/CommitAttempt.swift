import JSONText

/// Brings one commit into a table against other writers: says what to do next, does nothing itself.
///
/// Take ``next``, do it, report the outcome, until `next` is `committed`, `alreadyCommitted` or `conflict`;
/// these stay. The value can be copied and kept: a driver that crashes makes a new attempt with a new `txnId`
/// and the same batch.
///
/// Rules, for a winner at the version that was tried:
/// * its `commitInfo.txnId` is ours: an earlier put of this attempt arrived, the commit is made;
/// * it has our application's `txn` at our batch or later: the batch is in the table;
/// * it removes a file that we remove: conflict. Appends conflict with nothing, and nothing with them;
/// * its protocol is beyond us, or ours changes it too: conflict;
/// * it sets metadata: the schemas are merged; where that fails, conflict;
/// * otherwise the same actions go one version up.
///
/// Source: protocol sections "Transaction Identifiers", "Commit Provenance Information" and "Requirements for
/// Writers".
package struct CommitAttempt: Hashable, Sendable {
    private enum Phase: Hashable, Sendable {
        case putting
        case merging(TableMetadata)
        case done(CommitStep)
    }

    /// Version that is tried or was reached.
    private(set) package var version: Int64
    private var actions: [Action]
    private let info: CommitInfo
    private let transaction: ApplicationTransaction?
    /// The table as of the version before, as far as this commit depends on it; nil before its first commit.
    private var tableMetadata: TableMetadata?
    /// The metadata this commit was planned with, or sets.
    private var needed: TableMetadata
    /// What ``needed`` was derived from; nil for a commit that creates the table.
    private let planned: TableMetadata?
    private var phase: Phase

    /// Starts an attempt to commit on top of `head`.
    ///
    /// - Parameters:
    ///   - actions: Everything but `commitInfo` and the batch's `txn`: at most one `metaData`, any files. A
    ///     commit that creates the table has `protocol` and `metaData`.
    ///   - info: Where the commit comes from; `txnId` is new for every attempt.
    ///   - transaction: The batch, when the commit is one of a numbered series.
    ///   - head: State the commit was planned on; nil when there was no table.
    /// - Throws: `DeltaLogError` with `unsupportedWriter`, `unsupportedReader`, `duplicateAction`, or for a
    ///   commit that creates a table `missingProtocol`, `missingMetadata`.
    package init(
        actions: [Action],
        info: CommitInfo,
        transaction: ApplicationTransaction? = nil,
        on head: TableHead?
    ) throws(DeltaLogError) {
        precondition(info.txnId != nil, "an attempt without txnId cannot recognize its own commit")
        let all = actions + (transaction.map { [.txn($0)] } ?? [])
        let commit = try Commit(version: (head?.version ?? -1) + 1, actions: all)
        if let head {
            try head.requireWritable()
            needed = commit.metadata ?? head.metadata
        } else {
            needed = try TableHead(creation: commit).metadata
        }
        self.actions = commit.actions
        self.info = info
        self.transaction = transaction
        version = commit.version
        tableMetadata = head?.metadata
        planned = head?.metadata
        phase = .putting
        checkBeforeFirstPut(head)
    }

    /// What to do now.
    ///
    /// - Complexity: O(bytes of the commit file) while a put is due.
    package var next: CommitStep {
        switch phase {
        case .putting: .put(version: version, bytes: bytes)
        case .merging(let metadata): .mergeSchema(metadata)
        case .done(let step): step
        }
    }

    /// Reports how the put that ``next`` asked for went.
    ///
    /// After `unknown` the same put is due again, to the same version, until an answer comes; the caller
    /// waits between.
    ///
    /// - Parameter outcome: The outcome; a winner must have the version that was tried.
    package mutating func report(_ outcome: PutOutcome) {
        precondition(phase == .putting, "no put was due")
        switch outcome {
        case .won: phase = .done(.committed(version: version))
        case .unknown: break
        case .taken(let winner): lose(to: winner)
        }
    }

    /// Agrees to the metadata of ``CommitStep/mergeSchema(_:)``: it goes into the commit and the next put is
    /// due.
    package mutating func acceptSchema() {
        guard case .merging(let metadata) = phase else {
            preconditionFailure("no schema was merged")
        }
        setMetadata(metadata)
        phase = .putting
    }

    private var bytes: [UInt8] {
        actions.reduce(into: Self.line(.commitInfo(info))) { $0 += Self.line($1) }
    }

    private static func line(_ action: Action) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(action)
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}

extension CommitAttempt {
    private mutating func checkBeforeFirstPut(_ head: TableHead?) {
        guard let head else { return }
        if let transaction, let last = head.transactions[transaction.appId],
            last.version >= transaction.version
        {
            phase = .done(.alreadyCommitted(byVersion: head.version))
        } else if breaksAppendOnly {
            phase = .done(.conflict(.appendOnly(version: head.version)))
        }
    }

    private mutating func lose(to winner: Commit) {
        precondition(winner.version == version, "the winner of version \(version) is wanted")
        precondition(winner.content == .all, "the winner must be decoded whole")
        if winner.info?.txnId == info.txnId {
            phase = .done(.committed(version: version))
        } else if hasOurBatch(winner) {
            phase = .done(.alreadyCommitted(byVersion: version))
        } else if let conflict = conflict(with: winner) {
            phase = .done(.conflict(conflict))
        } else {
            takeOver(winner)
        }
    }

    private func hasOurBatch(_ winner: Commit) -> Bool {
        guard let transaction else { return false }
        return winner.actions.contains { action in
            if case .txn(let other) = action {
                other.appId == transaction.appId && other.version >= transaction.version
            } else {
                false
            }
        }
    }

    private func conflict(with winner: Commit) -> CommitConflict? {
        if let gone = filesGone(winner) {
            return gone
        }
        for case .protocol(let table) in winner.actions {
            if let conflict = protocolConflict(table) {
                return conflict
            }
        }
        return nil
    }

    private func filesGone(_ winner: Commit) -> CommitConflict? {
        let removed = Set(winner.actions.compactMap(\.removedPath))
        guard !removed.isEmpty else { return nil }
        let gone = actions.compactMap(\.removedPath).filter(removed.contains)
        return gone.isEmpty ? nil : .filesGone(version: winner.version, paths: gone)
    }

    /// A commit that was to create the table lets the winner's protocol stand.
    private func protocolConflict(_ table: TableProtocol) -> CommitConflict? {
        do {
            try table.requireWritable(version: version)
        } catch {
            return .protocolChanged(version: version, error)
        }
        let ours = actions.contains { if case .protocol(let own) = $0 { own != table } else { false } }
        guard ours, planned != nil else { return nil }
        let error = DeltaLogError(
            .unsupportedWriter,
            "both commits change the protocol; plan this one again",
            version: version
        )
        return .protocolChanged(version: version, error)
    }

    private var breaksAppendOnly: Bool {
        guard let tableMetadata, tableMetadata.isAppendOnly else { return false }
        return actions.contains { if case .remove(let file) = $0 { file.dataChange } else { false } }
    }
}

extension CommitAttempt {
    /// Makes the winner's table the one this commit goes on top of.
    private mutating func takeOver(_ winner: Commit) {
        if planned == nil {
            actions.removeAll { if case .protocol = $0 { true } else { false } }
        }
        if let metadata = winner.metadata {
            tableMetadata = metadata
            phase = merging(metadata)
        }
        if case .done = phase { return }
        version += 1
    }

    private mutating func merging(_ metadata: TableMetadata) -> Phase {
        guard !breaksAppendOnly else { return .done(.conflict(.appendOnly(version: version))) }
        guard planned == nil || metadata.id == needed.id,
            metadata.partitionColumns == needed.partitionColumns
        else { return .done(.conflict(.tableReplaced(version: version))) }
        do {
            let merged = try merge(metadata)
            guard merged == metadata else { return .merging(merged) }
            setMetadata(nil)
            return .putting
        } catch {
            return .done(.conflict(.metadataChanged(version: version, error)))
        }
    }

    /// The winner's metadata with what this commit needs besides.
    private func merge(_ table: TableMetadata) throws(DeltaLogError) -> TableMetadata {
        let schema = try table.schema()
        let merged = try schema.merged(with: needed.schema())
        var result = table
        result.configuration = try mergedConfiguration(table)
        if merged != schema {
            result.schemaString = merged.schemaString
        }
        return result
    }

    /// The winner's properties with this commit's own changes; both changing one differently is an error.
    private func mergedConfiguration(_ table: TableMetadata) throws(DeltaLogError) -> [String: String] {
        guard let planned else { return table.configuration }
        var result = table.configuration
        let before = planned.configuration
        let wanted = needed.configuration
        for key in Set(before.keys).union(wanted.keys) where before[key] != wanted[key] {
            guard table.configuration[key] == before[key] || table.configuration[key] == wanted[key] else {
                throw DeltaLogError(
                    .malformedProperty,
                    "both commits change the table property '\(key)'; plan this one again",
                    version: version
                )
            }
            result[key] = wanted[key]
        }
        return result
    }

    private mutating func setMetadata(_ metadata: TableMetadata?) {
        actions.removeAll { if case .metaData = $0 { true } else { false } }
        guard let metadata else { return }
        let place = actions.firstIndex { $0.rank > 2 } ?? actions.endIndex
        actions.insert(.metaData(metadata), at: place)
    }
}

extension Action {
    fileprivate var removedPath: DataFilePath? {
        if case .remove(let file) = self { file.path } else { nil }
    }
}
