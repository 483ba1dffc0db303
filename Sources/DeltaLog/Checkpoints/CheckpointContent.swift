import JSONText

/// The rows of a classic checkpoint: one Parquet file that stands for all commits up to its version.
///
/// The writer lays out one row per action under ``schema``, with all columns but the action's own null; a
/// path is written as ``DataFilePath/encoded``. ``Snapshot/init(version:checkpointRows:)`` is the way back.
///
/// Source: protocol sections "Checkpoints", "V1 Spec" and "Checkpoint Schema".
package struct CheckpointContent: Hashable, Sendable {
    /// Version of the table.
    package let version: Int64
    /// `protocol`, `metaData`, `txn` by id, `add` by path, `remove` by path: equal snapshots give equal rows.
    package let rows: [Action]
    /// Number of `add` rows.
    package let addCount: Int64

    /// Collects the rows; no file action changes data, and tombstones that have expired are left out.
    ///
    /// - Parameters:
    ///   - snapshot: State of the table.
    ///   - now: Time of the checkpoint in milliseconds since 1970.
    /// - Throws: `DeltaLogError` with `malformedProperty` for a retention that cannot be read.
    /// - Complexity: O(n log n) in the number of files.
    package init(_ snapshot: Snapshot, now: Int64) throws(DeltaLogError) {
        let retention = try TableRetention(snapshot.head.metadata).deletedFileMilliseconds
        let transactions = snapshot.head.transactions.values.sorted { utf8Precedes($0.appId, $1.appId) }
        let files = snapshot.files.values.sorted { utf8Precedes($0.path.encoded, $1.path.encoded) }
        let tombstones = snapshot.tombstones.values
            .filter { !$0.isExpired(now: now, retention: retention) }
            .sorted { utf8Precedes($0.path.encoded, $1.path.encoded) }
        var rows: [Action] = [.protocol(snapshot.head.tableProtocol), .metaData(snapshot.head.metadata)]
        rows += transactions.map(Action.txn)
        for var file in files {
            file.dataChange = false
            rows.append(.add(file))
        }
        for var file in tombstones {
            file.dataChange = false
            file.tags = nil
            rows.append(.remove(file))
        }
        version = snapshot.version
        addCount = Int64(files.count)
        self.rows = rows
    }

    /// What `_last_checkpoint` says once the file is written.
    ///
    /// - Parameter sizeInBytes: Size of the Parquet file.
    /// - Returns: The hint.
    package func lastCheckpoint(sizeInBytes: Int64) -> LastCheckpoint {
        LastCheckpoint(
            version: version,
            size: Int64(rows.count),
            sizeInBytes: sizeInBytes,
            numOfAddFiles: addCount
        )
    }
}

extension RemoveFile {
    /// Whether the tombstone may be forgotten and its file deleted.
    ///
    /// - Parameters:
    ///   - now: Current time in milliseconds since 1970.
    ///   - retention: How long tombstones stay, in milliseconds.
    /// - Returns: True when the removal lies further back than `retention`.
    package func isExpired(now: Int64, retention: Int64) -> Bool {
        let (expiry, overflow) = (deletionTimestamp ?? 0).addingReportingOverflow(retention)
        return !overflow && now > expiry
    }
}
