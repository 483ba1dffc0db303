import JSONText

/// The actions of one version of a table: the content of one `_delta_log/<version>.json`.
///
/// Source: protocol sections "Delta Log Entries" and "Requirements for Writers".
package struct Commit: Hashable, Sendable {
    /// What is decoded from a commit file.
    package enum Content: Hashable, Sendable {
        /// Every action.
        case all
        /// Everything but `commitInfo`: enough for ``Snapshot``.
        case state
        /// Everything but `add`, `remove` and `commitInfo`: enough for ``TableHead``, several times cheaper.
        case head
    }

    /// Version of the table after this commit.
    package let version: Int64
    /// The actions; `commitInfo` first when this value was made for writing.
    package let actions: [Action]
    /// What of the commit is here.
    package let content: Content

    /// Makes a commit to be written, its actions in the order `commitInfo`, `protocol`, `metaData`, `txn`,
    /// files.
    ///
    /// - Throws: `DeltaLogError` with `duplicateAction` when two actions reconcile with each other.
    package init(version: Int64, actions: [Action]) throws(DeltaLogError) {
        self.version = version
        self.actions = (0...4).flatMap { rank in actions.filter { $0.rank == rank } }
        content = .all
        try requireDistinct()
    }

    /// Reads a commit file.
    ///
    /// Unknown actions and fields are skipped, as are blank lines.
    ///
    /// - Parameters:
    ///   - version: Version in the file's name.
    ///   - bytes: The whole file.
    ///   - content: What to read of it.
    /// - Throws: `DeltaLogError` with `malformedAction`, `malformedPath` or `duplicateAction`, with the line.
    package init(
        version: Int64,
        decoding bytes: some BidirectionalCollection<UInt8>,
        content: Content = .all
    ) throws(DeltaLogError) {
        self.version = version
        self.content = content
        actions = try Self.decode(bytes, version: version, content: content)
        try requireDistinct()
    }

    /// The content of the commit file, UTF-8, every line ended; equal commits give equal bytes.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for action in actions {
            var writer = JSONWriter()
            writer.value(action)
            bytes += writer.bytes
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }

    /// Where the commit comes from, when it says so.
    package var info: CommitInfo? {
        for case .commitInfo(let info) in actions {
            return info
        }
        return nil
    }

    /// The metadata the commit sets, when it sets one.
    package var metadata: TableMetadata? {
        for case .metaData(let metadata) in actions {
            return metadata
        }
        return nil
    }
}

extension Commit {
    /// Makes sure that no two actions reconcile with each other (section "Requirements for Writers", log
    /// entries).
    private func requireDistinct() throws(DeltaLogError) {
        guard actions.count > 1 else { return }
        var names: Set<String> = []
        for action in actions {
            // The kinds cannot clash: a canonical path holds no colon but that of a scheme.
            let name: String? =
                switch action {
                case .commitInfo: nil
                case .protocol: ":protocol"
                case .metaData: ":metaData"
                case .txn(let transaction): ":txn:" + transaction.appId
                case .add(let file): file.path.encoded
                case .remove(let file): file.path.encoded
                }
            guard let name, !names.insert(name).inserted else { continue }
            throw DeltaLogError(
                .duplicateAction,
                "the commit has two actions for '\(name)'; a commit holds at most one",
                version: version
            )
        }
    }
}
