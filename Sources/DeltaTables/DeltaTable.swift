import DeltaLog
import ObjectStorage
import ParquetFiles

/// A Delta table in a store: opens it, commits to it, keeps its log short.
///
/// Holds what the last read or commit showed; other processes may be ahead, and every commit finds out. From one
/// thread at a time.
package final class DeltaTable {
    /// Commits between two checkpoints.
    package static let checkpointInterval: Int64 = 100

    let store: any ObjectStore
    /// The table's folder in the store.
    package let folder: String
    /// The state without files.
    package internal(set) var head: TableHead
    /// The version of the newest checkpoint that was seen; -1 for none.
    var checkpointVersion: Int64
    /// The newest version whose commit file was seen by this, and the hash of that file.
    var seenCommit: (version: Int64, hash: UInt64)?
    /// The whole state at some version up to the head's, once it was needed.
    var cachedSnapshot: Snapshot?
    /// The first commit of a table that is not made yet.
    var creation: Commit?
    /// Told of each stage of a commit and of maintenance, for progress and fault tests.
    package var observer: (@Sendable (TableStage) -> Void)?

    init(store: any ObjectStore, folder: String, head: TableHead, checkpointVersion: Int64) {
        self.store = store
        self.folder = folder
        self.head = head
        self.checkpointVersion = checkpointVersion
    }

    /// The path of a file of the log in the store.
    func logKey(_ name: LogFileName) -> String { "\(folder)/\(name.path)" }

    // MARK: Opening

    /// Opens a table at its newest version.
    ///
    /// - Returns: nil when there is no table.
    /// - Throws: `DeltaLogError`, `StorageError`, `ParquetError`.
    /// - Complexity: O(commits since the newest checkpoint), however long the log is.
    package static func open(store: any ObjectStore, folder: String) throws -> DeltaTable? {
        if let table = try openFromHint(store: store, folder: folder) { return table }
        let names = try store.list("\(folder)/\(LogFileName.folder)").map(\.name)
        guard names.contains(where: { LogFileName($0)?.version != nil }) else { return nil }
        let segment = try LogSegment(names: names)
        let start: TableHead
        var rest = segment.commits[...]
        if let version = segment.checkpointVersion {
            let rows = try segment.checkpointFiles.flatMap { name in
                try CheckpointFile.read("\(folder)/\(name.path)", in: store, content: .head)
            }
            start = try TableHead(version: version, checkpointRows: rows)
        } else {
            let first = rest.removeFirst()
            start = try TableHead(
                creation: try readCommit(store: store, folder: folder, first, content: .head).required(first)
            )
        }
        let table = DeltaTable(
            store: store,
            folder: folder,
            head: start,
            checkpointVersion: segment.checkpointVersion ?? -1
        )
        try table.refresh()
        return table
    }

    /// Opens by `_last_checkpoint`; nil when the hint is missing or wrong.
    private static func openFromHint(store: any ObjectStore, folder: String) throws -> DeltaTable? {
        guard let bytes = try store.read("\(folder)/\(LogFileName.lastCheckpoint.path)"),
            let hint = try? LastCheckpoint(decoding: bytes), hint.parts == nil
        else { return nil }
        let key = "\(folder)/\(LogFileName.checkpoint(version: hint.version).path)"
        // A clean-up leaves the commit of the checkpoint at which the log begins: where it is gone, newer versions may be
        // out of reach from here and a listing has to tell.
        guard try store.exists(key),
            try store.exists("\(folder)/\(LogFileName.commit(version: hint.version).path)")
        else {
            return nil
        }
        let rows = try CheckpointFile.read(key, in: store, content: .head)
        let head = try TableHead(version: hint.version, checkpointRows: rows)
        let table = DeltaTable(store: store, folder: folder, head: head, checkpointVersion: hint.version)
        try table.refresh()
        return table
    }

    /// Reads what others have committed since.
    package func refresh() throws {
        while let bytes = try store.read(logKey(.commit(version: head.version + 1))) { try goOn(to: bytes) }
    }

    /// Takes the commit that follows the head, which is in the log.
    func goOn(to bytes: [UInt8]) throws {
        let commit = try Commit(version: head.version + 1, decoding: bytes, content: .head)
        try head.apply(commit)
        seenCommit = (commit.version, Self.hash(bytes))
    }

    static func readCommit(
        store: any ObjectStore,
        folder: String,
        _ version: Int64,
        content: Commit.Content
    ) throws -> Commit? {
        guard let bytes = try store.read("\(folder)/\(LogFileName.commit(version: version).path)") else {
            return nil
        }
        return try Commit(version: version, decoding: bytes, content: content)
    }

    func readCommit(_ version: Int64, content: Commit.Content) throws -> Commit? {
        try Self.readCommit(store: store, folder: folder, version, content: content)
    }

    // MARK: Reading

    /// The whole state at the head's version.
    ///
    /// - Complexity: O(files and tombstones) the first time, then O(new commits).
    package func snapshot() throws -> Snapshot {
        var snapshot = try cachedSnapshot ?? baseSnapshot()
        while snapshot.version < head.version {
            try snapshot.apply(
                try readCommit(snapshot.version + 1, content: .state).required(snapshot.version + 1)
            )
        }
        cachedSnapshot = snapshot
        return snapshot
    }

    /// The whole state at an earlier version.
    ///
    /// - Parameter version: At most the head's.
    /// - Returns: The state.
    /// - Throws: `DeltaLogError` when the log does not reach back so far.
    /// - Complexity: O(files and tombstones), and O(commits since a checkpoint before it).
    package func snapshot(at version: Int64) throws -> Snapshot {
        if version == head.version { return try snapshot() }
        var snapshot = try listedSnapshot(upTo: version)
        while snapshot.version < version {
            let next = snapshot.version + 1
            try snapshot.apply(try readCommit(next, content: .state).required(next))
        }
        return snapshot
    }

    private func baseSnapshot() throws -> Snapshot {
        if checkpointVersion >= 0 {
            let key = logKey(.checkpoint(version: checkpointVersion))
            if try store.exists(key) {
                let rows = try CheckpointFile.read(key, in: store, content: .all)
                return try Snapshot(version: checkpointVersion, checkpointRows: rows)
            }
        }
        // A young table as a rule has all of its commits: nothing has to be listed.
        if checkpointVersion < 0, let first = try readCommit(0, content: .state) {
            return try Snapshot(creation: first)
        }
        return try listedSnapshot(upTo: head.version)
    }

    /// The state at the newest checkpoint up to a version, or at the first commit.
    private func listedSnapshot(upTo version: Int64) throws -> Snapshot {
        let names = try store.list("\(folder)/\(LogFileName.folder)").map(\.name)
        let segment = try LogSegment(names: names, upTo: version)
        if let version = segment.checkpointVersion {
            let rows = try segment.checkpointFiles.flatMap { name in
                try CheckpointFile.read("\(folder)/\(name.path)", in: store, content: .all)
            }
            return try Snapshot(version: version, checkpointRows: rows)
        }
        return try Snapshot(creation: try readCommit(0, content: .state).required(0))
    }

    /// What other programs reach a data file by: a path on disk, or a URL.
    package func path(of file: DataFilePath) -> String {
        let decoded = file.decoded
        return decoded.hasPrefix("/") ? decoded : store.path("\(folder)/\(decoded)")
    }

    /// Opens a data file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - fields: Top-level columns to read, nil for all; names that the file lacks are passed over.
    /// - Returns: The open file.
    /// - Throws: `StorageError`, `ParquetError`.
    package func reader(of file: DataFilePath, fields: [String]? = nil) throws -> ParquetReader {
        let decoded = file.decoded
        if decoded.hasPrefix("/") { return try ParquetReader(path: decoded, fields: fields) }
        return try store.parquetReader("\(folder)/\(decoded)", fields: fields)
    }
}

extension Optional where Wrapped == Commit {
    /// The commit that the log must have.
    func required(_ version: Int64) throws -> Commit {
        guard let self else {
            throw DeltaLogError(
                .logGap,
                "a commit file is missing; restore _delta_log from a backup",
                version: version
            )
        }
        return self
    }
}

/// A stage that a table passes, in order of durability.
package enum TableStage: String, Hashable, Sendable, CaseIterable {
    /// A commit is about to be put.
    case commit
    /// Live files are about to be merged.
    case compaction
    /// A checkpoint is about to be written.
    case checkpoint
    /// Old files of the log are about to be removed.
    case cleanUp
}
