import DeltaTables
import ObjectStorage

/// Looks whether a load can work; changes nothing.
package struct WarehouseInspection {
    private let settings: WarehouseSettings
    private let name: String
    private let task: LoadTask

    /// Names what is to be looked at.
    package init(_ settings: WarehouseSettings, name: String, task: LoadTask) {
        self.settings = settings
        self.name = name
        self.task = task
    }

    /// Connects, asks for rights and compares columns.
    ///
    /// Blocks; runs on a thread of its own.
    ///
    /// - Parameter table: The lake's table; nil while there is none.
    /// - Returns: What was found, in words.
    /// - Throws: `WarehouseError` for what would make a load fail.
    package func look(at table: DeltaTable?) throws -> String {
        let connection = try settings.connection(name, { false })
        switch settings {
        case .postgres: return try PostgresSession(connection, note: { _ in }).look(at: table, task)
        case .redshift(_, let redshift):
            // What a load will need of the bucket.
            let key = ".auditlake-check-\(RandomName.make())"
            _ = try redshift.store.putIfAbsent(key, [])
            try redshift.store.remove(key)
            _ = try connection.execute("SELECT 1", of: "a first statement")
            return
                "Redshift is reachable, and its staging place can be written; rights show with the first load"
        }
    }
}

extension PostgresSession {
    /// Asks for version and rights; compares the columns of a target that is there.
    fileprivate func look(at table: DeltaTable?, _ task: LoadTask) throws -> String {
        let version =
            try connection.execute("SHOW server_version", of: "asking for its version").first?.first ?? nil
        try demandRights(task.target)
        let isThere = try exists(task.target)
        if let table {
            let statements = try LoadStatements(ChangeWalk(table: table, task: task), .postgres)
            if isThere {
                _ = try ServerTable(
                    fitting: statements.columns,
                    into: try columns(of: task.target),
                    of: task.target
                )
            }
        }
        let state = isThere ? "takes \(task.lakeTable)" : "will be made"
        return "PostgreSQL \(version ?? "") is reachable; \(task.target) \(state)"
    }

    private func demandRights(_ target: TargetName) throws {
        let schema = quotedText(target.schema)
        let table = "pg_catalog.to_regclass(\(quotedText(target.quoted)))"
        let batches = "pg_catalog.to_regclass(\(quotedText(target.batches.quoted)))"
        let sql = """
            SELECT CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE') \
            ELSE has_schema_privilege(n.oid, 'USAGE') END, \
            \(table) IS NOT NULL AND \(batches) IS NOT NULL OR n.oid IS NULL OR has_schema_privilege(n.oid, 'CREATE'), \
            \(table) IS NULL OR has_table_privilege(\(table), 'INSERT') AND has_table_privilege(\(table), 'SELECT'), \
            \(batches) IS NULL OR has_table_privilege(\(batches), 'INSERT') AND has_table_privilege(\(batches), 'DELETE') \
            AND has_table_privilege(\(batches), 'SELECT'), NOT pg_is_in_recovery() \
            FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = \(schema)
            """
        let row = try connection.execute(sql, of: "asking for rights").first ?? []
        let rights = [
            "use or make the schema \(target.schema)", "make tables in the schema \(target.schema)",
            "INSERT into and SELECT from \(target)", "write \(target.batches)",
            "write at all: the server is a replica",
        ]
        let lacking = zip(row, rights).filter { $0.0 != "t" }.map(\.1)
        guard lacking.isEmpty else {
            throw WarehouseError(
                .refused,
                "the role may not \(lacking.joined(separator: ", nor "))",
                mend:
                    "GRANT USAGE, CREATE ON SCHEMA \(quotedName(target.schema)) TO the role, and the rights on its tables"
            )
        }
    }
}
