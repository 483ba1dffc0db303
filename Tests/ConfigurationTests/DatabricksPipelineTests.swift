import Testing

@testable import Configuration

@Suite struct DatabricksPipelineTests {
    typealias Rule = DatabricksPipelineConfiguration.Rule

    @Test func smallestPipelineTakesTheDocumentedDefaults() throws {
        let pipeline = try databricks(databricksYAML())
        #expect(pipeline.name == "databricks_audit")
        #expect(pipeline.source.objects.map(\.value) == ["/etc/auditlake/logs/**/*.json"])
        #expect(pipeline.source.listingDayCount == nil && pipeline.source.forgetDayCount == nil)
        #expect(pipeline.schema.value == "databricks_audit")
        #expect(pipeline.goldSchema.value == "databricks_audit_gold")
        #expect(pipeline.strip == [.null, .emptyString])
        #expect(
            pipeline.expectations == [
                .validWorkspaceID: .warn, .timestampNotNull: .warn, .serviceNameNotNull: .warn,
                .actionNameNotNull: .warn, .noRowsDropped: .fail, .goldMatchesSilver: .fail,
            ]
        )
        #expect(pipeline.source.verifyPrefix == .tail)
        #expect(pipeline.source.onChange == .report)
        #expect(pipeline.onDataLoss == .fail)
        #expect(pipeline.commitEvery == .seconds(1))
        #expect(pipeline.source.pollEvery == .seconds(5))
        #expect(pipeline.maxRecordByteCount == 16_777_216)
        #expect(pipeline.batchByteCount == 1_000_000_000)
        #expect(pipeline.maxPendingByteCount == 134_217_728)
    }

    @Test func everyKeyIsTaken() throws {
        let pipeline = try databricks(
            databricksYAML(
                objects: "[./a/*.json, /b/**/*.json.gz]",
                pipeline: """
                    strip: [{}, []]
                    expectations: {valid_workspace_id: drop, no_rows_dropped: warn, timestamp_is_not_null: fail}
                    verify_prefix: full
                    on_change: reingest
                    on_data_loss: continue
                    forget_after: 90d
                    commit_every: 250ms
                    poll_every: 1m
                    max_record_bytes: 2MiB
                    batch_bytes: 64MB
                    max_pending_bytes: 4096
                    """
            )
        )
        #expect(pipeline.source.objects.map(\.value) == ["/etc/auditlake/a/*.json", "/b/**/*.json.gz"])
        #expect(pipeline.strip == [.emptyObject, .emptyArray])
        #expect(pipeline.expectations[.validWorkspaceID] == .drop)
        #expect(pipeline.expectations[.noRowsDropped] == .warn)
        #expect(pipeline.expectations[.timestampNotNull] == .fail)
        #expect(pipeline.expectations[.goldMatchesSilver] == .fail, "what is not named keeps its default")
        #expect(pipeline.expectations.count == Rule.allCases.count)
        #expect(pipeline.source.verifyPrefix == .full)
        #expect(pipeline.source.onChange == .reingest)
        #expect(pipeline.onDataLoss == .continue)
        #expect(pipeline.source.forgetDayCount == 90)
        #expect(pipeline.commitEvery == .milliseconds(250))
        #expect(pipeline.source.pollEvery == .seconds(60))
        #expect(pipeline.maxRecordByteCount == 2 << 20)
        #expect(pipeline.batchByteCount == 64_000_000)
        #expect(pipeline.maxPendingByteCount == 4096)
    }

    typealias EmptyValue = DatabricksPipelineConfiguration.EmptyValue

    static let strips: [(String, Set<EmptyValue>)] = [
        ("[]", []), ("[~, '']", [.null, .emptyString]), ("[null, \"\", {}, []]", Set(EmptyValue.allCases)),
        ("", [.null, .emptyString]), ("[{}, {}]", [.emptyObject]),
    ]

    @Test(arguments: strips)
    func stripTakesEveryEmptyValue(text: String, values: Set<EmptyValue>) throws {
        #expect(try databricks(databricksYAML(pipeline: "strip: \(text)")).strip == values)
    }

    @Test func bothKindsStandInOneFile() throws {
        let text = yaml() + "\n  d: {kind: databricks, source: {objects: /x/*}, schema: s}"
        let pipelines = try parse(text).pipelines
        #expect(pipelines.map(\.name) == ["pg1", "d"])
    }

    @Test(arguments: [
        FaultCase(
            text: databricksYAML(pipeline: "on_chnage: report"),
            code: .unknownKey,
            line: 7,
            column: 5,
            message: "unknown key “on_chnage” in pipelines.databricks_audit",
            mend: "did you mean “on_change”?"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "on_change: repot"),
            code: .invalidValue,
            line: 7,
            column: 16,
            message: "pipelines.databricks_audit.on_change cannot be “repot”",
            mend: "did you mean “report”?"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "verify_prefix: everything"),
            code: .invalidValue,
            line: 7,
            column: 20,
            message: "pipelines.databricks_audit.verify_prefix cannot be “everything”",
            mend: "expected one of: tail, full"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "expectations: {no_row_dropped: warn}"),
            code: .unknownKey,
            line: 7,
            column: 20,
            message: "unknown key “no_row_dropped” in pipelines.databricks_audit.expectations",
            mend: "did you mean “no_rows_dropped”?"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "expectations: {valid_workspace_id: ignore}"),
            code: .invalidValue,
            line: 7,
            column: 40,
            message: "pipelines.databricks_audit.expectations.valid_workspace_id cannot be “ignore”",
            mend: "expected one of: warn, drop, fail"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "expectations:\n  gold_matches_silver: drop"),
            code: .invalidValue,
            line: 8,
            column: 28,
            message: "pipelines.databricks_audit.expectations.gold_matches_silver cannot drop",
            mend: "write warn or fail: the rule compares the tables of a batch, there is no event to drop"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "strip: [null, x]"),
            code: .invalidValue,
            line: 7,
            column: 19,
            message: "pipelines.databricks_audit.strip holds a value that is not empty",
            mend: "write a list of null, \"\", {} and [], such as strip: [null, \"\"]"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "strip: \"\""),
            code: .wrongType,
            line: 7,
            column: 12,
            message: "pipelines.databricks_audit.strip is not a list",
            mend: "write a list of null, \"\", {} and [], such as strip: [null, \"\"]"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "forget_after: 12h"),
            code: .invalidValue,
            line: 7,
            column: 19,
            message: "pipelines.databricks_audit.forget_after cannot be “12h”",
            mend: "write whole days such as 7d, at least 1d"
        ),
        FaultCase(
            text: databricksYAML(pipeline: "poll_every: 5"),
            code: .invalidValue,
            line: 7,
            column: 17,
            message: "pipelines.databricks_audit.poll_every cannot be “5”",
            mend: "write a time such as 500ms, 1s, 10m, 12h or 7d, above zero"
        ),
        FaultCase(
            text: databricksYAML().replacing("schema: databricks_audit", with: "strip: []"),
            code: .missingKey,
            line: 4,
            column: 5,
            message: "pipelines.databricks_audit.schema is missing",
            mend: "add schema: databricks_audit"
        ),
        FaultCase(
            text: databricksYAML().replacing("{objects: \"logs/**/*.json\"}", with: "{}"),
            code: .missingKey,
            line: 5,
            column: 13,
            message: "pipelines.databricks_audit.source.objects is missing",
            mend: "add objects: \"/var/audit/databricks/**/*.json*\""
        ),
        FaultCase(
            text: databricksYAML().replacing("{objects:", with: "{files: x, objects:"),
            code: .unknownKey,
            line: 5,
            column: 14,
            message: "unknown key “files” in pipelines.databricks_audit.source",
            mend: "expected one of: objects, window, notifications, kafka, event_hubs"
        ),
        FaultCase(
            text: databricksYAML(objects: "[/a/*, gs://b/c]"),
            code: .invalidValue,
            line: 5,
            column: 30,
            message: "pipelines.databricks_audit.source.objects “gs://b/c” is no URL of objects",
            mend: "name files of this machine, or s3://bucket/prefix/**/*.json"
        ),
        FaultCase(
            text: databricksYAML().replacing(
                "{objects: \"logs/**/*.json\"}",
                with: "\n      kafka:\n        topic: audit"
            ),
            code: .notInThisRelease,
            line: 6,
            column: 7,
            message: "pipelines.databricks_audit.source.kafka is not in this release",
            mend:
                "have the records delivered as files and name those: objects: \"/var/audit/databricks/**/*.json*\""
        ),
        FaultCase(
            text: databricksYAML().replacing("{objects:", with: "{event_hubs: {hub: x}, objects:"),
            code: .notInThisRelease,
            line: 5,
            column: 14,
            message: "pipelines.databricks_audit.source.event_hubs is not in this release",
            mend:
                "have the records delivered as files and name those: objects: \"/var/audit/databricks/**/*.json*\""
        ),
    ])
    func aFaultNamesPlaceReasonAndMend(expected: FaultCase) throws {
        let found = faults(expected.text)
        let fault = try #require(found.first)
        #expect(found.count == 1, "\(found)")
        #expect(fault.code == expected.code)
        #expect([fault.line, fault.column] == [expected.line, expected.column])
        #expect(fault.message == expected.message)
        #expect(fault.mend == expected.mend)
    }

    @Test(arguments: [
        "a.b", "a-b", "9a", "pg_catalog", "_auditlake", "\"\"", String(repeating: "a", count: 124),
    ])
    func aSchemaThatCannotBeTakenIsRefused(schema: String) {
        let text = databricksYAML().replacing("schema: databricks_audit", with: "schema: \(schema)")
        #expect(faults(text).map(\.code) == [.invalidValue])
    }

    @Test(arguments: ["audit", "AUDIT", "audit_gold"])
    func twoPipelinesCannotFillOneSchema(schema: String) {
        let entry = "{kind: databricks, source: {objects: /x/*}, schema: "
        let found = faults("lake: .\npipelines:\n  a: \(entry)audit}\n  b: \(entry)\(schema)}")
        #expect(
            found.map(\.message) == [
                "the tables of pipelines.b.schema “\(schema)” would mix with those of pipelines.a"
            ]
        )
        #expect(found.map(\.line) == [4])
    }

    @Test(
        arguments: ["audit", "AUDIT", "audit_gold", "other"],
        [true, false]
    )
    func aTableOfPostgresLiesInNoSchemaOfADatabricksPipeline(schema: String, isFirst: Bool) {
        let postgres = "  pg: {kind: postgres, source: {files: /x/*}, role: r, table: \(schema).logs}\n"
        let databricks = "  dbx: {kind: databricks, source: {objects: /x/*}, schema: Audit}\n"
        let found = faults(
            "lake: .\npipelines:\n" + (isFirst ? postgres + databricks : databricks + postgres)
        )
        guard schema != "other" else {
            #expect(found.isEmpty)
            return
        }
        #expect(found.map(\.code) == [.invalidValue])
        #expect(
            found.map(\.message) == [
                "pipelines.pg.table “\(schema).logs” lies in a schema of the databricks pipeline pipelines.dbx, which fills it alone"
            ]
        )
        #expect(found.map(\.mend) == ["choose another schema"])
        #expect(found.map(\.line) == [isFirst ? 3 : 4])
        #expect(found.map(\.column) == [63])
    }

    @Test func noFaultShowsTheValueOfAVariable() {
        for (old, new, value) in [
            ("\"logs/**/*.json\"", "\"${S}\"", "s3://hunter2!"),
            ("\"logs/**/*.json\"", "\"${S}\"", "gs://hunter2"),
            ("schema: databricks_audit", "schema: ${S}", "hunter2!"),
            ("schema: databricks_audit", "schema: s\n    strip: [\"${S}\"]", "hunter2"),
            ("schema: databricks_audit", "schema: s\n    on_change: ${S}", "hunter2"),
        ] {
            let found = faults(databricksYAML().replacing(old, with: new), environment: ["S": value])
            #expect(found.count == 1)
            #expect(found.allSatisfy { !$0.description.contains("hunter2") })
        }
    }
}
