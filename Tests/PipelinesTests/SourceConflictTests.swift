import AuditFormats
import Foundation
import Intake
import Pipelines
import Testing

@Suite struct SourceConflictTests {
    private func source(
        _ pipeline: String,
        _ formats: [String: LogFormat],
        node: String = "pg1",
        table: String = "audit.logs"
    ) -> SourceFiles {
        SourceFiles(pipeline: pipeline, node: node, table: table, formats: formats)
    }

    @Test func bothFormatsOfANodeAreRefusedWithinOnePipelineAndAcrossTwo() {
        let csv = ["/l/a.csv": LogFormat.csvlog]
        let json = ["/l/a.json": LogFormat.jsonlog]
        let within = SourceConflict.find(among: [source("a", csv.merging(json) { first, _ in first })])
        #expect(within.count == 1)
        #expect(within.first?.message.contains("/l/a.csv is csvlog, /l/a.json is jsonlog") == true)
        let across = SourceConflict.find(among: [source("a", csv), source("b", json, table: "AUDIT.logs")])
        #expect(across.first?.message.contains("pipelines a and b") == true)
        #expect(across.first?.mend.contains("/l/*.csv or /l/*.json") == true)
    }

    @Test func otherNodesTablesAndCollectorFilesAreNoConflict() {
        let csv = ["/l/a.csv": LogFormat.csvlog, "/l/a.log": .collector]
        let json = ["/l/a.json": LogFormat.jsonlog]
        #expect(SourceConflict.find(among: [source("a", csv), source("b", json, node: "pg2")]).isEmpty)
        #expect(
            SourceConflict.find(among: [source("a", csv), source("b", json, table: "audit.other")]).isEmpty
        )
    }

    @Test func fileThatTwoPipelinesReadIntoOneTableIsRefused() {
        let files = ["/l/a.csv": LogFormat.csvlog]
        let found = SourceConflict.find(among: [source("a", files), source("b", files, node: "pg2")])
        #expect(found == [.readTwice(path: "/l/a.csv", table: "audit.logs", pipelines: ["a", "b"])])
        #expect(SourceConflict.find(among: [source("a", files), source("b", files, table: "x.y")]).isEmpty)
    }

    @Test func runRefusesBothFormatsAndReadsNothing() throws {
        try PipelineFixture.with { lake in
            try lake.append(PipelineFixture.records(1...2))
            try lake.append(["{}\n"], to: "a.json")
            lake.settings.source = TailedFileSource(patterns: ["\(lake.root)/logs/*"], host: "host")
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceConflict)
            #expect(!FileManager.default.fileExists(atPath: "\(lake.lakePath)/\(lake.shard.plans)"))
        }
    }

    @Test func formatOfAFileStaysWhenItIsRenamed() throws {
        try PipelineFixture.with { lake in
            let line =
                #"{"timestamp":"2026-11-21 06:22:00.545 UTC","session_id":"6b013888.7c2","line_num":1,"error_severity":"LOG","message":"m"}"#
            try lake.append([line + "\n"], to: "a.json")
            lake.settings.source = TailedFileSource(patterns: ["\(lake.root)/logs/*"], host: "host")
            #expect(try lake.run().rows == 1)
            try FileManager.default.moveItem(atPath: lake.logPath("a.json"), toPath: lake.logPath("b.csv"))
            try lake.append([line + "\n"], to: "b.csv")
            #expect(try lake.run().rows == 1)
        }
    }
}
