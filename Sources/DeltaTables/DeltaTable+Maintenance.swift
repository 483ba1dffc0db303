import Columnar
import DeltaLog
import ObjectStorage
import ParquetFiles

extension DeltaTable {
    /// Live files at which merging starts; a hundred commits later there are at most 1,000.
    package static let liveFileLimit = 850

    /// Commits that a reader has to read behind the newest checkpoint, apart from the table's creation.
    package var commitsSinceCheckpoint: Int64 { head.version - max(checkpointVersion, 0) }

    /// Merges small files and writes a checkpoint when enough commits have passed, so that opening and reading the
    /// table costs no more after ten thousand commits than after the first hundred.
    ///
    /// Costs nothing between two checkpoints. A failure leaves the table as it was.
    ///
    /// - Parameters:
    ///   - storage: How merged files are stored.
    ///   - interval: Commits between two checkpoints.
    ///   - fileLimit: Live files at which merging starts.
    ///   - now: Milliseconds since 1970-01-01 UTC.
    /// - Throws: `StorageError`, `ParquetError`, `DeltaLogError`, `CommitConflictError`.
    package func maintain(
        storage: [ColumnStorage],
        interval: Int64 = DeltaTable.checkpointInterval,
        fileLimit: Int = DeltaTable.liveFileLimit,
        now: Int64
    ) throws {
        guard commitsSinceCheckpoint >= interval else { return }
        try compact(storage: storage, fileLimit: fileLimit, now: now)
        try writeCheckpoint(now: now)
        if checkpointVersion / 1_000 != (checkpointVersion - interval) / 1_000 { try cleanLog(now: now) }
    }

    /// Merges small files while there are more than `fileLimit`; the rows stay, in files of one `dataChange = false`
    /// commit.
    func compact(storage: [ColumnStorage], fileLimit: Int, now: Int64) throws {
        let snapshot = try snapshot()
        guard snapshot.files.count > fileLimit else { return }
        observer?(.compaction)
        let candidates = snapshot.files.values.map { file in
            BinPacking.File(
                path: file.path,
                size: file.size,
                modificationTime: file.modificationTime,
                partitionValues: file.partitionValues,
                recordCount: nil
            )
        }
        let groups = BinPacking(fileLimit: fileLimit).groups(candidates)
        guard !groups.isEmpty else { return }
        var removed: [AddFile] = []
        var added: [AddFile] = []
        do {
            for group in groups {
                let files = group.files.compactMap { snapshot.files[$0.path] }
                added.append(try merge(files, storage: storage, now: now))
                removed += files
            }
            _ = try replace(removed, with: added, now: now)
        } catch {
            dropUncommitted(added)
            // Another process merged the same files: the table is well without us.
            if let conflict = error as? CommitConflictError, case .filesGone = conflict.conflict {
                return try refresh()
            }
            throw error
        }
    }

    /// Removes data files that no commit names.
    ///
    /// A put can fail after its commit has become visible, so the log decides; what cannot be decided stays
    /// until vacuum.
    func dropUncommitted(_ files: [AddFile]) {
        do {
            try refresh()
            let live = try snapshot().files
            for file in files where live[file.path] == nil {
                try store.remove("\(folder)/\(file.path.decoded)")
            }
        } catch {
            return
        }
    }

    private func merge(_ files: [AddFile], storage: [ColumnStorage], now: Int64) throws -> AddFile {
        let schema = try head.metadata.schema()
        let partitions = head.metadata.partitionColumns
        let fields = TableSchema(schema.fields.filter { !partitions.contains($0.name) })
        guard let columns = fields.columns, let first = files.first else {
            throw DeltaLogError(
                .unsupportedType,
                "the table has a column type that cannot be merged",
                version: head.version
            )
        }
        let values = partitions.map { name in (name: name, value: (first.partitionValues[name] ?? nil) ?? "")
        }
        let writer = try DataFileWriter(
            store: store,
            table: folder,
            schema: columns,
            storage: storage,
            partitionValues: values
        )
        do {
            for file in files { try writer.append(contentsOf: try reader(of: file.path)) }
            let stats = try FileStatistics.merged(files.map(\.stats))
            var result = try writer.finish(now: now, dataChange: false, stats: stats)
            result.partitionValues = first.partitionValues
            return result
        } catch {
            writer.abandon()
            throw error
        }
    }

    /// Writes a checkpoint of the head's version unless one is there, and points `_last_checkpoint` at it.
    package func writeCheckpoint(now: Int64) throws {
        observer?(.checkpoint)
        let content = try CheckpointContent(try snapshot(), now: now)
        let key = logKey(.checkpoint(version: content.version))
        let writer = try store.publisher(key)
        do {
            try CheckpointFile.write(content, to: writer)
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
        let hint = content.lastCheckpoint(sizeInBytes: Int64(writer.byteCount))
        try store.replace(logKey(.lastCheckpoint), hint.encoded)
        checkpointVersion = content.version
    }

    /// Removes commits and checkpoints that the log's retention no longer asks for.
    package func cleanLog(now: Int64) throws {
        observer?(.cleanUp)
        let logFolder = "\(folder)/\(LogFileName.folder)"
        let files = try store.list(logFolder).map {
            LogFile(name: $0.name, modificationTime: $0.modified / 1_000)
        }
        let retention = try TableRetention(head.metadata).logMilliseconds
        for name in LogCleanup(files: files, retention: retention, now: now).deletable {
            try store.remove("\(logFolder)/\(name)")
        }
        // What an attempt that was killed left behind; a day is longer than any attempt lives.
        for file in files where file.name.hasSuffix(".tmp") && file.modificationTime < now - 86_400_000 {
            try store.remove("\(logFolder)/\(file.name)")
        }
    }
}
