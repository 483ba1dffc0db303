import Testing

@testable import Query

@Suite struct UserSQLTests {
    static let names = [
        QueryTableName(catalog: "main", schema: "s", table: "t"),
        QueryTableName(catalog: "Prod", schema: "main", table: "u"),
    ]

    static func statements(_ sql: String) throws -> [String] { try UserSQL(sql, names: names).statements }

    @Test(arguments: [
        ("select 1", ["select 1"]), ("select 1;\n select 2 ;;", ["select 1", "select 2"]),
        ("select ';' -- ;\n, \";\" /* ; /* ; */ ; */ ;select 2", ["select ';' -- ;\n, \";\"", "select 2"]),
        ("select $$;$$, $x$ $$;$ $x$, $1", ["select $$;$$, $x$ $$;$ $x$, $1"]),
        ("select e'\\';', 'it''s;'", ["select e'\\';', 'it''s;'"]),
        ("select 'a\\'; select 2", ["select 'a\\'", "select 2"]),
        ("select é.ü;select 1.5, .5", ["select é.ü", "select 1.5, .5"]),
    ])
    func statementsAreCutAtSemicolonsOutsideQuotesAndComments(sql: String, statements: [String]) throws {
        #expect(try Self.statements(sql) == statements)
    }

    @Test(arguments: [
        ("from main.s.t", "from \"catalog main\".s.t"),
        ("from MAIN . \"S\" /* x */ . T", "from \"catalog main\" . \"S\" /* x */ . T"),
        ("select main.s.t.a from prod.main.u", "select \"catalog main\".s.t.a from \"catalog prod\".main.u"),
        ("select 'main.s.t', \"main.s.t\" -- main.s.t", "select 'main.s.t', \"main.s.t\""),
        ("from s.t, main.s.other, x.main.s.t, main.s", "from s.t, main.s.other, x.main.s.t, main.s"),
        ("select main.s.t, main.s.t", "select \"catalog main\".s.t, \"catalog main\".s.t"),
    ])
    func onlyTheCatalogOfAKnownTableIsReplaced(sql: String, directed: String) throws {
        #expect(try Self.statements(sql) == [directed])
    }

    @Test func dottedNamesAreListedWithoutQuotes() throws {
        let sql = try UserSQL("select x.\"a\"\"b\" from a.b.c join d using (e) where f.g = 1", names: [])
        #expect(sql.dottedNames == ["x.a\"b", "a.b.c", "f.g"])
    }

    @Test(arguments: [
        "", " ;; ", "-- only a comment", "select 'x", "select \"x", "select $a$ x $$", "/* /* */",
        "select e'\\'",
    ])
    func noStatementOrAnOpenQuoteIsRefused(sql: String) {
        let error = #expect(throws: QueryError.self) { try Self.statements(sql) }
        #expect(error?.code == .invalidSQL)
    }

    @Test(arguments: [".shell ls", "-- x\n.shell ls", "select 1;\n  .mode csv", "/* */ .open x"])
    func commandsOfTheShellAreRefused(sql: String) {
        let error = #expect(throws: QueryError.self) { try Self.statements(sql) }
        #expect(error?.code == .invalidSQL)
        #expect(error?.message == "a command that begins with a dot is not SQL")
    }

    @Test(arguments: [
        "copy (select 1) to 'x'", "select 1; /* */ COPY t TO 'x'", "explain analyze copy t to 'x'",
        "EXPLAIN (ANALYZE) COPY t TO 'x'", "prepare p as copy t to 'x'",
    ])
    func copyIsRefused(sql: String) {
        let error = #expect(throws: QueryError.self) { try Self.statements(sql) }
        #expect(error?.code == .writeRefused)
        #expect(error?.mend?.contains("--output") == true)
    }

    @Test(arguments: [
        "install httpfs", "select 1; Load 'x'", "/* */ force install x from 'https://e'",
        "update extensions (x)",
        "explain install x", "EXPLAIN (ANALYZE) LOAD x", "explain analyze force install x",
        "prepare p as load x", "prepare p (int) as explain update extensions",
    ])
    func extensionsAreRefused(sql: String) {
        let error = #expect(throws: QueryError.self) { try Self.statements(sql) }
        #expect(error?.code == .writeRefused)
        #expect(error?.message.hasSuffix("a query does not install or load extensions") == true)
    }

    @Test(arguments: [
        "select load, install from t", "explain select load from t", "from load",
        "prepare p as select 1 as install",
        "update extension set a = 1", "select 'install x'",
    ])
    func theWordsOfExtensionsElsewhereAreTaken(sql: String) throws {
        #expect(try Self.statements(sql) == [sql])
    }

    @Test(arguments: [
        "select copy from t", "select 'copy'", "explain select \"copy\"", "select 1 as copy", "from copy",
    ])
    func theWordCopyElsewhereIsTaken(sql: String) throws { #expect(try Self.statements(sql) == [sql]) }
}
