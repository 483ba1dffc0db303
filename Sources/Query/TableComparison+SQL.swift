import Foundation

extension QueryEngine {
    /// Compares two states of a table's rows.
    ///
    /// - Throws: ``QueryError``.
    /// - Complexity: A hash join of both states, which spills to the temporary folder beyond the memory limit.
    package func compare(
        _ comparison: TableComparison,
        limits: QueryLimits
    ) async throws(QueryError) -> TableDifference {
        let scope = comparison.scope
        let twins = try await rows(of: TwinCount.self, comparison.twinSQL, over: scope, limits)
        let sql = comparison.sql(hasTwins: twins.contains { $0.most ?? 0 > 1 })
        guard let row = try await rows(of: DifferenceRow.self, sql, over: scope, limits).first else {
            return TableDifference()
        }
        return row.difference(comparison.paths)
    }

    private func rows<Row: Decodable>(
        of type: Row.Type,
        _ sql: String,
        over scope: QueryScope,
        _ limits: QueryLimits
    ) async throws(QueryError) -> [Row] {
        let folder = try PrivateFolder(in: temporaryFolder)
        // What cannot be removed from a temporary folder is not worth losing the answer for.
        defer { try? folder.remove() }
        let output = try folder.namelessFile()
        try await run(sql, over: scope, format: .json, to: output, limits: limits)
        do {
            try output.seek(toOffset: 0)
            return try JSONDecoder().decode([Row].self, from: try output.readToEnd() ?? Data())
        } catch {
            throw QueryError(.sql, "the comparison's result cannot be read: \(error)")
        }
    }
}

private struct TwinCount: Decodable {
    var most: Int?
}

private struct DifferenceRow: Decodable {
    var rowsBefore: Int
    var rowsAfter: Int
    var onlyBefore: Int
    var onlyAfter: Int
    var changed: Int
    var counts: String?
    var samplesBefore: String?
    var samplesAfter: String?
    var samplesChanged: String?
    var movedAway: Int
    var movedIn: Int

    func difference(_ paths: [[String]]) -> TableDifference {
        func lines(_ text: String?) -> [String] {
            text.map { $0.split(separator: "\n").map(String.init) } ?? []
        }
        let rows = (counts ?? "").split(separator: ",").compactMap { Int($0) }
        return TableDifference(
            rowsBefore: rowsBefore,
            rowsAfter: rowsAfter,
            onlyBefore: onlyBefore,
            onlyAfter: onlyAfter,
            changed: changed,
            changes: zip(paths, rows).filter { $1 > 0 }.map { TableDifference.Change(path: $0, rows: $1) },
            samplesBefore: lines(samplesBefore),
            samplesAfter: lines(samplesAfter),
            samplesChanged: lines(samplesChanged),
            movedAway: movedAway,
            movedIn: movedIn
        )
    }
}

extension TableComparison {
    private static let catalog = "replay"

    var scope: QueryScope {
        let keys = columns.filter { key.contains($0.name) }
        return QueryScope(
            defaultCatalog: Self.catalog,
            tables: [
                table("before", before, columns, partitionColumns),
                table("after", after, columns, partitionColumns),
                table("others_before", othersBefore, keys, partitionColumns),
                table("others_after", othersAfter, keys, partitionColumns),
            ]
        )
    }

    private func table(
        _ name: String,
        _ files: [String],
        _ columns: [QueryColumn],
        _ partitionColumns: [QueryColumn]
    ) -> QueryTable {
        QueryTable(
            name: QueryTableName(catalog: Self.catalog, schema: "state", table: name),
            files: files,
            columns: columns,
            partitionColumns: partitionColumns
        )
    }

    private var keyNames: String { key.map(SQLQuoting.name).joined(separator: ", ") }

    /// The most rows of one key, in each state.
    var twinSQL: String {
        ["before", "after"].map { name in
            "SELECT max(n) AS most FROM (SELECT count(*) AS n FROM state.\(name) GROUP BY \(keyNames))"
        }.joined(separator: " UNION ALL ")
    }

    /// One row with all that is to be known.
    ///
    /// - Parameter hasTwins: Whether there are rows that share a key.
    /// - Returns: One statement.
    func sql(hasTwins: Bool) -> String {
        let number = hasTwins ? "row_number() OVER (PARTITION BY \(keyNames) ORDER BY \(orderNames))" : "1"
        let conditions =
            (key.map(SQLQuoting.name) + ["\"the twin\""]).map { "b.\($0) = a.\($0)" }.joined(
                separator: " AND "
            )
        let flags = paths.indices.map { "\(difference(of: paths[$0])) AS \"d \($0)\"" }
        let counts = paths.indices.map { "count(*) FILTER (in_b AND in_a AND \"d \($0)\")" }
        let keys = key.indices.map { index in
            let name = SQLQuoting.name(key[index])
            return "coalesce(b.\(name), a.\(name)) AS \"k \(index)\""
        }
        let isChanged =
            paths.isEmpty
            ? "false"
            : "in_b AND in_a AND (\(paths.indices.map { "\"d \($0)\"" }.joined(separator: " OR ")))"
        return """
            WITH b AS (SELECT *, true AS "is here", \(number) AS "the twin" FROM state.before),
            a AS (SELECT *, true AS "is here", \(number) AS "the twin" FROM state.after),
            joined AS (
                SELECT coalesce(b."is here", false) AS in_b, coalesce(a."is here", false) AS in_a,
                    \((keys + flags).joined(separator: ",\n        "))
                FROM b FULL OUTER JOIN a ON \(conditions)
            )
            SELECT count(*) FILTER (in_b) AS rowsBefore, count(*) FILTER (in_a) AS rowsAfter,
                count(*) FILTER (NOT in_a) AS onlyBefore, count(*) FILTER (NOT in_b) AS onlyAfter,
                count(*) FILTER (\(isChanged)) AS changed,
                array_to_string([\(counts.joined(separator: ", "))], ',') AS counts,
                \(samples("NOT in_a")) AS samplesBefore, \(samples("NOT in_b")) AS samplesAfter,
                \(samples(isChanged)) AS samplesChanged,
                \(moved("NOT in_a", to: "others_after", othersAfter)) AS movedAway,
                \(moved("NOT in_b", to: "others_before", othersBefore)) AS movedIn
            FROM joined
            """
    }

    private var orderNames: String { order.map(SQLQuoting.name).joined(separator: ", ") }

    private func samples(_ condition: String) -> String {
        "array_to_string(min(\"k 0\", 5) FILTER (\(condition)), chr(10))"
    }

    private func moved(_ condition: String, to name: String, _ files: [String]) -> String {
        guard !files.isEmpty else { return "0" }
        let conditions = key.indices.map { "j.\"k \($0)\" = o.\(SQLQuoting.name(key[$0]))" }
        return
            "(SELECT count(*) FROM joined j SEMI JOIN state.\(name) o ON \(conditions.joined(separator: " AND ")) WHERE \(condition))"
    }

    private func difference(of path: [String]) -> String {
        let name = path.map(SQLQuoting.name).joined(separator: ".")
        let isStructure =
            path.count == 1
            && columns.contains { $0.name == path[0] && $0.type.hasPrefix("STRUCT(") }
        guard isStructure else { return "b.\(name) IS DISTINCT FROM a.\(name)" }
        return "(b.\(name) IS NULL) <> (a.\(name) IS NULL)"
    }
}
