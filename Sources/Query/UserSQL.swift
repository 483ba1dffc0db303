/// A user's SQL, cut into statements, checked, and its table names directed to the engine's databases.
///
/// DuckDB refuses a database that is called `main`, `temp` or `system`, and takes `a.b` for ambiguous when `a` is both
/// a database and a schema. So each catalog becomes a database whose name nobody can have given to anything else, and
/// the first part of a name of three parts that is a table of the scope is replaced by it. Nothing else is changed.
struct UserSQL {
    /// The statements without their semicolons, as the user wrote them but for the names of databases.
    private(set) var statements: [String] = []
    /// The names with dots that occur, quotes removed, in order of appearance; may hold columns too.
    private(set) var dottedNames: [String] = []

    /// Reads `sql`.
    ///
    /// - Throws: ``QueryError`` with code `invalidSQL` when there is no statement, a quote is open, or a statement is a
    ///   dot command of the shell; with code `writeRefused` for `COPY`, the one statement that writes files by name, and
    ///   for the statements that install or load extensions.
    init(_ sql: String, names: [QueryTableName]) throws(QueryError) {
        let bytes = Array(sql.utf8)
        let known = Set(names.map { $0.description.lowercased() })
        for tokens in try SQLScanner.tokens(sql).split(whereSeparator: { $0.isSymbol(";") }) {
            try UserSQL.check(tokens)
            guard let first = tokens.first, let last = tokens.last else { continue }
            var text: [UInt8] = []
            var copied = first.range.lowerBound
            for path in UserSQL.paths(tokens) {
                dottedNames.append(path.map(\.text).joined(separator: "."))
                let table = path.prefix(3).map(\.text).joined(separator: ".").lowercased()
                guard path.count > 2, known.contains(table) else { continue }
                text += bytes[copied..<path[0].range.lowerBound]
                text += SQLQuoting.name(UserSQL.database(ofCatalog: path[0].text.lowercased())).utf8
                copied = path[0].range.upperBound
            }
            text += bytes[copied..<last.range.upperBound]
            statements.append(String(decoding: text, as: UTF8.self))
        }
        guard !statements.isEmpty else { throw QueryError(.invalidSQL, "the SQL holds no statement") }
    }

    /// The engine's database for a catalog; holds a space, which no catalog, schema or table can.
    static func database(ofCatalog catalog: String) -> String { "catalog \(catalog.lowercased())" }

    private static func check(_ tokens: ArraySlice<SQLToken>) throws(QueryError) {
        guard let first = tokens.first else { return }
        if first.isSymbol(".") {
            throw QueryError(.invalidSQL, "a command that begins with a dot is not SQL")
        }
        try refuseExtensions(inner(tokens))
        let runsAnother = first.isWord("explain") || first.isWord("prepare")
        guard first.isWord("copy") || (runsAnother && tokens.contains { $0.isWord("copy") }) else { return }
        let mend =
            "to write a result: --format parquet --output FILE; a column called copy needs double quotes"
        throw QueryError(.writeRefused, "COPY is refused: a query does not write files", mend: mend)
    }

    /// The statement that `EXPLAIN` or `PREPARE` is about, or the statement itself.
    private static func inner(_ tokens: ArraySlice<SQLToken>) -> ArraySlice<SQLToken> {
        guard let first = tokens.first else { return tokens }
        if first.isWord("prepare") {
            return inner(tokens.drop { !$0.isWord("as") }.dropFirst())
        }
        guard first.isWord("explain") else { return tokens }
        var rest = tokens.dropFirst().drop { $0.isWord("analyze") || $0.isWord("verbose") }
        if rest.first?.isSymbol("(") == true { rest = rest.drop { !$0.isSymbol(")") }.dropFirst() }
        return inner(rest)
    }

    /// Refuses code from elsewhere: an extension runs as this user.
    private static func refuseExtensions(_ tokens: ArraySlice<SQLToken>) throws(QueryError) {
        let words = tokens.prefix(2).map { $0.kind == .word ? $0.text.uppercased() : "" }
        let name =
            switch (words.first, words.last) {
            case ("INSTALL", _), ("LOAD", _): words[0]
            case ("FORCE", "INSTALL"), ("UPDATE", "EXTENSIONS"): words.joined(separator: " ")
            default: ""
            }
        guard !name.isEmpty else { return }
        throw QueryError(.writeRefused, "\(name) is refused: a query does not install or load extensions")
    }

    /// Every name of two or more parts: names with a dot between each two.
    private static func paths(_ tokens: ArraySlice<SQLToken>) -> [[SQLToken]] {
        var paths: [[SQLToken]] = []
        var path: [SQLToken] = []
        var afterDot = false
        for token in tokens {
            if token.isName, path.isEmpty || afterDot {
                path.append(token)
                afterDot = false
            } else if token.isSymbol("."), !path.isEmpty, !afterDot {
                afterDot = true
            } else {
                paths.append(path)
                path = token.isName ? [token] : []
                afterDot = false
            }
        }
        return (paths + [path]).filter { $0.count > 1 }
    }
}

extension SQLToken {
    /// Whether the token can be part of a name.
    var isName: Bool { kind == .word || kind == .quotedName }

    /// Whether the token is the keyword `word`, given in lower case.
    func isWord(_ word: String) -> Bool { kind == .word && text.lowercased() == word }

    /// Whether the token is the character `symbol`.
    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }
}

/// How values are written into SQL.
enum SQLQuoting {
    /// A name in double quotes.
    static func name(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    /// A string in single quotes.
    static func string(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}
