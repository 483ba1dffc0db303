import ArgumentParser
import AuditFormats
import Catalog
import Configuration
import Foundation
import Intake
import ObjectStorage
import Pipelines
import Query

/// `auditlake check`.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look over configuration, files, permissions and the lake; change nothing."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "How to print the findings: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            var findings = [Finding(.good, options.config, "is valid")]
            let lake = try configuration.openableLake()
            findings += LakeCheck(lake).findings
            var sources: [SourceFiles] = []
            for pipeline in configuration.pipelines {
                let settings = try configuration.settings(of: pipeline)
                findings += tableFindings(settings, lake)
                switch settings {
                case .postgres(let settings):
                    let check = try SourceCheck(pipeline.name, settings)
                    findings += check.findings + SpoolCheck(settings, lake).findings
                    sources += check.files.map { [$0] } ?? []
                case .databricks, .customerCSV: findings += ObjectSourceCheck(settings)?.findings ?? []
                }
                if let load = try configuration.load(of: pipeline) {
                    findings.append(await WarehouseCheck(load, lake).finding())
                }
            }
            findings += try configuration.abandonedSpools().map(\.finding)
            findings += SourceConflict.find(among: sources).map { conflict in
                Finding(.bad, "pipelines", conflict.message, mend: conflict.mend)
            }
            findings.append(engineFinding)
            try say(
                format == .json ? try Finding.json(findings) : findings.map(\.text).joined(separator: "\n")
            )
            if findings.contains(where: { $0.level == .bad }) { throw ExitCode(ExitStatus.failure.rawValue) }
        }
    }

    /// What is wrong with the tables that a pipeline names.
    private func tableFindings(_ settings: PipelineSettings, _ lake: Lake) -> [Finding] {
        do {
            try settings.demandSourceOutside(lake)
            try settings.demandKnownLake(lake)
            try settings.demandSameTables(in: lake)
            return []
        } catch {
            let report = ErrorReport(error)
            return [Finding(.bad, settings.name, report.message, mend: report.mend)]
        }
    }

    private var engineFinding: Finding {
        do {
            let path = try EngineLocation.find(
                executable: Program.path,
                environment: ProcessInfo.processInfo.environment
            )
            return Finding(.good, "DuckDB", "is \(path)")
        } catch {
            return Finding(
                .warning,
                "DuckDB",
                error.message,
                mend: error.mend ?? "needed by auditlake query only"
            )
        }
    }
}

/// One thing that was looked at.
struct Finding: Encodable {
    enum Level: String, Encodable {
        case good = "ok"
        case warning
        case bad = "error"
    }

    var level: Level
    var subject: String
    var message: String
    var mend: String?

    init(_ level: Level, _ subject: String, _ message: String, mend: String? = nil) {
        self.level = level
        self.subject = subject
        self.message = message
        self.mend = mend
    }

    /// One or two lines for people.
    var text: String { "\(level.rawValue): \(subject): \(message)" + (mend.map { "\n    \($0)" } ?? "") }

    static func json(_ findings: [Finding]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(findings), as: UTF8.self)
    }
}
