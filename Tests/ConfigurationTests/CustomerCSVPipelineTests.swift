import Testing

@testable import Configuration

@Suite struct CustomerCSVPipelineTests {
    private static let key = ["K": "0123456789abcdef"]

    @Test func smallestPipelineTakesTheDocumentedDefaults() throws {
        let pipeline = try customerCSV(customerYAML())
        #expect(pipeline.name == "wau")
        #expect(pipeline.source.objects.map(\.value) == ["/etc/auditlake/csv/**/*.csv"])
        #expect(pipeline.table.value == ConfiguredTable(schema: "wau", table: "wau_audit_logs"))
        #expect(pipeline.customer == .column(Setting("customer")))
        #expect(pipeline.eventTimeColumn == nil && pipeline.maskKey == nil)
        #expect(pipeline.separator == .auto)
        #expect(pipeline.columnTypes.isEmpty && pipeline.excludedColumns.isEmpty && pipeline.masks.isEmpty)
        #expect(pipeline.source.onChange == .reingest, "rows that are there are known again")
        #expect(pipeline.source.verifyPrefix == .full)
        #expect(pipeline.onDataLoss == .fail)
        #expect(pipeline.commitEvery == .seconds(1) && pipeline.source.pollEvery == .seconds(5))
        #expect(pipeline.maxRecordByteCount == 1 << 20)
        #expect(pipeline.batchByteCount == 1_000_000_000)
    }

    @Test func everyKeyIsTaken() throws {
        let text = customerYAML(
            objects: "[\"s3://acme/csv/**/*.csv\"], window: 7d",
            pipeline: """
                customer: {path: "csv/{customer}/"}
                event_time: When
                separator: ";"
                columns: {Size: integer, at: {type: timestamp, format: "%d/%m/%Y %H:%M"}, ms: {type: timestamp, format: epoch_ms}}
                identity: {exclude: [unique_identifier, run]}
                mask: {IP: hash, agent: {truncate: 16}, secret: drop}
                mask_key: ${K}
                on_change: report
                on_data_loss: continue
                forget_after: 90d
                commit_every: 250ms
                poll_every: 1m
                max_record_bytes: 2MiB
                batch_bytes: 64MB
                """
        )
        let pipeline = try customerCSV(text, environment: Self.key)
        #expect(pipeline.source.listingDayCount == 7)
        #expect(pipeline.customer == .path(Setting("csv/{customer}/")))
        #expect(pipeline.eventTimeColumn?.value == "When")
        #expect(pipeline.separator == .semicolon)
        #expect(
            pipeline.columnTypes == [
                "size": .integer, "at": .timestamp(format: "%d/%m/%Y %H:%M"),
                "ms": .timestamp(format: "epoch_ms"),
            ]
        )
        #expect(pipeline.excludedColumns.map(\.value) == ["unique_identifier", "run"])
        #expect(pipeline.masks == ["ip": .hash, "agent": .truncate(16), "secret": .drop])
        #expect(pipeline.maskKey?.value == "0123456789abcdef")
        #expect(pipeline.maskKey?.description == "***")
        #expect(pipeline.source.onChange == .report)
        #expect(pipeline.onDataLoss == .continue)
        #expect(pipeline.source.forgetDayCount == 90)
        #expect(pipeline.commitEvery == .milliseconds(250))
        #expect(pipeline.source.pollEvery == .seconds(60))
        #expect(pipeline.maxRecordByteCount == 2 << 20)
        #expect(pipeline.batchByteCount == 64_000_000)
    }

    @Test(arguments: [
        ("customer: {}", "pipelines.wau.customer needs one of column and path"),
        (
            "customer: {column: a, path: \"{customer}/\"}",
            "pipelines.wau.customer needs one of column and path"
        ),
        ("customer: {path: csv}", "pipelines.wau.customer.path “csv” does not name {customer} once"),
        (
            "customer: {path: \"{customer}/{customer}/\"}",
            "pipelines.wau.customer.path “{customer}/{customer}/” does not name {customer} once"
        ),
        ("customer: name", "pipelines.wau.customer is not a mapping"),
        ("separator: \":\"", "pipelines.wau.separator cannot be “:”"),
        ("columns: {a: int}", "pipelines.wau.columns.a cannot be “int”"),
        ("columns: {a: text, A: text}", "pipelines.wau.columns has the column “A” twice"),
        (
            "columns: {a: {type: integer, format: \"%Y-%m-%d\"}}",
            "pipelines.wau.columns.a has a format and is “integer”"
        ),
        (
            "columns: {a: {type: timestamp, format: \"%Y-%m\"}}",
            "pipelines.wau.columns.a.format “%Y-%m” is no format of times"
        ),
        (
            "columns: {a: {type: timestamp, format: \"%Y-%m-%d %Q\"}}",
            "pipelines.wau.columns.a.format “%Y-%m-%d %Q” is no format of times"
        ),
        (
            "columns: {a: {type: timestamp, format: \"%Y-%m-%d %I\"}}",
            "pipelines.wau.columns.a.format “%Y-%m-%d %I” is no format of times"
        ),
        ("columns: {a: {format: \"%Y-%m-%d\"}}", "pipelines.wau.columns.a.type is missing"),
        ("mask: {a: sha}\nmask_key: ${K}", "pipelines.wau.mask.a cannot be “sha”"),
        (
            "mask: {a: {truncate: -1}}\nmask_key: ${K}",
            "pipelines.wau.mask.a.truncate “-1” is no number of characters"
        ),
        ("mask: {a: drop}", "pipelines.wau.mask_key is missing: a hash without a key can be guessed"),
        (
            "mask: {a: drop}\nmask_key: 0123456789abcdef",
            "pipelines.wau.mask_key stands in the file for all to read"
        ),
        ("mask: {a: drop}\nmask_key: ${SHORT}", "pipelines.wau.mask_key has fewer than 16 bytes"),
        ("verify_prefix: tail", "unknown key “verify_prefix” in pipelines.wau"),
        ("schema: x", "unknown key “schema” in pipelines.wau"),
    ])
    func aFaultSaysWhatAndWhere(pipeline: String, message: String) {
        let variables = Self.key.merging(["SHORT": "0123456789abcde"]) { $1 }
        let found = faults(customerYAML(pipeline: pipeline), environment: variables)
        #expect(found.map(\.message) == [message])
        #expect(found.allSatisfy { ($0.line ?? 0) >= 7 && !$0.mend.isEmpty })
        #expect(found.allSatisfy { !$0.description.contains("0123456789abcde") })
    }

    @Test func theTableLiesInNoSchemaOfADatabricksPipeline() {
        let text =
            databricksYAML()
            + "\n  c: {kind: customer_csv, source: {objects: /x}, table: databricks_audit_gold.t}"
        #expect(
            faults(text).map(\.message) == [
                "pipelines.c.table “databricks_audit_gold.t” lies in a schema of the databricks pipeline pipelines.databricks_audit, which fills it alone"
            ]
        )
    }
}
