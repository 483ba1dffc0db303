import Crypto
import FoundationEssentials

extension PostgresSession {
    func rebuild(_ walk: ChangeWalk, _ progress: LoadProgress) throws -> LoadStep {
        let statements = try LoadStatements(walk, .postgres)
        _ = try begin(statements, progress)
        let target = statements.target
        var step = try walk.whole()
        let isThere = try exists(target)
        if isThere { try demandPlain(target) }
        let fresh = isThere ? Self.freshName(target) : target
        let table = try makeFresh(fresh, statements, isThere: isThere)
        try fill(fresh, &step, statements, table, walk)
        if isThere { try swap(fresh, target) }
        try finish(step, statements, progress)
        return step
    }

    private static func freshName(_ target: TargetName) -> TargetName {
        let hash = SHA256.hash(data: Data(target.quoted.utf8)).prefix(4).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        return TargetName(schema: target.schema, table: "auditlake_new_\(hash.joined())")
    }

    /// Refuses a target of which a copy would lack something that nobody would miss until it is too late.
    private func demandPlain(_ target: TargetName) throws {
        let sql = """
            SELECT c.relkind <> 'r' OR c.relispartition, c.relrowsecurity, c.relhastriggers, \
            c.relhasrules OR c.relhassubclass, EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND \
            a.attacl IS NOT NULL) FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(\(quotedText(target.quoted)))
            """
        let row = try connection.execute(sql, of: "looking at \(target)").first ?? []
        let kinds = [
            "is not a plain table", "has row security", "has triggers or foreign keys",
            "has rules or children",
            "has grants of single columns",
        ]
        let found = zip(row, kinds).filter { $0.0 == "t" }.map(\.1)
        guard found.isEmpty else {
            throw WarehouseError(
                .conflict,
                "\(target) \(found.joined(separator: " and ")), which a table in its place would not have; nothing was changed",
                mend:
                    "take that off the table, or empty the target and its rows of \(target.batches) and load it batch by batch"
            )
        }
    }

    private func makeFresh(
        _ fresh: TargetName,
        _ statements: LoadStatements,
        isThere: Bool
    ) throws -> ServerTable {
        guard isThere else {
            try create(statements)
            return try ServerTable(fitting: statements.columns, into: [], of: fresh)
        }
        let target = statements.target
        try run("CREATE TABLE \(fresh.quoted) (LIKE \(target.quoted) INCLUDING ALL)", "making the new table")
        let table = try ServerTable(fitting: statements.columns, into: try columns(of: fresh), of: target)
        var additions = statements
        additions.target = fresh
        for addition in additions.add(table.missing) { try run(addition, "adding a column to the new table") }
        return table
    }

    private func fill(
        _ fresh: TargetName,
        _ step: inout LoadStep,
        _ statements: LoadStatements,
        _ table: ServerTable,
        _ walk: ChangeWalk
    ) throws {
        guard !statements.key.isEmpty else {
            return try copy(&step, into: fresh.quoted, statements, table, walk)
        }
        try makeStage(statements, table)
        try copy(&step, into: quotedName(LoadStatements.stage), statements, table, walk)
        // Files that were merged do not lie in the order of their batches any more; the batch's time does.
        let times = statements.columns.filter { $0.lakeName == "ingest_ts" }.map(\.name)
        let order = times + [LoadStatements.order]
        try run(statements.insertLatest(into: fresh, order: order), "the merge")
    }

    /// Puts the new table into the place of the old one, with its owner, grants and comment.
    private func swap(_ fresh: TargetName, _ target: TargetName) throws {
        let old = "pg_catalog.to_regclass(\(quotedText(target.quoted)))"
        let properties = """
            SELECT format('ALTER TABLE %s OWNER TO %I', \(quotedText(fresh.quoted)), pg_catalog.pg_get_userbyid(relowner)) \
            FROM pg_catalog.pg_class WHERE oid = \(old) AND relowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user) \
            UNION ALL SELECT format('GRANT %s ON %s TO %s%s', g.privilege_type, \(quotedText(fresh.quoted)), \
            CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END, \
            CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) FROM pg_catalog.pg_class c, \
            pg_catalog.aclexplode(c.relacl) g WHERE c.oid = \(old) AND g.grantee <> c.relowner \
            UNION ALL SELECT format('COMMENT ON TABLE %s IS %L', \(quotedText(fresh.quoted)), pg_catalog.obj_description(\(old), 'pg_class')) \
            WHERE pg_catalog.obj_description(\(old), 'pg_class') IS NOT NULL
            """
        for statement in try connection.execute(properties, of: "reading the grants of \(target)") {
            if let statement = statement.first ?? nil {
                try run(statement, "copying the grants of \(target)")
            }
        }
        let renames = try indexRenames(fresh, target)
        try run("DROP TABLE \(target.quoted)", "taking the old \(target) away")
        try run(
            "ALTER TABLE \(fresh.quoted) RENAME TO \(quotedName(target.table))",
            "putting the new \(target) into its place"
        )
        for rename in renames { try run(rename, "naming an index of \(target)") }
    }

    /// Statements that give the new table's indexes the names of the old one's; `LIKE` makes them in the same order.
    private func indexRenames(_ fresh: TargetName, _ target: TargetName) throws -> [String] {
        func indexes(_ table: TargetName) -> String {
            """
            SELECT row_number() OVER (ORDER BY i.indexrelid) AS n, c.relname, i.indkey::text AS columns, i.indisunique \
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
            WHERE i.indrelid = pg_catalog.to_regclass(\(quotedText(table.quoted)))
            """
        }
        let sql = """
            SELECT format('ALTER INDEX %I.%I RENAME TO %I', \(quotedText(target.schema)), new.relname, old.relname) \
            FROM (\(indexes(target))) AS old JOIN (\(indexes(fresh))) AS new USING (n, columns, indisunique)
            """
        return try connection.execute(sql, of: "reading the indexes of \(target)").compactMap {
            $0.first ?? nil
        }
    }
}
