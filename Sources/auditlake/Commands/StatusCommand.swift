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
            var reports: [StatusReport] = []
            for pipeline in try configuration.pipelines(named: pipelines) {
                let looks = PipelineLooks(try configuration.settings(of: pipeline))
                reports.append(StatusReport(try looks.look(lake, now: wallClock())))
            }
            let text = reports.map(\.text).joined(separator: "\n\n")
            try say(format == .json ? try reports.json : text)
        }
    }
}
