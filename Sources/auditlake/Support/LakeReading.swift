import Catalog
import Configuration
import DeltaTables
import Foundation
import ObjectStorage
import Query

/// Opens the lake's tables for a reading command.
struct LakeReading {
    let configuration: LakeConfiguration
    let lake: Lake
    let catalog: String

    /// Opens a lake that has to exist.
    init(_ configuration: LakeConfiguration) throws {
        self.configuration = configuration
        lake = try configuration.openableLake()
        catalog = configuration.catalog.value
        guard try lake.openForReading() else {
            throw UsageError(
                message: "there is no lake at \(lake.store.root)",
                mend: "make it with: auditlake run --once"
            )
        }
    }

    /// A table by a name of two or three parts, without regard to case, as in SQL.
    func table(_ text: String) throws -> (name: TableName, table: DeltaTable) {
        let names = try lake.tables()
        let wanted = TableName(text, defaultCatalog: catalog)?.description.lowercased()
        guard let name = names.first(where: { $0.description.lowercased() == wanted }),
            let table = try lake.table(name)
        else {
            throw UsageError(
                message: "there is no table \(text)",
                mend: "the lake has: \(names.map(\.description).joined(separator: ", "))"
            )
        }
        return (name, table)
    }

    /// Whether a name is that of the view over all quarantine tables, and no table's.
    private func isQuarantineView(_ text: String) throws -> Bool {
        let name = TableName(text, defaultCatalog: catalog)?.description.lowercased()
        let view = TableName(catalog: catalog, schema: Lake.reservedName, table: "quarantine").description
        return try name == view.lowercased() && !quarantineTables().isEmpty
    }

    private func quarantineTables() throws -> [TableName] {
        try lake.tables().filter {
            $0.schema == Lake.reservedName && $0.table.hasPrefix("quarantine_")
        }
    }

    /// The columns of the view over all quarantine tables; nil for another name.
    func quarantineColumns(named text: String) throws -> [TableColumn]? {
        guard try isQuarantineView(text), let first = try quarantineTables().first,
            let table = try lake.table(first)
        else { return nil }
        let columns = try table.columns()
        // A text that is never missing, as the first column, `source`, is one.
        guard var pipeline = columns.first else { return nil }
        pipeline.name = "pipeline"
        return [pipeline] + columns
    }

    /// Makes sure that a name is not that of the view, which has no history of its own.
    func refuseView(_ text: String) throws {
        guard try isQuarantineView(text) else { return }
        throw UsageError(
            message: "\(text) is a view over the quarantine tables and has no history",
            mend: "its tables are: \(try quarantineTables().map(\.description).joined(separator: ", "))"
        )
    }

    /// Every table as the query engine sees it, the union of the quarantine tables, and what audit tables come to.
    func scope() throws -> QueryScope {
        var tables: [QueryTable] = []
        for name in try lake.tables() {
            guard let table = try lake.table(name) else { continue }
            tables.append(try queryTable(name, table))
        }
        let quarantines = tables.map(\.name).filter {
            $0.schema == Lake.reservedName && $0.table.hasPrefix("quarantine_")
        }
        let union = quarantines.map { name in
            "SELECT '\(name.table.dropFirst("quarantine_".count))' AS pipeline, * FROM \(quoted(name))"
        }
        // Views lie in the default catalog.
        let resolved = tables.filter { $0.name.catalog == catalog }.compactMap {
            ResolvedView(of: $0, named: quoted($0.name))?.view
        }
        let views =
            union.isEmpty
            ? []
            : [
                DerivedView(
                    schema: Lake.reservedName,
                    name: "quarantine",
                    sql: union.joined(separator: " UNION ALL BY NAME ")
                )
            ]
        return QueryScope(defaultCatalog: catalog, tables: tables, views: views + resolved)
    }

    private func quoted(_ name: QueryTableName) -> String {
        [name.catalog, name.schema, name.table].map {
            "\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\""
        }
        .joined(separator: ".")
    }

    private func queryTable(_ name: TableName, _ table: DeltaTable) throws -> QueryTable {
        let snapshot = try table.snapshot()
        let columns = try table.columns()
        return QueryTable(
            name: QueryTableName(catalog: name.catalog, schema: name.schema, table: name.table),
            files: snapshot.files.keys.map { table.path(of: $0) }.sorted(),
            columns: columns.filter { !$0.isPartition }.map { QueryColumn($0.name, $0.engineType) },
            partitionColumns: columns.filter(\.isPartition).map { QueryColumn($0.name, $0.engineType) }
        )
    }
}
