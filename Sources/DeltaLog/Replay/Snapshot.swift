/// The whole state of a table at one version.
///
/// Replay is incremental: keep the snapshot and apply each commit that follows. A table of reader version 1
/// has no deletion vectors, so a path alone names a logical file.
///
/// Source: protocol section "Action Reconciliation".
package struct Snapshot: Hashable, Sendable {
    /// Protocol, metadata and progress of applications.
    package private(set) var head: TableHead
    /// Files of the table by path.
    package private(set) var files: [DataFilePath: AddFile]
    /// Files that left the table by path, expired ones too: readers of older versions may still want them.
    package private(set) var tombstones: [DataFilePath: RemoveFile]

    /// Version of the table.
    package var version: Int64 {
        head.version
    }

    /// The state that a table's first commit makes.
    ///
    /// - Throws: `DeltaLogError` as ``TableHead/init(creation:)``.
    package init(creation commit: Commit) throws(DeltaLogError) {
        head = try TableHead(creation: commit)
        files = [:]
        tombstones = [:]
        applyFiles(of: commit)
    }

    /// The state that the rows of a checkpoint describe, in any order.
    ///
    /// - Throws: `DeltaLogError` as ``TableHead/init(version:checkpointRows:)``, or with `duplicateAction`
    ///   when a path has two rows.
    package init(version: Int64, checkpointRows rows: some Collection<Action>) throws(DeltaLogError) {
        head = try TableHead(version: version, checkpointRows: rows)
        files = [:]
        tombstones = [:]
        for action in rows {
            let twin: Bool
            switch action {
            case .add(let file):
                twin = files.updateValue(file, forKey: file.path) != nil || tombstones[file.path] != nil
            case .remove(let file):
                twin = tombstones.updateValue(file, forKey: file.path) != nil || files[file.path] != nil
            case .commitInfo, .protocol, .metaData, .txn: continue
            }
            guard !twin else {
                throw DeltaLogError(
                    .duplicateAction,
                    "the checkpoint has two rows for one file; delete it and let the log be replayed",
                    version: version
                )
            }
        }
    }

    /// Moves one version on.
    ///
    /// After a throw nothing has changed.
    ///
    /// - Parameter commit: The commit of the version after this one, decoded with its files.
    /// - Throws: `DeltaLogError` with `versionGap` or `unsupportedReader`.
    /// - Complexity: O(actions of the commit), whatever the size of the table.
    package mutating func apply(_ commit: Commit) throws(DeltaLogError) {
        try head.apply(commit)
        applyFiles(of: commit)
    }

    /// The last action on a path counts: an `add` replaces an older one and wakes a removed file, a `remove`
    /// leaves a tombstone, also for a file that is not there.
    private mutating func applyFiles(of commit: Commit) {
        precondition(commit.content != .head, "a commit decoded without files cannot make a snapshot")
        for action in commit.actions {
            switch action {
            case .add(let file):
                files[file.path] = file
                tombstones.removeValue(forKey: file.path)
            case .remove(let file):
                files.removeValue(forKey: file.path)
                tombstones[file.path] = file
            case .commitInfo, .protocol, .metaData, .txn: continue
            }
        }
    }
}
