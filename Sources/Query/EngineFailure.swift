/// What the engine wrote to its error output, and what it means for the user.
struct EngineFailure {
    /// The engine's error output.
    var text: String
    /// The SQL that was run.
    var sql: UserSQL
    /// What the query could see.
    var scope: QueryScope

    /// The error to throw.
    var error: QueryError {
        let message = withUserNames(text)
        if message.contains("INTERRUPT Error") {
            return QueryError(.interrupted, "the query was interrupted")
        }
        if message.hasPrefix("Out of Memory Error") {
            let mend = "raise the memory limit, or ask for fewer rows or columns at a time"
            return QueryError(.outOfMemory, String(message.prefix { $0 != "\n" }), mend: mend)
        }
        if let name = missingName(in: message) { return unknownTable(name) }
        return QueryError(.sql, message.isEmpty ? "DuckDB failed without a message" : message)
    }

    /// The part of a name that DuckDB did not find, for the errors that mean a table is missing.
    private func missingName(in message: String) -> String? {
        let forms: [(prefix: String, suffix: String)] = [
            ("Catalog Error: Table with name ", " does not exist"),
            ("Binder Error: Catalog ", " does not exist!"),
        ]
        for form in forms where message.hasPrefix(form.prefix) {
            guard let end = message.firstRange(of: form.suffix)?.lowerBound else { continue }
            return message[..<end].dropFirst(form.prefix.count).filter { $0 != "\"" }
        }
        return nil
    }

    /// Names the table as the user wrote it, and the nearest ones there are.
    private func unknownTable(_ name: String) -> QueryError {
        let written = sql.dottedNames.first { path in
            let parts = path.lowercased()
            let part = name.lowercased()
            return parts == part || parts.hasSuffix(".\(part)") || parts.hasPrefix("\(part).")
        }
        let wanted = written ?? name
        let nearest = NearestTables.of(wanted, among: scope.names)
        let list = nearest.map(\.description).joined(separator: ", ")
        let mend = nearest.isEmpty ? "the lake has no tables yet" : "nearest tables: \(list)"
        return QueryError(.unknownTable, "there is no table \(wanted)", mend: mend)
    }

    /// The text with the user's catalogs in place of the engine's databases, and the caret moved along.
    private func withUserNames(_ text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for catalog in Set(scope.names.map { $0.catalog.lowercased() }) {
            let database = UserSQL.database(ofCatalog: catalog)
            for index in lines.indices {
                let line = lines[index]
                lines[index] = line.replacing(SQLQuoting.name(database), with: catalog).replacing(
                    database,
                    with: catalog
                )
                let next = index + 1
                guard next < lines.count, lines[next].drop(while: { $0 == " " }) == "^" else { continue }
                let before = line.prefix(lines[next].count - 1)
                let shift =
                    before.ranges(of: SQLQuoting.name(database)).count * (database.count + 2 - catalog.count)
                lines[next].removeFirst(min(shift, lines[next].count - 1))
            }
        }
        return String(lines.joined(separator: "\n").trimmingSuffix { $0.isWhitespace })
    }
}

extension String {
    /// The text without the characters at its end that satisfy `predicate`.
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
        return self[..<end]
    }
}
