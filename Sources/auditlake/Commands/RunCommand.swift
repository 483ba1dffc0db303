import ArgumentParser
import Catalog
import Configuration
import Foundation
import Intake
import Pipelines
import ServiceLifecycle
import Telemetry

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

    @OptionGroup var telemetryOptions: TelemetryOptions

    func validate() throws {
        guard once else { throw ValidationError("this release reads once: auditlake run --once") }
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let lake = try configuration.openableLake()
            let pipelines = try configuration.pipelines(named: pipelines)
            let telemetry = telemetryOptions.telemetry(isFollowing: false)
            StopSignal.listen()
            try await serving(telemetry) {
                var unsaid: (any Error)?
                for case .postgres(let pipeline) in pipelines {
                    let report = try await run(pipeline, configuration, lake, telemetry)
                    // The other pipelines run all the same.
                    do { try say(format == .json ? report.json : report.text) } catch { unsaid = error }
                }
                if let unsaid { throw unsaid }
            }
        }
    }

    /// Runs `body` beside the metrics that were asked for.
    private func serving(_ telemetry: RunTelemetry, _ body: () async throws -> Void) async throws {
        guard telemetry.isServing else { return try await body() }
        let group = ServiceGroup(services: [telemetry], logger: telemetry.logger)
        async let service: Void = group.run()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        await group.triggerGracefulShutdown()
        try outcome.get()
        try await service
    }

    private func run(
        _ pipeline: PostgresPipelineConfiguration,
        _ configuration: LakeConfiguration,
        _ lake: Lake,
        _ telemetry: RunTelemetry
    ) async throws -> RunReport {
        let settings = try configuration.settings(of: pipeline)
        let line = ProgressLine(name: pipeline.name)
        let phases = PhasePipe(environment: ProcessInfo.processInfo.environment)
        let started = ContinuousClock.now
        let watch = RunWatch(settings, lake, telemetry)
        let observer = PipelineObserver(
            phase: { phases?.note($0) },
            progress: line.show,
            event: watch.note,
            isCancelled: StopSignal.isRaised
        )
        defer { line.end() }
        let summary = try await watch.watching {
            try await WorkerThread.run(stackByteCount: 512 << 10) {
                try PostgresPipeline.runOnce(settings, lake: lake, observer: observer, clock: wallClock)
            }
        }
        line.end()
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        return RunReport(
            pipeline: pipeline.name,
            table: settings.table.description,
            summary: summary,
            seconds: seconds
        )
    }
}
