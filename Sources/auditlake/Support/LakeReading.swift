import Catalog
import Configuration
import DeltaTables
import Foundation
import ObjectStorage
import Query

/// Opens the lake's tables for a reading command.
struct LakeReading {
    let lake: Lake
    let catalog: String

    /// Opens a lake that has to exist.
    init(_ configuration: LakeConfiguration) throws {
        lake = try configuration.openableLake()
        catalog = configuration.catalog.value
        guard try lake.openForReading() else {
            throw UsageError(
                message: "there is no lake at \(lake.store.root)",
                mend: "make it with: auditlake run --once"
            )
        }
    }

    /// A table by a name of two or three parts.
    func table(_ text: String) throws -> (name: TableName, table: DeltaTable) {
        let names = try lake.tables()
        guard let name = TableName(text, defaultCatalog: catalog), let table = try lake.table(name) else {
            throw UsageError(
                message: "there is no table \(text)",
                mend: "the lake has: \(names.map(\.description).joined(separator: ", "))"
            )
        }
        return (name, table)
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
