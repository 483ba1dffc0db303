import Foundation
import Testing

@testable import Configuration

@Suite struct LakeConfigurationTests {
    @Test func theSpoolIsBesideTheFileUnlessItIsToldOtherwise() throws {
        let standard = SpoolConfiguration(
            folder: "/etc/auditlake/spool",
            maxByteCount: 10_000_000_000,
            diskFloorByteCount: 5_000_000_000
        )
        #expect(try parse(yaml()).spool == standard)
        #expect(try parse(yaml(top: "lake: .\nspool: on")).spool == standard)
        #expect(try parse(yaml(top: "lake: .\nspool: off")).spool == nil)
        let own = SpoolConfiguration(folder: "/spool", maxByteCount: 1 << 30, diskFloorByteCount: 7)
        let text = "lake: .\nspool: {folder: /spool, max_bytes: 1GiB, disk_floor: 7}"
        #expect(try parse(yaml(top: text)).spool == own)
        #expect(try parse(yaml(top: text)).standardSpoolFolder == standard.folder)
    }

    @Test func smallestFileTakesTheDocumentedDefaults() throws {
        let configuration = try parse(yaml())
        #expect(configuration.lake.value == .folder("/etc/auditlake/lake"))
        #expect(configuration.catalog.value == "main")
        #expect(configuration.limits.memoryByteCount == 150_000_000)
        let pipeline = try pipeline(yaml())
        #expect(pipeline.name == "pg1")
        #expect(pipeline.files.map(\.value) == ["/logs/*.csv"])
        #expect(pipeline.role.value == "primary")
        #expect(pipeline.node.value == "pg1")
        #expect(pipeline.keep == .all)
        #expect(pipeline.fileFormat == .auto)
        #expect(pipeline.excludedRoles.isEmpty && pipeline.excludedApplications.isEmpty)
        #expect(pipeline.table.value == ConfiguredTable(schema: "audit", table: "logs"))
        #expect(pipeline.timeZone == nil)
        #expect(pipeline.redact)
        #expect(pipeline.statement == .normalized)
        #expect(pipeline.onDataLoss == .fail)
        #expect(pipeline.start == .earliest)
        #expect(pipeline.commitEvery == .seconds(1))
        #expect(pipeline.forgetAfter == .seconds(604_800))
        #expect(pipeline.currentLogfiles == nil)
        #expect(pipeline.maxRecordByteCount == 1_048_576)
        #expect(pipeline.batchByteCount == 1_000_000_000)
        #expect(pipeline.maxPendingByteCount == 134_217_728)
    }

    @Test func formatOfTheFilesCanBeGiven() throws {
        let text = yaml().replacing("{files:", with: "{format: jsonlog, files:")
        #expect(try pipeline(text).fileFormat == .jsonlog)
    }

    @Test func everyKeyIsTaken() throws {
        let text = yaml(
            top: "lake: s3://bucket/a/b/\ncatalog: prod\nlimits: {memory: 1GiB}",
            pipeline: """
                node: n1
                keep: audit
                exclude: {roles: [loader, "o'neil"], applications: auditlake}
                timezone: Europe/Berlin
                redact: off
                statement: verbatim
                bronze: false
                on_data_loss: continue
                start: latest
                commit_every: 250ms
                forget_after: 12h
                max_record_bytes: 2MiB
                batch_bytes: 64MB
                max_pending_bytes: 4096
                """
        )
        let configuration = try parse(text)
        #expect(configuration.lake.value == .s3(bucket: "bucket", prefix: "a/b"))
        #expect(configuration.catalog.value == "prod")
        #expect(configuration.limits.memoryByteCount == 1 << 30)
        let pipeline = try pipeline(text)
        #expect(pipeline.node.value == "n1")
        #expect(pipeline.keep == .audit)
        #expect(pipeline.excludedRoles.map(\.value) == ["loader", "o'neil"])
        #expect(pipeline.excludedApplications.map(\.value) == ["auditlake"])
        #expect(pipeline.timeZone?.value == "Europe/Berlin")
        #expect(!pipeline.redact)
        #expect(pipeline.statement == .verbatim)
        #expect(pipeline.onDataLoss == .continue)
        #expect(pipeline.start == .latest)
        #expect(pipeline.commitEvery == .milliseconds(250))
        #expect(pipeline.forgetAfter == .seconds(43_200))
        #expect(pipeline.maxRecordByteCount == 2 << 20)
        #expect(pipeline.batchByteCount == 64_000_000)
        #expect(pipeline.maxPendingByteCount == 4096)
    }

