import DeltaLog
import Testing

@testable import Warehouse

@Suite struct StatementTests {
    private static let target = TargetName(schema: "audit", table: "Odd \"name\".x")

    private static func column(
        _ name: String,
        _ type: DataType = .string,
        nullable: Bool = true
    ) -> TargetColumn {
        TargetColumn(lakeName: name, name: name, type: type, isNullable: nullable, isPartition: false)
    }

    private static let statements = LoadStatements(
        dialect: .postgres,
        target: target,
        columns: [
            column("id", nullable: false), column("at", .timestamp),
            column("extra", .map(key: .string, value: .string, valueContainsNull: true)),
        ],
        key: ["id"]
    )

    @Test("names and texts keep every character")
    func quoting() {
        #expect(quotedName("a\"b.c; --") == "\"a\"\"b.c; --\"")
        #expect(quotedText("it's \\ \"x\"") == "'it''s \\ \"x\"'")
        #expect(Self.target.quoted == "\"audit\".\"Odd \"\"name\"\".x\"")
        // A combining mark behind a quote is no reason to miss the quote.
        #expect(quotedName("a\"\u{301}") == "\"a\"\"\u{301}\"")
    }

    @Test("the target is made from the lake's columns")
    func create() {
        #expect(
            Self.statements.createTable
                == "CREATE TABLE \"audit\".\"Odd \"\"name\"\".x\" (\"id\" text NOT NULL, \"at\" timestamp with time zone, \"extra\" jsonb)"
        )
        #expect(
            Self.statements.add([Self.column("new", .long, nullable: false)])
                == ["ALTER TABLE \"audit\".\"Odd \"\"name\"\".x\" ADD COLUMN \"new\" bigint"]
        )
    }

    @Test("the cursor is one row a shard")
    func cursor() {
        var position = TargetPosition()
        position.table = "t-1"
        position.version = 7
        position.batches = ["b": 2, "a": 5]
        let written = Self.statements.write(position)
        #expect(written.count == 3)
        #expect(
            written[0].hasPrefix(
                "DELETE FROM \"audit\".\"auditlake_batches\" WHERE target = 'audit.Odd \"name\".x'"
            )
        )
        #expect(written[1].hasSuffix("VALUES ('audit.Odd \"name\".x', 'a', 5, 't-1', 7, current_timestamp)"))
    }

    @Test("names that a server cannot take get others, always the same")
    func fittedNames() throws {
        let long = String(repeating: "é", count: 40)
        let schema = TableSchema([
            SchemaField("ctid", .string), SchemaField(long, .string), SchemaField(long + "2", .string),
            SchemaField("Plain", .string),
        ])
        let names = try TargetColumn.columns(of: schema, partitionColumns: [], dialect: .postgres).map(\.name)
        #expect(names[0] == "ctid_")
        #expect(names[3] == "Plain")
        #expect(names[1] != names[2])
        for name in names[1...2] {
            #expect(name.utf8.count <= 63)
            #expect(name.hasPrefix(String(repeating: "é", count: 27) + "_"))
        }
        // The first bytes of the SHA-256 of the whole name, by Python's hashlib.
        #expect(names[1].hasSuffix("_" + "84fe2e03"))
        #expect(throws: WarehouseError.self) {
            let clash = TableSchema([SchemaField("ctid", .string), SchemaField("ctid_", .string)])
            _ = try TargetColumn.columns(of: clash, partitionColumns: [], dialect: .postgres)
        }
    }

    @Test("columns of a target that do not fit are named with both types")
    func conflicts() throws {
        let wanted = [Self.column("at", .timestamp), Self.column("n", .long)]
        let types = [("at", "timestamptz"), ("n", "int8")]
        let fitting = types.map { ServerColumn($0.0, declaration: $0.1, type: $0.1) }
        let own = ServerColumn(
            "mine",
            declaration: "integer",
            type: "int4",
            isRequired: true,
            hasDefault: true
        )
        let table = try ServerTable(fitting: wanted, into: fitting + [own], of: Self.target)
        #expect(table.missing.isEmpty)
        #expect(table.wire.map(\.type) == [.timestamp, .int8])

        let other = ServerColumn("n", declaration: "numeric(10,2)", type: "numeric")
        let error = #expect(throws: WarehouseError.self) {
            _ = try ServerTable(fitting: wanted, into: [fitting[0], other], of: Self.target)
        }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("numeric(10,2)") == true)
        #expect(error?.message.contains("long, which needs bigint") == true)

        var required = own
        required.hasDefault = false
        #expect(throws: WarehouseError.self) {
            _ = try ServerTable(fitting: wanted, into: fitting + [required], of: Self.target)
        }
        #expect(try ServerTable(fitting: wanted, into: [fitting[0]], of: Self.target).missing == [wanted[1]])
    }

    @Test(
        "what passes by itself is tried again",
        arguments: [
            ("40001", true), ("40P01", true), ("57P01", true), ("08006", true), ("53300", true),
            ("42501", false),
            ("53100", false), ("22001", false), ("42P01", false),
        ]
    )
    func transient(state: String, isTransient: Bool) {
        #expect(Failure(sqlState: state, message: "").isTransient == isTransient)
    }

    @Test("Redshift's serializable isolation violation is tried again")
    func redshiftConflict() {
        #expect(
            Failure(sqlState: "XX000", message: "1023 DETAIL: Serializable isolation violation").isTransient
        )
        #expect(!Failure(sqlState: "XX000", message: "other").isTransient)
    }
}
