import Testing

@testable import Configuration

@Suite struct ConfigurationTemplateTests {
    static let template = ConfigurationTemplate(
        postgres: .init(logGlob: "/var/log/pg/*.csv", role: "primary", table: "audit.pg_logs")
    )

    /// The template with every commented setting switched on.
    static func uncommented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let indentation = line.prefix { $0 == " " }
            let rest = line.dropFirst(indentation.count)
            return rest.hasPrefix("#") && !rest.hasPrefix("# ") ? indentation + rest.dropFirst() : line
        }.joined(separator: "\n")
    }

    @Test func theTemplateLoadsAsItIs() throws {
        let pipeline = try pipeline(Self.template.text)
        #expect(pipeline.files.map(\.value) == ["/var/log/pg/*.csv"])
        #expect(pipeline.role.value == "primary")
        #expect(pipeline.table.value == ConfiguredTable(schema: "audit", table: "pg_logs"))
    }

    @Test func itsCommentedSettingsAreTheDefaults() throws {
        let uncommented = Self.uncommented(Self.template.text)
        var expected = try parse(Self.template.text)
        if case .postgres(var pipeline) = expected.pipelines[0] {
            pipeline.timeZone = Setting("UTC")
            expected.pipelines[0] = .postgres(pipeline)
        }
        // The file says of a bucket what holds for one that it does not name, but for its region.
        var bucket = ObjectStoreConfiguration(bucket: "acme-audit")
        bucket.region = Setting("eu-central-1")
        expected.objectStores = [bucket]
        let smallest = databricksYAML(objects: "\"/var/audit/databricks/**/*.json*\"")
        expected.pipelines.append(.databricks(try databricks(smallest)))
        let files = customerYAML(objects: "\"/var/audit/customers/**/*.csv\"")
            .replacing("wau.wau_audit_logs", with: "customers.audit_logs").replacing(
                "  wau:",
                with: "  customers:"
            )
        expected.pipelines.append(.customerCSV(try customerCSV(files)))
        #expect(try parse(uncommented) == expected)
    }

    @Test func itExplainsEverySettingThatThisReleaseHas() {
        for key in PostgresPipelineConfiguration.keys where key != "bronze" {
            #expect(Self.uncommented(Self.template.text).contains("\n    \(key):"), "\(key)")
        }
    }

    @Test func itExplainsEverySettingOfTheDatabricksKind() throws {
        let block = try #require(Self.template.text.split(separator: "#databricks_audit:").last)
        let rules = DatabricksPipelineConfiguration.Rule.allCases.map(\.rawValue)
        for key in DatabricksPipelineConfiguration.keys + rules {
            #expect(block.contains("  #\(key):"), "\(key)")
        }
    }

    @Test func itExplainsEverySettingOfTheCSVKind() throws {
        let block = try #require(Self.template.text.split(separator: "#customers:").last)
        for key in CustomerCSVPipelineConfiguration.keys { #expect(block.contains("  #\(key):"), "\(key)") }
    }

    @Test func eachKindIsThereWhenItIsAskedFor() throws {
        let events = ConfigurationTemplate.Databricks(objectGlob: "/a \"b\"/**/*.json", schema: "events")
        let alone = ConfigurationTemplate(postgres: nil, databricks: events).text
        let expected = try databricks(
            databricksYAML(objects: "'/a \"b\"/**/*.json'").replacing(
                "schema: databricks_audit",
                with: "schema: events"
            )
        )
        #expect(try parse(alone).pipelines == [.databricks(expected)])
        #expect(try parse(Self.uncommented(alone)).pipelines.first == .databricks(expected))
        var both = Self.template
        both.databricks = events
        let postgres = Pipeline.postgres(try pipeline(Self.template.text))
        #expect(try parse(both.text).pipelines == [postgres, .databricks(expected)])
        let files = ConfigurationTemplate.CustomerCSV(objectGlob: "/csv/**", table: "a.b")
        let only = try parse(ConfigurationTemplate(postgres: nil, customerCSV: files).text).pipelines
        guard case .customerCSV(let pipeline) = only.first, only.count == 1 else {
            Issue.record("\(only)")
            return
        }
        #expect(pipeline.source.objects.map(\.value) == ["/csv/**"])
        #expect(pipeline.table.value == ConfiguredTable(schema: "a", table: "b"))
    }

    @Test func parametersStayLiteral() throws {
        let odd = "a\"b\\c ${HOME} #x: 'y'\t\nz"
        let template = ConfigurationTemplate(
            postgres: .init(logGlob: "/" + odd, role: odd, table: "a.b")
        )
        let pipeline = try pipeline(template.text)
        #expect(pipeline.role == Setting(odd))
        #expect(pipeline.files == [Setting("/" + odd)])
    }
}