    @Test(arguments: [
        ("earliest", StartPoint.earliest), ("latest", .latest),
        ("2026-11-21", .time(1_795_219_200_000_000)),
        ("2026-11-21 10:00:00", .time(1_795_255_200_000_000)),
        ("2026-11-21T10:00:00Z", .time(1_795_255_200_000_000)),
        ("\"2026-11-21 10:00:00.250+01:00\"", .time(1_795_251_600_250_000)),
    ])
    func startIsAWordOrATime(text: String, start: StartPoint) throws {
        #expect(try pipeline(yaml(pipeline: "start: \(text)")).start == start)
    }

    @Test func theServerItselfMayNameItsFiles() throws {
        let text = yaml().replacing("{files: /logs/*.csv}", with: "{current_logfiles: data/current_logfiles}")
        let pipeline = try pipeline(text)
        #expect(pipeline.files.isEmpty)
        #expect(pipeline.currentLogfiles?.value == "/etc/auditlake/data/current_logfiles")
    }

    @Test func pipelinesKeepTheOrderOfTheFile() throws {
        let entries = ["zeta", "alpha", "mid"].map {
            "  \($0): {kind: postgres, source: {files: /x}, role: r, table: s.t}"
        }
        let configuration = try parse("lake: .\npipelines:\n" + entries.joined(separator: "\n"))
        #expect(configuration.pipelines.map(\.name) == ["zeta", "alpha", "mid"])
        #expect(configuration.pipeline(named: "mid")?.name == "mid")
        #expect(configuration.pipeline(named: "none") == nil)
    }

    @Test func aFileWithoutPipelinesLoads() throws {
        #expect(try parse("lake: /data").pipelines.isEmpty)
        #expect(try parse("lake: /data\npipelines:").pipelines.isEmpty)
    }

    @Test(arguments: [
        ("./logs/*.csv", "/etc/auditlake/logs/*.csv"), ("../logs/a.json", "/etc/logs/a.json"),
        ("/var/log/*.csv", "/var/log/*.csv"), ("logs//x", "/etc/auditlake/logs/x"),
    ])
    func relativeFilesCountFromTheFolderOfTheFile(pattern: String, absolute: String) throws {
        let text = yaml().replacing("/logs/*.csv", with: "[\(pattern), /other]")
        #expect(try pipeline(text).files.map(\.value) == [absolute, "/other"])
    }

    @Test func aRelativeConfigurationPathCountsFromTheWorkingDirectory() throws {
        let configuration = try LakeConfiguration.parse("lake: x", path: "conf/a.yaml", environment: [:])
        let current = FileManager.default.currentDirectoryPath
        #expect(configuration.lake.value == .folder("\(current)/conf/x"))
    }

    @Test func anchorsAndMergedMappingsAreResolved() throws {
        let text = """
            lake: .
            pipelines:
              a: &base
                kind: postgres
                source: &files {files: /x}
                role: primary
                table: s.a
              b:
                <<: *base
                table: s.b
              c: {<<: [{role: replica}, *base], source: *files}
            """
        let pipelines = try parse(text).pipelines.map { pipeline in
            guard case .postgres(let pipeline) = pipeline else { throw AnotherKind() }
            return "\(pipeline.name) \(pipeline.role) \(pipeline.table) \(pipeline.node)"
        }
        #expect(pipelines == ["a primary s.a a", "b primary s.b b", "c replica s.a c"])
    }

    @Test func loadReadsTheFile() throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "auditlake.yaml")
            try Data("lake: lake".utf8).write(to: file)
            let configuration = try LakeConfiguration.load(path: file.path, environment: [:])
            #expect(configuration.lake.value == .folder("\(folder.path)/lake"))
        }
    }

    @Test func anUnreadableFileSaysWhatToDo() throws {
        let error = #expect(throws: InvalidConfiguration.self) {
            try LakeConfiguration.load(path: "/nonexistent/auditlake.yaml", environment: [:])
        }
        let fault = try #require(error?.faults.first)
        #expect(fault.code == .unreadableFile)
        #expect(fault.line == nil)
        #expect(
            fault.description.hasPrefix("/nonexistent/auditlake.yaml: the configuration cannot be read\n")
        )
        #expect(fault.mend.contains("auditlake init"))
    }
}
