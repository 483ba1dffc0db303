/// A column of a table, as DuckDB types it.
package struct QueryColumn: Hashable, Sendable {
    /// The column's name.
    package var name: String
    /// DuckDB's name of its type, as `TIMESTAMP WITH TIME ZONE` or `MAP(VARCHAR, VARCHAR)`.
    package var type: String

    package init(_ name: String, _ type: String) {
        self.name = name
        self.type = type
    }
}

/// A table's full name.
package struct QueryTableName: Hashable, Sendable, CustomStringConvertible {
    /// First part of the name.
    package var catalog: String
    /// Second part of the name.
    package var schema: String
    /// Third part of the name.
    package var table: String

    package init(catalog: String, schema: String, table: String) {
        self.catalog = catalog
        self.schema = schema
        self.table = table
    }

    /// `catalog.schema.table`.
    package var description: String { "\(catalog).\(schema).\(table)" }
}

/// One snapshot of a table: its columns and the Parquet files that hold its rows.
package struct QueryTable: Hashable, Sendable {
    /// The table's full name.
    package var name: QueryTableName
    /// Absolute paths of the snapshot's files; may be empty.
    package var files: [String]
    /// The columns that the files hold, in the table's order; one that a file lacks is NULL there.
    package var columns: [QueryColumn]
    /// The columns that the files' folders name, as `date=2026-01-31`; they come after the others.
    package var partitionColumns: [QueryColumn]

    package init(
        name: QueryTableName,
        files: [String],
        columns: [QueryColumn],
        partitionColumns: [QueryColumn] = []
    ) {
        self.name = name
        self.files = files
        self.columns = columns
        self.partitionColumns = partitionColumns
    }
}

/// A view that is computed from tables, such as the union of all quarantine tables.
package struct DerivedView: Hashable, Sendable {
    /// The schema, in the scope's default catalog.
    package var schema: String
    /// The view in its schema.
    package var name: String
    /// One query over the scope's tables; it may also use derived views that stand before this one.
    package var sql: String

    package init(schema: String, name: String, sql: String) {
        self.schema = schema
        self.name = name
        self.sql = sql
    }
}

/// What a query can see.
package struct QueryScope: Hashable, Sendable {
    /// The catalog of names with two parts.
    package var defaultCatalog: String
    /// The tables.
    package var tables: [QueryTable]
    /// The derived views, in the order in which they may use one another.
    package var views: [DerivedView]

    package init(defaultCatalog: String, tables: [QueryTable], views: [DerivedView] = []) {
        self.defaultCatalog = defaultCatalog
        self.tables = tables
        self.views = views
    }

    /// The same scope with the SQL of its views directed to the engine's databases.
    ///
    /// - Throws: ``QueryError`` with code `invalidSQL` when a view's SQL is not one statement.
    func directed() throws(QueryError) -> QueryScope {
        var scope = self
        for index in scope.views.indices {
            let statements = try UserSQL(scope.views[index].sql, names: names).statements
            guard statements.count == 1 else {
                throw QueryError(.invalidSQL, "the view \(scope.views[index].name) is not one statement")
            }
            scope.views[index].sql = statements[0]
        }
        return scope
    }

    /// The full names of all tables and views.
    var names: [QueryTableName] {
        tables.map(\.name)
            + views.map { QueryTableName(catalog: defaultCatalog, schema: $0.schema, table: $0.name) }
    }
}
