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

    @Flag(help: "Read what is there and exit, or follow the files until Ctrl-C or SIGTERM.")
    var mode: Mode

    @Option(help: "Layers of Databricks pipelines to bring forward: all, bronze,silver or gold.")
    var only = Layers.all

    @Option(help: "How to print the summary of a run --once: table or json.")
    var format = OutputFormat.table

    @OptionGroup var telemetryOptions: TelemetryOptions

    enum Mode: String, EnumerableFlag {
        case once, follow
    }

    enum Layers: String, ExpressibleByArgument, CaseIterable {
        case all
        case bronzeAndSilver = "bronze,silver"
        case gold
    }

    /// A pipeline with the layers that were asked for.
    private func layered(_ settings: PipelineSettings) throws -> PipelineSettings {
        switch (settings, only) {
        case (_, .all): return settings
        case (.postgres, _), (.customerCSV, _):
            throw UsageError(
                message: "the pipeline \(settings.name) has no layers \(only.rawValue)",
                mend: "name the pipelines of kind databricks to run"
            )
        case (.databricks(var databricks), .bronzeAndSilver):
            databricks.layers = .bronzeAndSilver
            return .databricks(databricks)
        case (.databricks(var databricks), .gold):
            databricks.layers = .gold
            return .databricks(databricks)
        }
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            var lake = try configuration.openableLake()
            // Where one pipeline knows a lake, no other begins one.
            let all = try configuration.pipelines.map(configuration.settings)
            lake.demandNew = { [lake] in for settings in all { try settings.demandKnownLake(lake) } }
            let settings = try configuration.pipelines(named: pipelines)
                .map(configuration.settings).map(layered)
            let telemetry = telemetryOptions.telemetry(isFollowing: mode == .follow)
            for spool in try configuration.abandonedSpools() { spool.tell(telemetry.logger) }
            switch mode {
            case .once: try await readOnce(settings, lake, telemetry)
            case .follow: try await follow(settings, lake, telemetry)
            }
        }
    }

    // MARK: Follow

    /// Every pipeline at once, each on a thread of its own; when one ends with an error, the others finish their batch.
    private func follow(
        _ settings: [PipelineSettings],
        _ lake: Lake,
        _ telemetry: RunTelemetry
    ) async throws {
        let phases = PhasePipe(environment: ProcessInfo.processInfo.environment)
        var services: [any Service] = settings.map { settings in
            FollowService(settings: settings, lake: lake, telemetry: telemetry, phases: phases)
        }
        if telemetry.isServing { services.append(telemetry) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { service in
                    // Whatever ends, the others finish what they are at, and the process ends with them.
                    ServiceGroupConfiguration.ServiceConfiguration(
                        service: service,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup
                    )
                },
                gracefulShutdownSignals: [.sigint, .sigterm],
                logger: telemetry.groupLogger
            )
        )
        try await group.run()
    }

    // MARK: Once

    /// One pipeline after the other.
    private func readOnce(
        _ settings: [PipelineSettings],
        _ lake: Lake,
        _ telemetry: RunTelemetry
    ) async throws {
        StopSignal.listen()
        try await serving(telemetry) {
            var firstFailure: (any Error)?
            for settings in settings {
                // A pipeline that fails does not keep the others from running, unless the run is stopped.
                do {
                    let report = try await readOnce(settings, lake, telemetry)
                    try say(format == .json ? report.json : report.text)
                } catch let error as PipelineError where error.code == .cancelled {
                    throw error
                } catch {
                    if firstFailure == nil {
                        firstFailure = error
                    } else {
                        writeError("error: \(ErrorReport(error).line)")
                    }
                }
            }
            if let firstFailure { throw firstFailure }
        }
    }

    /// Runs `body` beside the metrics that were asked for.
    private func serving(_ telemetry: RunTelemetry, _ body: () async throws -> Void) async throws {
        guard telemetry.isServing else { return try await body() }
        let group = ServiceGroup(services: [telemetry], logger: telemetry.groupLogger)
        async let service: Void = group.run()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        await group.triggerGracefulShutdown()
        try outcome.get()
        try await service
    }

    private func readOnce(
        _ settings: PipelineSettings,
        _ lake: Lake,
        _ telemetry: RunTelemetry
    ) async throws -> RunReport {
        let line = ProgressLine(name: settings.name)
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
                try settings.runOnce(lake: lake, observer: observer, clock: wallClock)
            }
        }
        line.end()
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        return RunReport(settings, summary: summary, seconds: seconds)
    }
}
