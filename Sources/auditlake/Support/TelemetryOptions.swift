import ArgumentParser
import Foundation
import Logging
import Telemetry

/// The options of a run that choose its logs and metrics.
struct TelemetryOptions: ParsableArguments {
    @Option(
        help: "How log lines are written: text or json; text when standard error is a terminal, else json."
    )
    var logFormat: LogFormat?

    @Option(
        help:
            "The least grave log level: trace, debug, info, notice, warning, error or critical; warning with --once, else info."
    )
    var logLevel: Logger.Level?

    @Option(help: "A file that receives the metrics every two seconds, in Prometheus' text format.")
    var metricsFile: String?

    @Option(help: "Serve /metrics and /healthz at this port.")
    var metricsPort: Int?

    @Option(help: "The address that --metrics-port listens at.")
    var metricsHost = "127.0.0.1"

    func validate() throws {
        if let metricsPort, !(1...65_535).contains(metricsPort) {
            throw ValidationError("--metrics-port is a number from 1 to 65535")
        }
    }

    /// What tells of a run.
    ///
    /// - Parameter isFollowing: The log is the run's output; else it is for what a person has to know.
    /// - Returns: Logs to standard error, and metrics as far as they are asked for.
    func telemetry(isFollowing: Bool) -> RunTelemetry {
        RunTelemetry(
            RunTelemetry.Options(
                logFormat: logFormat ?? (isatty(2) == 1 ? .text : .json),
                logLevel: logLevel ?? (isFollowing ? .info : .warning),
                metricsFile: metricsFile,
                metricsPort: metricsPort,
                metricsHost: metricsHost
            ),
            version: AuditLake.configuration.version,
            words: EventWords(remark: \.words, error: { ErrorReport($0).line }),
            clock: wallClock,
            write: writeLog
        )
    }
}

extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
