/// The text that the engine reads: settings, views, the door closed, and then the user's statements.
struct EngineScript {
    /// What the query can see, its views directed.
    var scope: QueryScope
    /// Where files that are URLs lie.
    var buckets: [QueryBucket] = []
    /// DuckDB's extension for such files; nil when there are none.
    var httpExtension: String?
    /// The user's statements.
    var sql: UserSQL
    /// The form of the result.
    var format: QueryFormat
    /// Width of the terminal that the output is, in columns, which a box must fit; nil when it is none.
    var terminalWidth: Int?
    /// What the query may use.
    var limits: QueryLimits
    /// A folder of this query's own, for what does not fit the memory.
    var privateFolder: String
    /// Where the engine writes a Parquet result before it gets its name.
    var partialOutput: String?

    /// The whole script.
    ///
    /// Paths outside the list of files are closed before the user's first statement, and for good: safe mode also
    /// switches off the shell's commands that read, write or run something, and locks every setting.
    var text: String {
        (settings + remote + catalogs + scope.tables.map(view) + scope.views.map(view) + door + results)
            .joined(separator: "\n") + "\n"
    }

    private var settings: [String] {
        [
            ".pager off", ".highlight off", ".highlight_results off", ".highlight_errors off",
            ".large_number_rendering off",
            "SET enable_progress_bar = false;",
            "SET TimeZone = 'UTC';",
            "SET autoinstall_known_extensions = false;",
            "SET autoload_known_extensions = false;",
            "SET memory_limit = '\(limits.memoryByteCount)B';",
            "SET threads = \(limits.threadCount);",
            "SET temp_directory = \(SQLQuoting.string(privateFolder));",
            "SET extension_directory = \(SQLQuoting.string(privateFolder));",
        ]
    }

    private var remote: [String] {
        httpExtension.map { ["LOAD \(SQLQuoting.string($0));", ".mode trash"] + buckets.map(\.statement) }
            ?? []
    }

    private var catalogs: [String] {
        let databases = Set((scope.names.map(\.catalog) + [scope.defaultCatalog]).map(database))
        let schemas = Set(
            scope.names.map { "\(database($0.catalog)).\(SQLQuoting.name($0.schema.lowercased()))" }
        )
        return databases.sorted().map { "ATTACH ':memory:' AS \($0);" }
            + ["USE \(database(scope.defaultCatalog)).main;", "DETACH memory;"]
            + schemas.sorted().map { "CREATE SCHEMA IF NOT EXISTS \($0);" }
    }

    /// A table's view: declared columns in declared order and type, over an empty typed relation and the files.
    ///
    /// The empty relation gives a column that no file has, and the whole type of a table without files.
    private func view(_ table: QueryTable) -> String {
        let columns = table.columns + table.partitionColumns
        let casts = columns.map {
            "CAST(\(SQLQuoting.name($0.name)) AS \($0.type)) AS \(SQLQuoting.name($0.name))"
        }
        let nulls = columns.map { "CAST(NULL AS \($0.type)) AS \(SQLQuoting.name($0.name))" }
        var source = "SELECT \(nulls.joined(separator: ", ")) WHERE false"
        if !table.files.isEmpty { source += " UNION ALL BY NAME SELECT * FROM \(scan(table))" }
        return "CREATE VIEW \(path(table.name)) AS SELECT \(casts.joined(separator: ", ")) FROM (\(source));"
    }

    /// The files' rows.
    ///
    /// A path with wildcard characters stands for the file of that very name when there is one.
    private func scan(_ table: QueryTable) -> String {
        let files = table.files.map { SQLQuoting.string($0) }.joined(separator: ", ")
        let types = table.partitionColumns.map {
            "\(SQLQuoting.string($0.name)): \(SQLQuoting.string($0.type))"
        }
        let partitions =
            types.isEmpty
            ? "hive_partitioning = false"
            : "hive_partitioning = true, hive_types = {\(types.joined(separator: ", "))}"
        return "read_parquet([\(files)], union_by_name = true, \(partitions))"
    }

    /// A derived view; the line break ends a comment in its SQL.
    private func view(_ view: DerivedView) -> String {
        let name = QueryTableName(catalog: scope.defaultCatalog, schema: view.schema, table: view.name)
        return "CREATE VIEW \(path(name)) AS \(view.sql)\n;"
    }

    private var door: [String] {
        let paths = scope.tables.flatMap(\.files) + [partialOutput].compactMap(\.self)
        return [
            "SET allowed_paths = [\(paths.map(SQLQuoting.string).joined(separator: ", "))];", ".safe_mode",
        ]
    }

    private var results: [String] {
        let terminated = sql.statements.map { "\($0)\n;" }
        let earlier = [".mode trash"] + terminated.dropLast()
        switch format {
        case .table:
            let rows = terminalWidth == nil ? ".maxrows -1" : ".maxrows 1000"
            return [".mode duckbox", ".maxwidth \(terminalWidth ?? 1_000_000)", rows] + terminated
        case .json:
            return earlier + [".mode json"] + terminated.suffix(1)
        case .csv:
            return earlier + [".mode csv", ".separator , \"\\n\"", ".nullvalue \"\""] + terminated.suffix(1)
        case .parquet:
            let target = SQLQuoting.string(partialOutput ?? "")
            let options = "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
            return earlier + sql.statements.suffix(1).map { "COPY (\n\($0)\n) TO \(target) \(options);" }
        }
    }

    private func database(_ catalog: String) -> String {
        SQLQuoting.name(UserSQL.database(ofCatalog: catalog))
    }

    private func path(_ name: QueryTableName) -> String {
        "\(database(name.catalog)).\(SQLQuoting.name(name.schema)).\(SQLQuoting.name(name.table))"
    }
}
