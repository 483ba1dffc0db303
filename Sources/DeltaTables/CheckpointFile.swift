import Columnar
import DeltaLog
import ObjectStorage
import ParquetFiles

/// The Parquet file of a classic checkpoint.
enum CheckpointFile {
    /// Writes a checkpoint's rows into an object under way.
    static func write(_ content: CheckpointContent, to writer: any ObjectWriter) throws {
        guard let columns = CheckpointContent.schema.columns else {
            preconditionFailure("a checkpoint type has no column")
        }
        let rows = content.rows.map(cells(of:))
        let batch = RecordBatch(
            schema: columns,
            columns: columns.indices.map { index in
                Column(columns[index].type, values: rows.map { $0[index] })
            },
            rowCount: rows.count
        )
        let sink = StoreSink(writer)
        try sink.surfacing {
            let parquet = try ParquetWriter(schema: columns, storage: [], sink: sink)
            try parquet.write(batch)
            try parquet.finish()
        }
    }

    /// The actions of a checkpoint file.
    ///
    /// - Parameters:
    ///   - key: The file in the store.
    ///   - store: Where it lies.
    ///   - content: `.head` reads neither `add` nor `remove` columns.
    /// - Returns: One action a row.
    /// - Throws: `StorageError`, `ParquetError` or `DeltaLogError`.
    static func read(_ key: String, in store: any ObjectStore, content: Commit.Content) throws -> [Action] {
        let fields = content == .head ? ["protocol", "metaData", "txn"] : nil
        let reader = try store.parquetReader(key, fields: fields)
        var actions: [Action] = []
        for group in 0..<reader.rowGroupCount {
            try reader.withRowGroup(group) { rows in
                for index in 0..<rows.count {
                    if let action = try action(rows, index) { actions.append(action) }
                }
            }
        }
        return actions
    }

    // MARK: Laying out

    private static func cells(of action: Action) -> [CellValue] {
        switch action {
        case .txn(let txn):
            [
                .structure([.string(txn.appId), .int64(txn.version), number(txn.lastUpdated)]), .null, .null,
                .null, .null,
            ]
        case .add(let file): [.null, add(file), .null, .null, .null]
        case .remove(let file): [.null, .null, remove(file), .null, .null]
        case .metaData(let metadata): [.null, .null, .null, self.metadata(metadata), .null]
        case .protocol(let value):
            [
                .null, .null, .null, .null,
                .structure([.int32(Int32(value.minReaderVersion)), .int32(Int32(value.minWriterVersion))]),
            ]
        case .commitInfo: [.null, .null, .null, .null, .null]
        }
    }

    private static func number(_ value: Int64?) -> CellValue { value.map { .int64($0) } ?? .null }
    private static func text(_ value: String?) -> CellValue { value.map { .string($0) } ?? .null }
    private static func pairs(_ value: [String: String?]?) -> CellValue {
        value.map { .map($0.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }) } ?? .null
    }

    private static func add(_ file: AddFile) -> CellValue {
        .structure([
            .string(file.path.encoded), pairs(file.partitionValues), .int64(file.size),
            .int64(file.modificationTime),
            .boolean(file.dataChange), text(file.stats), pairs(file.tags),
        ])
    }

    private static func remove(_ file: RemoveFile) -> CellValue {
        .structure([
            .string(file.path.encoded), number(file.deletionTimestamp), .boolean(file.dataChange),
            file.extendedFileMetadata.map { .boolean($0) } ?? .null, pairs(file.partitionValues),
            number(file.size),
        ])
    }

    private static func metadata(_ metadata: TableMetadata) -> CellValue {
        .structure([
            .string(metadata.id), text(metadata.name), text(metadata.comment),
            .structure([.string(metadata.format.provider), pairs(metadata.format.options.mapValues { $0 })]),
            .string(metadata.schemaString), .list(metadata.partitionColumns),
            pairs(metadata.configuration.mapValues { $0 }), number(metadata.createdTime),
        ])
    }

    // MARK: Reading

    private static func action(_ rows: ArrowView, _ index: Int) throws -> Action? {
        if let view = rows.field("add"), view.isValid(index) { return try add(view, index).map { .add($0) } }
        if let view = rows.field("remove"), view.isValid(index) {
            return try remove(view, index).map { .remove($0) }
        }
        if let view = rows.field("txn"), view.isValid(index), let appID = view.field("appId")?.string(index),
            let version = view.field("version")?.int64(index)
        {
            let time = view.field("lastUpdated")?.int64(index)
            return .txn(ApplicationTransaction(appId: appID, version: version, lastUpdated: time))
        }
        if let view = rows.field("metaData"), view.isValid(index) {
            return metadata(view, index).map { .metaData($0) }
        }
        if let view = rows.field("protocol"), view.isValid(index),
            let reader = view.field("minReaderVersion")?.int32(index),
            let writer = view.field("minWriterVersion")?.int32(index)
        {
            return .protocol(
                TableProtocol(
                    minReaderVersion: Int64(reader),
                    minWriterVersion: Int64(writer),
                    readerFeatures: view.field("readerFeatures")?.strings(index),
                    writerFeatures: view.field("writerFeatures")?.strings(index)
                )
            )
        }
        return nil
    }

    private static func dictionary(_ view: ArrowView?, _ index: Int) -> [String: String?]? {
        view?.pairs(index).map { pairs in Dictionary(pairs.map { ($0.key, $0.value) }) { _, last in last } }
    }

    private static func add(_ view: ArrowView, _ index: Int) throws -> AddFile? {
        guard let path = view.field("path")?.string(index), let size = view.field("size")?.int64(index) else {
            return nil
        }
        return AddFile(
            path: try DataFilePath(encoded: path),
            partitionValues: dictionary(view.field("partitionValues"), index) ?? [:],
            size: size,
            modificationTime: view.field("modificationTime")?.int64(index) ?? 0,
            dataChange: view.field("dataChange")?.boolean(index) ?? false,
            stats: view.field("stats")?.string(index),
            tags: dictionary(view.field("tags"), index)
        )
    }

    private static func remove(_ view: ArrowView, _ index: Int) throws -> RemoveFile? {
        guard let path = view.field("path")?.string(index) else { return nil }
        return RemoveFile(
            path: try DataFilePath(encoded: path),
            deletionTimestamp: view.field("deletionTimestamp")?.int64(index),
            dataChange: view.field("dataChange")?.boolean(index) ?? false,
            extendedFileMetadata: view.field("extendedFileMetadata")?.boolean(index),
            partitionValues: dictionary(view.field("partitionValues"), index),
            size: view.field("size")?.int64(index)
        )
    }

    private static func metadata(_ view: ArrowView, _ index: Int) -> TableMetadata? {
        guard let id = view.field("id")?.string(index), let schema = view.field("schemaString")?.string(index)
        else {
            return nil
        }
        var result = TableMetadata(
            id: id,
            schema: TableSchema([]),
            createdTime: view.field("createdTime")?.int64(index)
        )
        result.name = view.field("name")?.string(index)
        result.comment = view.field("description")?.string(index)
        result.schemaString = schema
        result.partitionColumns = view.field("partitionColumns")?.strings(index) ?? []
        result.configuration = (dictionary(view.field("configuration"), index) ?? [:]).compactMapValues { $0 }
        if let format = view.field("format"), format.isValid(index),
            let provider = format.field("provider")?.string(index)
        {
            let options = (dictionary(format.field("options"), index) ?? [:]).compactMapValues { $0 }
            result.format = TableMetadata.Format(provider: provider, options: options)
        }
        return result
    }
}
