import Columnar
import DeltaTables
import FoundationEssentials
import ObjectStorage
import ParquetFiles

/// The files of one step in the staging bucket, and the manifest that names them.
///
/// Every attempt has a folder of a random name, so that no two meet; what a killed one leaves is named by no manifest that
/// anybody reads, and goes by the bucket's lifecycle rule.
struct Staging {
    private struct Manifest: Encodable {
        struct Entry: Encodable {
            struct Meta: Encodable {
                var byteCount: Int

                enum CodingKeys: String, CodingKey {
                    case byteCount = "content_length"
                }
            }
            var url: String
            var mandatory = true
            var meta: Meta
        }
        var entries: [Entry] = []
    }

    private let store: any ObjectStore
    private let folder: String
    private var manifest = Manifest()

    /// Begins an attempt.
    init(_ store: any ObjectStore, target: TargetName, version: Int64) {
        self.store = store
        let safe = target.description.unicodeScalars.map { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_")
                ? Character(scalar) : "."
        }
        folder = "\(String(safe))/\(version)-\(RandomName.make())"
    }

    /// Stages the rows of a step's files.
    ///
    /// - Returns: The manifest's URL.
    /// - Throws: `StorageError`, `ParquetError`, `WarehouseError`.
    mutating func stage(
        _ step: inout LoadStep,
        _ columns: [TargetColumn],
        _ walk: ChangeWalk,
        _ note: (LoadStage) -> Void
    ) throws -> String {
        var rows = StagedRows(columns)
        for (index, file) in step.files.enumerated() {
            note(.copy)
            do {
                step.rows += try stage(file, as: "\(folder)/\(index).parquet", &rows, columns, walk)
            } catch {
                throw walk.explained(error, of: file)
            }
        }
        step.replacedNULs = rows.replacedCount
        step.cutTexts = rows.cutCount
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let key = "\(folder)/manifest.json"
        _ = try store.putIfAbsent(key, Array(try encoder.encode(manifest)))
        return store.path(key)
    }

    private mutating func stage(
        _ file: LoadFile,
        as key: String,
        _ rows: inout StagedRows,
        _ columns: [TargetColumn],
        _ walk: ChangeWalk
    ) throws -> Int {
        let fields = columns.filter { !$0.isPartition }.map(\.lakeName)
        let reader = try walk.table.reader(of: file.file.path, fields: fields)
        let writer = try store.writer(key)
        do {
            let sink = StoreSink(writer)
            try sink.surfacing {
                let parquet = try ParquetWriter(schema: rows.schema, storage: [], sink: sink)
                for group in 0..<reader.rowGroupCount {
                    let batch = try reader.withRowGroup(group) { view in
                        try rows.batch(
                            of: view,
                            partition: file.file.partitionValues,
                            file: walk.table.path(of: file.file.path)
                        )
                    }
                    try parquet.write(batch)
                }
                try parquet.finish()
            }
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
        manifest.entries.append(
            Manifest.Entry(url: store.path(key), meta: Manifest.Entry.Meta(byteCount: writer.byteCount))
        )
        return reader.rowCount
    }

    /// Removes the files; what cannot be removed costs space alone.
    func remove() { try? store.removeFolder(folder) }
}
