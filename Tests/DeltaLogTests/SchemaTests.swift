import Testing

@testable import DeltaLog

@Suite struct SchemaTests {
    private static let nested = TableSchema([
        SchemaField("a", .long, nullable: false),
        SchemaField("m", .map(key: .string, value: .string, valueContainsNull: true)),
        SchemaField(
            "l",
            .array(element: .structure(TableSchema([SchemaField("x", .integer)])), containsNull: false)
        ),
        SchemaField("s", .structure(TableSchema([SchemaField("p", .string, metadata: ["k": .integer(1)])]))),
    ])

    @Test func theSchemaStringIsSparks() throws {
        let expected = #"""
            {"type":"struct","fields":[{"name":"a","type":"long","nullable":false,"metadata":{}},{"name":"m","type":{"type":"map","keyType":"string","valueType":"string","valueContainsNull":true},"nullable":true,"metadata":{}},{"name":"l","type":{"type":"array","elementType":{"type":"struct","fields":[{"name":"x","type":"integer","nullable":true,"metadata":{}}]},"containsNull":false},"nullable":true,"metadata":{}},{"name":"s","type":{"type":"struct","fields":[{"name":"p","type":"string","nullable":true,"metadata":{"k":1}}]},"nullable":true,"metadata":{}}]}
            """#
        #expect(Self.nested.schemaString == expected)
        #expect(try TableSchema(schemaString: expected) == Self.nested)
    }

    @Test(arguments: ["boolean", "integer", "long", "double", "date", "timestamp", "string", "binary"])
    func everyPrimitiveIsKept(name: String) throws {
        let text =
            #"{"type":"struct","fields":[{"name":"c","type":"\#(name)","nullable":true,"metadata":{}}]}"#
        #expect(try TableSchema(schemaString: text).schemaString == text)
    }

    @Test(arguments: [
        (
            #"{"type":"struct","fields":[{"name":"c","type":"decimal(10,2)","nullable":true,"metadata":{}}]}"#,
            0
        ),
        (
            #"{"type":"struct","fields":[{"name":"c","type":{"type":"variant"},"nullable":true,"metadata":{}}]}"#,
            0
        ),
        (#"{"type":"struct"}"#, 1), ("", 1),
        (
            #"{"type":"struct","fields":[{"name":"c","type":"long","nullable":true},{"name":"C","type":"long","nullable":true}]}"#,
            2
        ),
    ])
    func aSchemaThatCannotBeReadSaysWhy(text: String, code: Int) throws {
        let codes: [DeltaLogError.Code] = [.unsupportedType, .malformedSchema, .columnNameClash]
        let error = #expect(throws: DeltaLogError.self) { try TableSchema(schemaString: text) }
        #expect(error?.code == codes[code])
    }

    @Test func newColumnsAndStructFieldsComeLastAndAreNullable() throws {
        let other = TableSchema([
            SchemaField("new", .date, nullable: false),
            SchemaField("s", .structure(TableSchema([SchemaField("q", .long), SchemaField("p", .string)]))),
            SchemaField("a", .long, nullable: false),
            SchemaField(
                "l",
                .array(element: .structure(TableSchema([SchemaField("y", .long)])), containsNull: true)
            ),
        ])
        let expected = TableSchema([
            SchemaField("a", .long, nullable: false),
            SchemaField("m", .map(key: .string, value: .string, valueContainsNull: true)),
            SchemaField(
                "l",
                .array(
                    element: .structure(TableSchema([SchemaField("x", .integer), SchemaField("y", .long)])),
                    containsNull: true
                )
            ),
            SchemaField(
                "s",
                .structure(
                    TableSchema([
                        SchemaField("p", .string, metadata: ["k": .integer(1)]), SchemaField("q", .long),
                    ])
                )
            ),
            SchemaField("new", .date),
        ])
        let merged = try Self.nested.merged(with: other)
        #expect(merged == expected)
        #expect(try merged.merged(with: other) == merged)
        #expect(try Self.nested.merged(with: Self.nested) == Self.nested)
    }

    @Test func aColumnThatTheRowsLackBecomesNullable() throws {
        let merged = try Self.nested.merged(with: TableSchema([]))
        #expect(merged["a"]?.nullable == true)
    }

    @Test(arguments: [
        (TableSchema([SchemaField("a", .string)]), DeltaLogError.Code.columnTypeChange, ["a"]),
        (TableSchema([SchemaField("A", .long)]), .columnNameClash, ["A"]),
        (
            TableSchema([SchemaField("s", .structure(TableSchema([SchemaField("P", .string)])))]),
            .columnNameClash, ["s", "P"]
        ),
        (
            TableSchema([SchemaField("m", .map(key: .string, value: .long, valueContainsNull: true))]),
            .columnTypeChange, ["m", "value"]
        ),
        (TableSchema([SchemaField("n", .long), SchemaField("N", .long)]), .columnNameClash, ["N"]),
        (
            TableSchema([SchemaField("e\u{301}", .long), SchemaField("\u{E9}", .long)]), .columnNameClash,
            ["\u{E9}"]
        ),
    ])
    func whatCannotBeMergedNamesTheColumn(
        other: TableSchema,
        code: DeltaLogError.Code,
        column: [String]
    ) throws {
        let error = #expect(throws: DeltaLogError.self) { try Self.nested.merged(with: other) }
        #expect(error?.code == code)
        #expect(error?.column == column)
    }
}
