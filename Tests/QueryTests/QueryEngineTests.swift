import Foundation
import Testing

@testable import Query

@Suite struct QueryEngineTests {
    @Test func namesOfTwoAndThreePartsWorkWhenTheCatalogIsCalledMain() async throws {
        try await LakeFixture.with { lake async throws in
            let scope = LakeFixture.scope([
                LakeFixture.table("main.s.t", files: [try await lake.file("t.parquet", "select 1 a")]),
                LakeFixture.table("main.main.t", files: [try await lake.file("u.parquet", "select 2 a")]),
                LakeFixture.table(
                    "main._auditlake.t",
                    files: [try await lake.file("v.parquet", "select 3 a")]
                ),
            ])
            for (name, value) in [("s.t", 1), ("main.t", 2), ("_auditlake.t", 3), ("t", 2)] {
                #expect(try await lake.text("from \(name)", over: scope) == "a\n\(value)\n")
            }
            for (name, value) in [("MAIN.s.t", 1), ("main.\"main\".t", 2), ("main._auditlake.T", 3)] {
                #expect(try await lake.text("select t.a from \(name)", over: scope) == "a\n\(value)\n")
            }
            let constructs =
                "select {'a': [1, 2]}.a[1] x, extract(year from date '2026-01-31') y from main.s.t"
            #expect(try await lake.text(constructs, over: scope) == "x,y\n1,2026\n")
        }
    }

    @Test(arguments: ["prod", "temp", "system", "memory"])
    func aSchemaMayHaveTheNameOfItsCatalogAndCatalogsDoNotMix(catalog: String) async throws {
        try await LakeFixture.with { lake async throws in
            let own = LakeFixture.table(
                "\(catalog).\(catalog).t",
                files: [try await lake.file("t.parquet", "select 1 a")]
            )
            let other = LakeFixture.table(
                "other.\(catalog).t",
                files: [try await lake.file("u.parquet", "select 2 a")]
            )
            let scope = QueryScope(defaultCatalog: catalog, tables: [own, other])
            let sql = "select t.a, (select a from other.\(catalog).t) b from \(catalog).\(catalog).t"
            #expect(try await lake.text(sql, over: scope) == "a,b\n1,2\n")
            guard catalog != "temp", catalog != "system" else { return }
            #expect(try await lake.text("from \(catalog).t", over: scope) == "a\n1\n")
        }
    }

