import DeltaLog
import DeltaTables

extension LoadStatements {
    /// The statements that bring a table of the lake into its target.
    ///
    /// - Throws: `WarehouseError` with `conflict` or `setting`, `DeltaLogError`.
    init(_ walk: ChangeWalk, _ dialect: Dialect) throws {
        let metadata = walk.table.head.metadata
        let columns = try TargetColumn.columns(
            of: try metadata.schema(),
            partitionColumns: metadata.partitionColumns,
            dialect: dialect
        )
        let key = try walk.task.key.map { name in
            guard let column = columns.first(where: { $0.lakeName == name }) else {
                throw WarehouseError(
                    .setting,
                    "load.key of pipeline \(walk.task.pipeline) names \(name), which \(walk.task.lakeTable) does not have",
                    mend: "name columns of the table: \(columns.map(\.lakeName).joined(separator: ", "))"
                )
            }
            return column.name
        }
        self.init(dialect: dialect, target: walk.task.target, columns: columns, key: key)
    }
}
