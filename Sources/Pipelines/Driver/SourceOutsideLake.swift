import Catalog
import ObjectStorage

extension PipelineSettings {
    /// Looks whether the pipeline would read what it writes: its source means data files of its own tables.
    ///
    /// - Throws: `PipelineError` with code `sourceConflict` when it would; `StorageError`.
    package func demandSourceOutside(_ lake: Lake) throws {
        guard let drops = objects?.drops(clock: { 0 }) else { return }
        for table in exampleTables {
            let file = lake.store.path("\(table.folder)/date=2026-01-31/part-0.zstd.parquet")
            guard try drops.means(file) else { continue }
            throw PipelineError(
                code: .sourceConflict,
                message:
                    "the source of \(name) also means the lake's own files in \(lake.store.root): it would read what it writes",
                mend:
                    "give the deliveries a folder of their own, or end the pattern with the files' suffix, as in **/*.json*"
            )
        }
    }

    /// Tables of every schema that the pipeline fills.
    private var exampleTables: [TableName] {
        switch self {
        case .postgres(let settings): [settings.table]
        case .databricks(let settings):
            [
                settings.bronze,
                TableName(catalog: settings.catalog, schema: settings.goldSchema, table: "jobs"),
            ]
        case .customerCSV(let settings): [settings.table]
        }
    }
}