    @Test func columnsHaveTheirDeclaredOrderAndTypeAndPartitionsComeLast() async throws {
        try await LakeFixture.with { lake async throws in
            let files = [
                try await lake.file(
                    "t/date=2026-01-02/1.parquet",
                    "select 'x' b, 1::HUGEINT a, 7 undeclared"
                ),
                try await lake.file("t/date=2026-01-03/2.parquet", "select 2 a, {'k': 'v'} s"),
                try await lake.file("t/date=__HIVE_DEFAULT_PARTITION__/3.parquet", "select 3 a"),
            ]
            let columns = [
                QueryColumn("a", "BIGINT"), QueryColumn("b", "VARCHAR"),
                QueryColumn("s", "STRUCT(k VARCHAR, l INTEGER)"),
                QueryColumn("nowhere", "MAP(VARCHAR, VARCHAR)"),
            ]
            let table = QueryTable(
                name: QueryTableName(catalog: "main", schema: "s", table: "t"),
                files: files,
                columns: columns,
                partitionColumns: [QueryColumn("date", "DATE")]
            )
            let scope = LakeFixture.scope([table])
            let types = try await lake.text(
                "select column_name, column_type from (describe s.t)",
                over: scope
            )
            let expected = """
                column_name,column_type
                a,BIGINT
                b,VARCHAR
                s,"STRUCT(k VARCHAR, l INTEGER)"
                nowhere,"MAP(VARCHAR, VARCHAR)"
                date,DATE

                """
            #expect(types == expected)
            let rows = try await lake.text("from s.t order by a", over: scope, .json)
            #expect(
                rows == """
                    [{"a":1,"b":"x","s":null,"nowhere":null,"date":"2026-01-02"},
                    {"a":2,"b":null,"s":{"k":"v","l":null},"nowhere":null,"date":"2026-01-03"},
                    {"a":3,"b":null,"s":null,"nowhere":null,"date":null}]

                    """
            )

            let empty = LakeFixture.scope([
                QueryTable(
                    name: table.name,
                    files: [],
                    columns: columns,
                    partitionColumns: table.partitionColumns
                )
            ])
            #expect(
                try await lake.text("select * from (describe main.s.t)", over: empty).contains("date,DATE")
            )
            #expect(try await lake.text("from s.t", over: empty) == "a,b,s,nowhere,date\n")
            #expect(try await lake.text("from s.t", over: empty, .json) == "[]\n")
        }
    }

    @Test func aFilterOnThePartitionReadsOnlyItsFiles() async throws {
        try await LakeFixture.with { lake async throws in
            var table = LakeFixture.table("main.s.t")
            table.partitionColumns = [QueryColumn("date", "DATE")]
            for day in 1...3 {
                table.files.append(try await lake.file("t/date=2026-01-0\(day)/f.parquet", "select \(day) a"))
            }
            let sql = "explain analyze select * from s.t where date = '2026-01-02'"
            let plan = try await lake.text(sql, over: LakeFixture.scope([table]), .table)
            #expect(plan.contains("Scanning Files: 1/3"))
        }
    }

    @Test func aThousandFilesAndAPathFullOfOddCharactersAreRead() async throws {
        try await LakeFixture.with(name: "l[a]*k'e? \"x\" {y}") { lake async throws in
            let first = try await lake.file("0.parquet", "select 1 a")
            var table = LakeFixture.table("main.s.t", files: [first])
            for index in 1..<1000 {
                let copy = lake.folder.appending(path: "\(index).parquet").path
                try FileManager.default.copyItem(atPath: first, toPath: copy)
                table.files.append(copy)
            }
            #expect(
                try await lake.text("select sum(a) n from s.t", over: LakeFixture.scope([table]))
                    == "n\n1000\n"
            )

            _ = try await lake.file("x1.parquet", "select 7 a")
            let star = LakeFixture.table("main.s.t", files: [try await lake.file("x*.parquet", "select 5 a")])
            #expect(try await lake.text("from s.t", over: LakeFixture.scope([star])) == "a\n5\n")
        }
    }

    @Test func timesAreUTC() async throws {
        try await LakeFixture.with { lake async throws in
            let sql = "select '2026-01-02 03:04:05+02'::timestamptz t, current_setting('TimeZone') z"
            let text = try await lake.text(sql, over: LakeFixture.scope([]))
            #expect(text == "t,z\n2026-01-02 01:04:05+00,UTC\n")
        }
    }

    @Test func derivedViewsSeeTablesAndEarlierViews() async throws {
        try await LakeFixture.with { lake async throws in
            let one = LakeFixture.table(
                "main._auditlake.quarantine_a",
                files: [try await lake.file("a", "select 1 a")]
            )
            let two = LakeFixture.table(
                "main._auditlake.quarantine_b",
                files: [try await lake.file("b", "select 2 a")]
            )
            let union = DerivedView(
                schema: "_auditlake",
                name: "quarantine",
                sql: "from main._auditlake.quarantine_a union all from _auditlake.quarantine_b -- both"
            )
            let count = DerivedView(
                schema: "x",
                name: "n",
                sql: "select count(*) n from main._auditlake.quarantine;"
            )
            let scope = LakeFixture.scope([one, two], views: [union, count])
            #expect(try await lake.text("from _auditlake.quarantine order by a", over: scope) == "a\n1\n2\n")
            #expect(try await lake.text("from main.x.n", over: scope) == "n\n2\n")
            let broken = LakeFixture.scope(
                [],
                views: [DerivedView(schema: "x", name: "y", sql: "select 1; select 2")]
            )
            #expect(try await lake.error("select 1", over: broken).code == .invalidSQL)
        }
    }

    @Test func theSQLIsTakenWithoutQuotingProblems() async throws {
        try await LakeFixture.with { lake async throws in
            let sql = "select 'it''s $HOME `x` \\ \"q\" %s' a, $$b;'$$ b -- end"
            let expected = "[{\"a\":\"it's $HOME `x` \\\\ \\\"q\\\" %s\",\"b\":\"b;'\"}]\n"
            #expect(try await lake.text(sql, over: LakeFixture.scope([]), .json) == expected)
        }
    }
}
