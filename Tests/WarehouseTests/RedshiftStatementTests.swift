import DeltaLog
import Foundation
import Testing

@testable import Warehouse

/// What is said to Redshift, held by a golden file that `redshift_test.py` has sqlglot parse.
@Suite struct RedshiftStatementTests {
    private static let schema = TableSchema([
        SchemaField("event_id", .string, nullable: false), SchemaField("event_time", .timestamp),
        SchemaField("durationMs", .long), SchemaField("retries", .integer), SchemaField("score", .double),
        SchemaField("ok", .boolean), SchemaField("statement", .string),
        SchemaField("extra", .map(key: .string, value: .string, valueContainsNull: true)),
        SchemaField("response", .structure(TableSchema([SchemaField("statusCode", .long)]))),
        SchemaField("ingest_ts", .timestamp, nullable: false), SchemaField("oid", .long),
        SchemaField("date", .date),
    ])

    private static func statements() throws -> LoadStatements {
        let columns = try TargetColumn.columns(of: schema, partitionColumns: ["date"], dialect: .redshift)
        return LoadStatements(
            dialect: .redshift,
            target: TargetName(schema: "audit", table: "logs"),
            columns: columns,
            key: ["event_id", "event_time"]
        )
    }

    private static func text() throws -> String {
        let statements = try statements()
        var position = TargetPosition()
        position.table = "4b0e7f3c-0000-4000-8000-000000000000"
        position.version = 12
        position.batches = [
            "5f3a0cbe-0000-4000-8000-000000000001": 9, "5f3a0cbe-0000-4000-8000-000000000002": 3,
        ]
        let manifest = "s3://acme-staging/auditlake/audit.logs/12-x/manifest.json"
        let later = TargetColumn(
            lakeName: "later",
            name: "later",
            type: .string,
            isNullable: true,
            isPartition: false
        )
        let role = RedshiftSettings.Access.role("arn:aws:iam::111122223333:role/copy")
        let keys = RedshiftSettings.Access.keys(id: "AKID", secret: "s'ecret", sessionToken: "t0ken")
        let all =
            [
                statements.readColumns(of: statements.target.batches), statements.readSchema,
                statements.createSchema, statements.createBatches, statements.createTable,
            ] + statements.add([later]) + [
                statements.readCursor, statements.createStage,
                statements.copy(manifest: manifest, access: role),
                statements.copy(manifest: manifest, access: keys), "BEGIN", statements.lockTarget,
                statements.deleteMatches,
                statements.insertLatest(into: statements.target, order: [LoadStatements.order]),
                statements.insertStaged, statements.deleteAll,
            ] + statements.write(position) + [
                "COMMIT", LoadStatements.loadErrors, LoadStatements.olderLoadErrors,
            ]
        return all.map { "\($0);\n" }.joined()
    }

    @Test("every statement is the one of the golden file; AUDITLAKE_WRITE_GOLDEN writes it")
    func golden() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/redshift.sql")
        if ProcessInfo.processInfo.environment["AUDITLAKE_WRITE_GOLDEN"] != nil {
            try Self.text().write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try Self.text() == String(contentsOf: file, encoding: .utf8))
    }
}
