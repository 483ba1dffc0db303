import Testing

@testable import Configuration

/// Warehouses, and what pipelines load into them.
@Suite struct WarehouseTests {
    private static let dwh =
        "warehouses: {dwh: {kind: postgres, url: \"postgresql://u:${PW}@h/d\"}}\nlake: ./lake"
    private static let environment = ["PW": "s3cret"]

    private func load(_ text: String) throws -> LoadConfiguration? {
        let text = yaml(top: Self.dwh, pipeline: "load: \(text)")
        return try pipeline(text, environment: Self.environment).load
    }

    private func fault(_ text: String, top: String = WarehouseTests.dwh) -> String {
        faults(yaml(top: top, pipeline: "load: \(text)"), environment: Self.environment).map(\.description)
            .joined()
    }

    @Test func aPipelineThatLoadsNothing() throws { #expect(try pipeline(yaml()).load == nil) }

    @Test func rowsAreInsertedUnlessAKeyIsGiven() throws {
        let plain = try #require(try load("{warehouse: dwh, table: public.logs}"))
        #expect(
            plain
                == LoadConfiguration(
                    warehouse: "dwh",
                    schema: "public",
                    table: "logs",
                    mode: .insert,
                    key: []
                )
        )
        let merge = try #require(try load("{warehouse: dwh, table: public.logs, mode: merge, key: [a, b]}"))
        #expect(merge.mode == .merge && merge.key == ["a", "b"])
    }

    @Test func namesMayBeQuoted() throws {
        let load = try #require(try load("{warehouse: dwh, table: 'Mixed.\"a.b \"\"c\"\"\"'}"))
        #expect(load.schema == "Mixed")
        #expect(load.table == "a.b \"c\"")
    }

    @Test(arguments: [
        ("{warehouse: dwg, table: public.x}", "did you mean “dwh”"),
        ("{warehouse: dwh, table: x}", "is not schema.table"),
        ("{warehouse: dwh, table: a.b.c}", "is not schema.table"),
        ("{warehouse: dwh, table: 'a.\"b'}", "is not schema.table"),
        ("{warehouse: dwh, table: a.auditlake_batches}", "reserved"),
        ("{warehouse: dwh, table: a.b, mode: merge}", "load.key is missing"),
        ("{warehouse: dwh, table: a.b, key: [x]}", "without mode: merge"),
        ("{warehouse: dwh, table: a.b, mode: append}", "cannot be “append”"),
        ("{table: a.b}", "load.warehouse is missing"),
        ("{warehouse: dwh}", "load.table is missing"),
    ])
    func whatIsWrong(text: String, words: String) { #expect(fault(text).contains(words)) }

    @Test func aWarehouseHasToBeDescribed() {
        #expect(
            fault("{warehouse: dwh, table: a.b}", top: "lake: ./lake").contains("describe it: warehouses:")
        )
        let nothing = "lake: ./lake\nwarehouses: {dwh: {kind: postgres}}"
        #expect(fault("{warehouse: dwh, table: a.b}", top: nothing).contains("dwh.url is missing"))
        let staged = "lake: ./lake\nwarehouses: {dwh: {kind: postgres, url: x, staging: s3://b/p}}"
        #expect(
            fault("{warehouse: dwh, table: a.b}", top: staged).contains("for warehouses of kind redshift")
        )
    }

    @Test func aURLIsASecret() throws {
        let warehouse = try #require(
            try parse(yaml(top: Self.dwh), environment: Self.environment).warehouses.first
        )
        #expect(warehouse.url.value == "postgresql://u:s3cret@h/d")
        #expect("\(warehouse)".contains("s3cret") == false)
    }

    @Test func twoTablesOfTheLakeCannotShareATarget() {
        let second = """
            load: {warehouse: dwh, table: public.logs}
            """
        let text =
            yaml(top: Self.dwh, pipeline: second)
            + "\n  pg2: {kind: postgres, source: {files: /l/*.csv}, role: r, table: audit.others, load: {warehouse: dwh, table: Public.Logs}}"
        let said = faults(text, environment: Self.environment).map(\.description).joined()
        #expect(said.contains("is the target of audit.logs, too"))
        let same = text.replacing("audit.others", with: "audit.logs").replacing(
            "Public.Logs",
            with: "public.logs"
        )
        #expect(faults(same, environment: Self.environment).isEmpty)
    }

    @Test func redshiftNeedsAPlaceForFilesAndARight() throws {
        let good = """
            warehouses:
              dwh: {kind: redshift, url: "${PW}", staging: "s3://acme-staging/a/b/", iam_role: "arn:aws:iam::1:role/r"}
            lake: ./lake
            """
        let warehouse = try #require(
            try parse(yaml(top: good), environment: Self.environment).warehouses.first
        )
        guard case .redshift(let redshift) = warehouse.kind else {
            Issue.record("another kind")
            return
        }
        #expect(redshift.bucket == "acme-staging" && redshift.prefix == "a/b")
        #expect(redshift.access == .role(Setting("arn:aws:iam::1:role/r")))
        let without = good.replacing(", iam_role: \"arn:aws:iam::1:role/r\"", with: "")
        #expect(
            faults(yaml(top: without), environment: Self.environment).first?.mend.contains("iam_role") == true
        )
        let folder = good.replacing("s3://acme-staging/a/b/", with: "./here")
        #expect(
            faults(yaml(top: folder), environment: Self.environment).first?.message.contains(
                "no place in a bucket"
            ) == true
        )
    }
}
