import ArgumentParser
import Catalog
import Configuration
import Foundation
import Intake
import Logging
import Pipelines
import ServiceLifecycle

/// `auditlake run`.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Bring what is new into the lake."
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The pipelines to run; all when none is named.")
    var pipelines: [String] = []

    @Flag(help: "Read what is there and exit, or follow the files until Ctrl-C or SIGTERM.")
    var mode: Mode

    @Option(help: "How to print the summary of a run --once: table or json.")
    var format = OutputFormat.table

    enum Mode: String, EnumerableFlag {
        case once, follow
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let lake = try configuration.openableLake()
            if mode == .follow { return try await follow(configuration, lake) }
            StopSignal.listen()
            for pipeline in try configuration.pipelines(named: pipelines) {
                guard case .postgres(let postgres) = pipeline else { continue }
                try run(postgres, configuration, lake)
            }
        }
    }

    /// Every pipeline at once, each on a thread of its own; when one ends with an error, the others finish their batch.
    private func follow(_ configuration: LakeConfiguration, _ lake: Lake) async throws {
        let phases = PhasePipe(environment: ProcessInfo.processInfo.environment)
        let services = try configuration.pipelines(named: pipelines).map { pipeline in
            switch pipeline {
            case .postgres(let postgres):
                FollowService(
                    settings: try configuration.settings(of: postgres),
                    lake: lake,
                    observer: PipelineObserver(phase: { phases?.note($0) })
                )
            }
        }
        var logger = Logger(label: "auditlake")
        logger.logLevel = .error
        let group = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigint, .sigterm],
            logger: logger
        )
        try await group.run()
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
