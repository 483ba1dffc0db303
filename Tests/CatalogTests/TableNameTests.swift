import Catalog
import Testing

@Suite struct TableNameTests {
    @Test(arguments: [
        ("a.b.c", TableName(catalog: "a", schema: "b", table: "c")),
        ("b.c", TableName(catalog: "main", schema: "b", table: "c")),
        (
            "main._auditlake.quarantine_pg",
            TableName(catalog: "main", schema: "_auditlake", table: "quarantine_pg")
        ),
    ])
    func nameOfTwoOrThreePartsIsRead(_ text: String, _ name: TableName) {
        #expect(TableName(text, defaultCatalog: "main") == name)
    }

    @Test(arguments: ["", "a", "a.b.c.d", ".b.c", "a..c", "a.b.", ".", "..", "...", "a."])
    func nameOfAnotherNumberOfPartsIsNone(_ text: String) {
        #expect(TableName(text, defaultCatalog: "main") == nil)
    }

    @Test func nameLeadsToItsFolder() {
        let name = TableName(catalog: "a", schema: "b", table: "c")
        #expect(name.description == "a.b.c")
        #expect(name.folder == "a/b/c")
    }

    @Test func namesAreOrderedByTheirParts() {
        let texts = ["a.b.c", "a.b.d", "a.c.a", "b.a.a"]
        let names = texts.reversed().compactMap { TableName($0, defaultCatalog: "main") }
        #expect(names.sorted().map(\.description) == texts)
    }
}
