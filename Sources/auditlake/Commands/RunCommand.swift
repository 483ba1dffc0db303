import ArgumentParser
import Catalog
import Configuration
import Foundation
import Intake
import Pipelines

/// `auditlake run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Bring what is new into the lake."
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The pipelines to run; all when none is named.")
    var pipelines: [String] = []

    @Flag(help: "Read what is there, then exit. The only mode of this release.")
    var once = false

    @Option(help: "How to print the summary: table or json.")
    var format = OutputFormat.table

    func validate() throws {
        guard once else { throw ValidationError("this release reads once: auditlake run --once") }
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let lake = try configuration.openableLake()
            StopSignal.listen()
            for pipeline in try configuration.pipelines(named: pipelines) {
                guard case .postgres(let postgres) = pipeline else { continue }
                try run(postgres, configuration, lake)
            }
        }
    }

    private func run(
        _ pipeline: PostgresPipelineConfiguration,
        _ configuration: LakeConfiguration,
        _ lake: Lake
    ) throws {
        let settings = try configuration.settings(of: pipeline)
        let line = ProgressLine(name: pipeline.name)
        let phases = PhasePipe(environment: ProcessInfo.processInfo.environment)
        let started = ContinuousClock.now
        let observer = PipelineObserver(
            phase: { phases?.note($0) },
            progress: line.show,
            isCancelled: StopSignal.isRaised
        )
        defer { line.end() }
        let summary = try PostgresPipeline.runOnce(settings, lake: lake, observer: observer, clock: wallClock)
        line.end()
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let report = RunReport(
            pipeline: pipeline.name,
            table: settings.table.description,
            summary: summary,
            seconds: seconds
        )
        print(format == .json ? try report.json : report.text)
    }
}
