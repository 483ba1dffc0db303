import BatchProtocol
import Catalog

extension PipelineSettings {
    /// Looks whether the pipeline has filled other tables than those that it names now; writes nothing.
    ///
    /// Its batches are in the tables that it began with: under other names it would find nothing of them.
    ///
    /// - Throws: `PipelineError` with code `tableMismatch` when it has; `ShardError`, `StorageError`, `Lake.LakeError`.
    package func demandSameTables(in lake: Lake) throws {
        guard try lake.openForReading() else { return }
        let shard = ShardStore(store: lake.store, path: ShardPath(pipeline: name, shard: 0))
        try demandMainTable(among: shard.open(isReading: true).fedTables)
    }

    /// The same of a shard that is open.
    ///
    /// - Parameter fed: The names of the tables that it has filled, none before its first batch.
    /// - Throws: `PipelineError` with code `tableMismatch`.
    func demandMainTable(among fed: [String]) throws {
        guard !fed.isEmpty, !fed.contains(mainTable.description) else { return }
        let (keys, former) =
            switch self {
            case .postgres, .customerCSV: ("catalog: and table:", fed.first { $0 != quarantine.description })
            case .databricks: ("catalog: and schema:", fed.first { $0.hasSuffix(".\(mainTable.table)") })
            }
        throw PipelineError(
            code: .tableMismatch,
            message:
                "the pipeline \(name) has filled \(former ?? fed[0]), and its configuration names \(mainTable) now",
            mend:
                "set \(keys) back to \(former ?? fed[0]), or give the pipeline another name to load everything anew"
        )
    }
}
