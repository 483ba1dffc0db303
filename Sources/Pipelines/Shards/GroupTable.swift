import BatchProtocol
import Catalog
import Columnar
import DeltaLog
import DeltaTables
import ObjectStorage
import ParquetFiles

/// One table that a pipeline feeds, open.
struct GroupTable {
    /// The three-level name.
    var name: TableName
    /// The table.
    var delta: DeltaTable
    /// How its columns are stored.
    var storage: [ColumnStorage]
    /// The column that rows are filed by.
    var partitionColumn: String
    /// Whether the table's schema was that of its shape when it was opened, to the letter.
    var isOfShape = false

    /// The tables' folders in the lake and the files of a batch are named by it.
    var folder: String { name.folder }
}

/// What a table has to be when a pipeline opens it.
struct TableShape {
    /// Columns without the partition column.
    var columns: [SchemaField]
    /// The date column that rows are filed by.
    var partitionColumn: String
    /// How columns are stored; others by dictionary with statistics.
    var storage: [ColumnStorage]
    /// Whether the table may have more columns, or fields in its structures, than these.
    var mayHaveGrown = false

    /// The schema as the log has it, partition column last.
    var schema: TableSchema {
        TableSchema(columns + [SchemaField(partitionColumn, .date)])
    }
}

extension TableShape {
    /// A table of fixed columns.
    init(_ columns: [ColumnField], partitionColumn: String, storage: [ColumnStorage]) {
        self.columns = TableSchema(columns: columns, partitionColumns: []).fields
        self.partitionColumn = partitionColumn
        self.storage = storage
    }
}

/// Opens the tables of a pipeline, and makes those that are not there.
struct TableOpener {
    /// The lake.
    var lake: Lake
    /// Is told of stages of commits.
    var observer: PipelineObserver
    /// Microseconds since 1970-01-01 UTC.
    var clock: @Sendable () -> Int64
    /// What the heads of tables were, by name.
    var hints: [String: TableHint] = [:]

    /// Opens a table, or makes it; its name is claimed for good.
    ///
    /// - Throws: `PipelineError` with code `tableMismatch` when something else made the table, or it has other columns;
    ///   `Lake.LakeError`, `StorageError`, `DeltaLogError`.
    func open(_ name: TableName, _ shape: TableShape) throws -> GroupTable {
        if let found = try openExisting(name, shape) { return found }
        // Under a name that had no claim nobody has made a table since.
        return try open(lake.claim(name) ? nil : lake.table(name), name, shape)
    }

    /// Opens a table; nil when there is none.
    ///
    /// - Throws: As `open`.
    func openExisting(_ name: TableName, _ shape: TableShape) throws -> GroupTable? {
        guard let found = try lake.table(name, hint: hints[name.description]) else { return nil }
        // A claim comes before its table: a table without one is not ours, or lost the receipts that say what it holds.
        guard try lake.hasClaimed(name) else {
            throw PipelineError(
                code: .tableMismatch,
                message:
                    "table \(name) in \(lake.store.path(name.folder)) is there, but this lake knows nothing of it: something else made it, or \(lake.store.path(Lake.reservedName)) was removed",
                mend:
                    "bring that folder back from a backup, give the pipeline another table name, or move the table's folder away"
            )
        }
        return try open(found, name, shape)
    }

    /// Opens a table, or prepares one that is not there; its name is claimed and it is made by `make`.
    ///
    /// An attempt that ends before its plan so leaves nothing that the next one, which may see other rows first, would clash with.
    ///
    /// - Parameters:
    ///   - name: The table.
    ///   - shape: What it has to be.
    ///   - owner: Uuid of the shard that makes it; the table's own follows from it and the name.
    /// - Returns: The table.
    /// - Throws: As `open`.
    func prepare(_ name: TableName, _ shape: TableShape, owner: String) throws -> GroupTable {
        if let found = try openExisting(name, shape) { return found }
        // Refuses a name that is another table's.
        _ = try lake.hasClaimed(name)
        let now = clock() / 1_000
        var identity = Array("\(owner)/\(name)".utf8)
        identity = Array(identity.withUnsafeBytes { ContentHash(of: $0) }.description.utf8)
        let delta = try DeltaTable.prepared(
            store: lake.store,
            folder: name.folder,
            metadata: TableMetadata(
                id: RandomName.uuid(of: String(decoding: identity, as: UTF8.self)),
                schema: shape.schema,
                partitionColumns: [shape.partitionColumn],
                createdTime: now
            ),
            now: now
        )
        return group(delta, name, shape)
    }

    /// Makes a table that was prepared.
    ///
    /// - Throws: As `open`; `CommitConflictError`.
    func make(_ table: GroupTable) throws {
        guard !table.delta.isMade else { return }
        try lake.claim(table.name)
        try table.delta.make()
    }

    private func open(_ existing: DeltaTable?, _ name: TableName, _ shape: TableShape) throws -> GroupTable {
        let delta: DeltaTable
        var isOfShape = true
        if let existing {
            delta = existing
            // As a rule it is the very text that was written: nothing needs parsing.
            isOfShape = existing.head.metadata.schemaString == shape.schema.schemaString
            guard try has(existing, shape, isOfShape: isOfShape) else {
                throw PipelineError(
                    code: .tableMismatch,
                    message:
                        "table \(name) in \(lake.store.path(name.folder)) has other columns than this pipeline writes",
                    mend: "give the pipeline another table name, or move the folder away"
                )
            }
        } else {
            let now = clock() / 1_000
            let metadata = TableMetadata(
                id: RandomName.uuid(),
                schema: shape.schema,
                partitionColumns: [shape.partitionColumn],
                createdTime: now
            )
            delta = try DeltaTable.create(
                store: lake.store,
                folder: name.folder,
                metadata: metadata,
                now: now
            )
        }
        var group = group(delta, name, shape)
        group.isOfShape = isOfShape
        return group
    }

    private func group(_ delta: DeltaTable, _ name: TableName, _ shape: TableShape) -> GroupTable {
        let phase = observer.phase
        delta.observer = { stage in phase(stage == .commit ? .commit : .checkpoint) }
        return GroupTable(
            name: name,
            delta: delta,
            storage: shape.storage,
            partitionColumn: shape.partitionColumn
        )
    }

    /// Whether a table can take rows of a shape.
    private func has(_ table: DeltaTable, _ shape: TableShape, isOfShape: Bool) throws -> Bool {
        guard table.head.metadata.partitionColumns == [shape.partitionColumn] else { return false }
        if isOfShape { return true }
        let schema = try table.head.metadata.schema()
        guard shape.mayHaveGrown else { return schema == shape.schema }
        return (try? schema.merged(with: shape.schema)) != nil
    }
}
