/// Finds the tables somebody may have meant.
enum NearestTables {
    /// The three tables whose names differ least from `name`, nearest first.
    ///
    /// As many parts are compared as `name` has: `s.t` with schema and table, `t` with the table alone.
    static func of(_ name: String, among tables: [QueryTableName]) -> [QueryTableName] {
        let wanted = Array(name.lowercased())
        let partCount = name.split(separator: ".").count
        let ranked = tables.map { table in
            let parts = [table.catalog, table.schema, table.table].suffix(max(1, partCount))
            return (distance(wanted, Array(parts.joined(separator: ".").lowercased())), table)
        }
        return ranked.sorted { ($0.0, $0.1.description) < ($1.0, $1.1.description) }.prefix(3).map(\.1)
    }

    /// Levenshtein's distance: insertions, deletions and substitutions cost one each.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (index, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in right.enumerated() {
                let substitution = diagonal + (character == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
