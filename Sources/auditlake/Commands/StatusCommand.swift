import ArgumentParser
import Configuration
import Foundation
import Pipelines

/// `auditlake status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how far each pipeline has come; write nothing.",
        discussion:
            "Works while a run is going on. Lag is what no batch has yet; pending bytes are the beginning of a record whose end is not written yet."
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The pipelines to show; all when none is named.")
    var pipelines: [String] = []

    @Option(help: "How to print them: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let lake = try configuration.openableLake()
            for spool in try configuration.abandonedSpools() { writeError("warning: \(spool.line)") }
            var reports: [StatusReport] = []
            for pipeline in try configuration.pipelines(named: pipelines) {
                let settings = try configuration.settings(of: pipeline)
                do {
                    reports.append(StatusReport(try PipelineLooks(settings).look(lake, now: wallClock())))
                } catch {
                    // Without its lake nothing is known of a pipeline but what it keeps.
                    if let spool = try SpoolStatus.read(settings) {
                        let report = SpoolReport(spool)
                        try say(format == .json ? report.json : "\(settings.name)\n  \(report.text)")
                    }
                    throw error
                }
            }
            let text = reports.map(\.text).joined(separator: "\n\n")
            try say(format == .json ? try reports.json : text)
        }
    }
}
