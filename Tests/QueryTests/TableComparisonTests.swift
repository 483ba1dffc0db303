import Foundation
import Testing

@testable import Query

@Suite struct TableComparisonTests {
    private static let columns = [
        QueryColumn("id", "VARCHAR"), QueryColumn("part", "BIGINT"), QueryColumn("n", "BIGINT"),
        QueryColumn("s", "STRUCT(\"x y\" VARCHAR, z VARCHAR)"), QueryColumn("m", "MAP(VARCHAR, VARCHAR)"),
    ]

    private func comparison(_ before: [String], _ after: [String]) -> TableComparison {
        TableComparison(
            before: before,
            after: after,
            columns: Self.columns,
            partitionColumns: [QueryColumn("date", "DATE")],
            key: ["id", "part"],
            order: ["n"],
            paths: [["n"], ["s"], ["s", "x y"], ["s", "z"], ["m"], ["date"]]
        )
    }

    private static let row = "1 AS part, 7 AS n, {'x y': 'p', 'z': 'q'} AS s, MAP {'k': 'v'} AS m"

    @Test func equalRowsInOtherOrderAndFilesAreEqual() async throws {
        try await LakeFixture.with { lake in
            let all = try await lake.file(
                "a/date=2026-01-01/1.parquet",
                "SELECT 'e' || i AS id, \(Self.row) FROM range(9) t(i)"
            )
            let parts = [
                try await lake.file(
                    "b/date=2026-01-01/1.parquet",
                    "SELECT 'e' || i AS id, \(Self.row) FROM range(8, 3, -1) t(i)"
                ),
                try await lake.file(
                    "b/date=2026-01-01/2.parquet",
                    "SELECT 'e' || i AS id, \(Self.row) FROM range(4) t(i)"
                ),
            ]
            let difference = try await lake.engine.compare(
                comparison([all], parts),
                limits: LakeFixture.limits
            )
            #expect(difference == TableDifference(rowsBefore: 9, rowsAfter: 9))
        }
    }

    @Test func everyKindOfDifferenceIsCounted() async throws {
        try await LakeFixture.with { lake in
            let before = try await lake.file(
                "a/date=2026-01-01/1.parquet",
                """
                SELECT 'same' AS id, \(Self.row)
                UNION ALL BY NAME SELECT 'value' AS id, \(Self.row)
                UNION ALL BY NAME SELECT 'field' AS id, \(Self.row)
                UNION ALL BY NAME SELECT 'absent' AS id, \(Self.row)
                UNION ALL BY NAME SELECT 'day' AS id, \(Self.row)
                UNION ALL BY NAME SELECT 'gone' AS id, \(Self.row)
                """
            )
            let after = [
                try await lake.file(
                    "b/date=2026-01-01/1.parquet",
                    """
                    SELECT 'same' AS id, \(Self.row)
                    UNION ALL BY NAME SELECT 'value' AS id, * REPLACE (8 AS n, MAP {'k': 'w'} AS m) FROM (SELECT \(Self.row))
                    UNION ALL BY NAME SELECT 'field' AS id, * REPLACE ({'x y': 'p', 'z': NULL} AS s) FROM (SELECT \(Self.row))
                    UNION ALL BY NAME SELECT 'absent' AS id, * REPLACE (NULL AS s) FROM (SELECT \(Self.row))
                    UNION ALL BY NAME SELECT 'new' AS id, \(Self.row)
                    """
                ),
                try await lake.file("b/date=2026-01-02/1.parquet", "SELECT 'day' AS id, \(Self.row)"),
            ]
            let difference = try await lake.engine.compare(
                comparison([before], after),
                limits: LakeFixture.limits
            )
            let expected = TableDifference(
                rowsBefore: 6,
                rowsAfter: 6,
                onlyBefore: 1,
                onlyAfter: 1,
                changed: 4,
                changes: [
                    TableDifference.Change(path: ["n"], rows: 1),
                    TableDifference.Change(path: ["s"], rows: 1),
                    TableDifference.Change(path: ["s", "x y"], rows: 1),
                    TableDifference.Change(path: ["s", "z"], rows: 2),
                    TableDifference.Change(path: ["m"], rows: 1),
                    TableDifference.Change(path: ["date"], rows: 1),
                ],
                samplesBefore: ["gone"],
                samplesAfter: ["new"],
                samplesChanged: ["absent", "day", "field", "value"]
            )
            #expect(difference == expected)
        }
    }

    @Test func rowsThatShareAKeyArePairedOnce() async throws {
        try await LakeFixture.with { lake in
            let sql = "SELECT 'e' AS id, * REPLACE (i AS n) FROM (SELECT \(Self.row)), range(3) t(i)"
            let before = try await lake.file("a/date=2026-01-01/1.parquet", sql)
            let after = try await lake.file("b/date=2026-01-01/1.parquet", sql + " ORDER BY n DESC")
            let difference = try await lake.engine.compare(
                comparison([before], [after]),
                limits: LakeFixture.limits
            )
            #expect(difference == TableDifference(rowsBefore: 3, rowsAfter: 3))
        }
    }

    @Test func aStateWithoutFilesHasNoRows() async throws {
        try await LakeFixture.with { lake in
            let file = try await lake.file("b/date=2026-01-01/1.parquet", "SELECT 'e' AS id, \(Self.row)")
            let difference = try await lake.engine.compare(comparison([], [file]), limits: LakeFixture.limits)
            #expect(difference == TableDifference(rowsAfter: 1, onlyAfter: 1, samplesAfter: ["e"]))
        }
    }
}
