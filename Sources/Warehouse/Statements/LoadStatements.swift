/// The statements of a load that both kinds of warehouse understand.
///
/// Pure: nothing is asked of a server.
package struct LoadStatements: Hashable, Sendable {
    /// The temporary table that new rows come into before they are merged.
    static let stage = "auditlake_stage"
    /// The column of it that says which of two rows came later.
    static let order = "auditlake_row"

    /// How the warehouse speaks.
    package var dialect: Dialect
    /// The table that receives the rows.
    package var target: TargetName
    /// Its columns that the lake fills.
    package var columns: [TargetColumn]
    /// Names in the target of the columns that tell rows apart; empty where rows are only added.
    package var key: [String]

    /// Names them.
    package init(dialect: Dialect, target: TargetName, columns: [TargetColumn], key: [String] = []) {
        self.dialect = dialect
        self.target = target
        self.columns = columns
        self.key = key
    }

    private func definition(_ column: TargetColumn, isNullable: Bool) -> String {
        "\(quotedName(column.name)) \(dialect.type(of: column.type) ?? "")\(isNullable ? "" : " NOT NULL")"
    }

    /// Makes the target.
    package var createTable: String {
        var parts = columns.map { definition($0, isNullable: $0.isNullable) }
        var ending = ""
        if dialect == .redshift {
            parts.append("\(quotedName(StagedText.cutColumn)) varchar(65535)")
            if let first = sortColumn { ending = " SORTKEY (\(quotedName(first)))" }
        }
        // PostgreSQL's loader has the target's lock by now; Redshift's may meet another that makes it, too.
        let create = dialect == .redshift ? "CREATE TABLE IF NOT EXISTS" : "CREATE TABLE"
        return "\(create) \(target.quoted) (\(parts.joined(separator: ", ")))\(ending)"
    }

    /// The first column that says when something happened: Redshift sorts by it.
    private var sortColumn: String? {
        let times = columns.filter { $0.type == .timestamp }
        return (times.first { $0.lakeName != "ingest_ts" } ?? times.first)?.name
    }

    /// Makes the index by which a merge finds rows in PostgreSQL.
    package var createIndex: String {
        "CREATE INDEX ON \(target.quoted) (\(names(key)))"
    }

    /// Adds columns; rows that are there lack a value in them.
    package func add(_ columns: [TargetColumn]) -> [String] {
        columns.map { "ALTER TABLE \(target.quoted) ADD COLUMN \(definition($0, isNullable: true))" }
    }

    // MARK: Cursors

    /// Makes the table of the cursors.
    package var createBatches: String {
        let text = dialect == .postgres ? "text" : "varchar(512)"
        return """
            CREATE TABLE IF NOT EXISTS \(target.batches.quoted) (target \(text) NOT NULL, shard \(text) NOT NULL, \
            batch bigint NOT NULL, lake_table \(text) NOT NULL, lake_version bigint NOT NULL, \
            loaded_at timestamp with time zone NOT NULL, PRIMARY KEY (target, shard))
            """
    }

    /// Asks how far the target is.
    package var readCursor: String {
        "SELECT shard, batch, lake_table, lake_version FROM \(target.batches.quoted) WHERE target = \(quotedText(target.description))"
    }

    /// Forgets how far it is.
    package var clearCursor: String {
        "DELETE FROM \(target.batches.quoted) WHERE target = \(quotedText(target.description))"
    }

    /// Notes how far it is.
    package func write(_ position: TargetPosition) -> [String] {
        // Redshift's compute nodes do not know current_timestamp.
        let now = dialect == .redshift ? "getdate()" : "current_timestamp"
        return [clearCursor]
            + position.batches.sorted { $0.key < $1.key }.map { shard, batch in
                """
                INSERT INTO \(target.batches.quoted) (target, shard, batch, lake_table, lake_version, loaded_at) \
                VALUES (\(quotedText(target.description)), \(quotedText(shard)), \(batch), \(quotedText(position.table)), \
                \(position.version), \(now))
                """
            }
    }

    // MARK: Merging

    /// Takes the rows away that the stage has anew.
    package var deleteMatches: String {
        let stage = quotedName(Self.stage)
        let matches = columns.filter { key.contains($0.name) }.map { column in
            "\(target.quoted).\(quotedName(column.name)) = \(value(of: column, in: stage))"
        }
        return "DELETE FROM \(target.quoted) USING \(stage) WHERE \(matches.joined(separator: " AND "))"
    }

    /// Takes the last row of each key from the stage, and all rows without one.
    ///
    /// - Parameters:
    ///   - destination: Where the rows go; the target, or a table that is to take its place.
    ///   - order: Columns that say which of two rows came later, most important first.
    /// - Returns: The statement.
    package func insertLatest(into destination: TargetName, order: [String]) -> String {
        let list = names(targetNames)
        let own = dialect == .redshift ? [quotedName(StagedText.cutColumn)] : []
        let values = (columns.map { value(of: $0) } + own).joined(separator: ", ")
        let latest = order.map { "\(quotedName($0)) DESC" }.joined(separator: ", ")
        let isNull = key.map { "\(quotedName($0)) IS NULL" }
        return """
            INSERT INTO \(destination.quoted) (\(list)) SELECT \(values) FROM (SELECT \(list), row_number() OVER \
            (PARTITION BY \(names(key)) ORDER BY \(latest)) AS auditlake_turn FROM \(quotedName(Self.stage))) AS latest \
            WHERE \((["auditlake_turn = 1"] + isNull).joined(separator: " OR "))
            """
    }

    /// The columns of the target that a load fills.
    var targetNames: [String] {
        columns.map(\.name) + (dialect == .redshift ? [StagedText.cutColumn] : [])
    }

    /// Names in quotes with commas between them.
    func names(_ columns: [String]) -> String { columns.map(quotedName).joined(separator: ", ") }
}

/// How far a target is.
package struct TargetPosition: Hashable, Sendable {
    /// The identity of the lake's table; empty before anything was loaded.
    package var table = ""
    /// The version of the lake's table up to which its rows are in the target; -1 for none.
    package var version: Int64 = -1
    /// The last batch by the uuid of its shard; by an empty one for rows that no batch brought, with their version.
    package var batches: [String: UInt64] = [:]

    /// Nothing is loaded.
    package init() {}
}
