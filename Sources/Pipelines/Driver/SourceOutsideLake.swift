import Catalog
import ObjectStorage

extension PipelineSettings {
    /// Looks whether the pipeline would read what it writes: its source means data files of its own tables.
    ///
    /// - Throws: `PipelineError` with code `sourceConflict` when it would; `StorageError`.
    package func demandSourceOutside(_ lake: Lake) throws {
        guard case .databricks(let settings) = self else { return }
        let drops = settings.drops { 0 }
        let gold = TableName(catalog: settings.catalog, schema: settings.goldSchema, table: "jobs")
        for table in [settings.bronze, gold] {
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
}
