import Logging
import ObjectStorage
import Pipelines
import ServiceLifecycle
import Synchronization

/// What a run tells to logs and metrics.
///
/// As a service it samples the backlog, writes the metrics file and serves the metrics, as far as that was asked for, until
/// it is shut down; observers work without it.
package final class RunTelemetry: Service {
    /// What the command line asks for.
    package struct Options: Hashable, Sendable {
        /// How log lines are written.
        package var logFormat: LogFormat
        /// The least grave level that is written.
        package var logLevel: Logger.Level
        /// The file that receives the metrics; nil for none.
        package var metricsFile: String?
        /// The port that serves the metrics; nil for none.
        package var metricsPort: Int?
        /// The address that serves the metrics.
        package var metricsHost: String

        /// Creates options.
        package init(
            logFormat: LogFormat,
            logLevel: Logger.Level,
            metricsFile: String? = nil,
            metricsPort: Int? = nil,
            metricsHost: String = "127.0.0.1"
        ) {
            self.logFormat = logFormat
            self.logLevel = logLevel
            self.metricsFile = metricsFile
            self.metricsPort = metricsPort
            self.metricsHost = metricsHost
        }
    }

    /// Time between two looks at the backlog, and two versions of the metrics file.
    static let sampleInterval = Duration.seconds(2)

    /// Writes the run's log lines.
    package let logger: Logger
    /// The same for what a service group has to say: what it tells below an error is for its authors.
    package var groupLogger: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .error)
        return logger
    }

    let options: Options
    let words: EventWords
    private let version: String
    private let state = Mutex(State())

    private struct State {
        var pipelines: [String: PipelineMetrics] = [:]
        var backlogs: [String: @Sendable () throws -> PipelineBacklog] = [:]
        var isStopping = false
    }

    /// Creates telemetry that has nothing to tell yet.
    ///
    /// - Parameters:
    ///   - options: What is wanted.
    ///   - version: The release, for `auditlake_build_info`.
    ///   - words: How remarks and errors read.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    ///   - write: Receives whole log lines; called from any thread.
    package init(
        _ options: Options,
        version: String,
        words: EventWords,
        clock: @escaping @Sendable () -> Int64,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.options = options
        self.version = version
        self.words = words
        logger = Logger(label: "auditlake") { _ in
            LineLogHandler(format: options.logFormat, level: options.logLevel, clock: clock, write: write)
        }
    }

    // MARK: Pipelines

    /// Receives a pipeline's events: logs them and counts them.
    ///
    /// - Parameters:
    ///   - pipeline: The pipeline's name; its metrics begin at zero with this call.
    ///   - backlog: Looks what lies unread, without writing; called on a thread of its own, and only when metrics are
    ///     asked for.
    /// - Returns: What is to be called with each event.
    package func events(
        of pipeline: String,
        backlog: @escaping @Sendable () throws -> PipelineBacklog
    ) -> @Sendable (PipelineEvent) -> Void {
        state.withLock { state in
            state.pipelines[pipeline] = PipelineMetrics()
            state.backlogs[pipeline] = backlog
        }
        var logger = logger
        logger[metadataKey: "pipeline"] = .string(pipeline)
        let events = EventLog(logger: logger, words: words) { path in
            (try? PosixFileSystem().status(path))?.byteCount
        }
        return { [self] event in
            state.withLock { $0.pipelines[pipeline]?.apply(event) }
            events.log(event)
        }
    }

    /// Logs that a pipeline begins to run.
    package func started(_ pipeline: String, table: String) {
        logger.info(
            "started; fills \(table)",
            metadata: ["event": "pipeline_started", "pipeline": .string(pipeline), "table": .string(table)]
        )
    }

    /// Logs that the run was asked to stop: once, however many pipelines hear of it.
    package func stopping() {
        let isFirst = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        guard isFirst else { return }
        logger.info("stopping; an open batch is finished first", metadata: ["event": "stopping"])
    }

    /// Counts a failure that ends a pipeline's run; whoever catches the error says it.
    package func failed(_ pipeline: String) { state.withLock { $0.pipelines[pipeline]?.fail() } }

    // MARK: Metrics

    /// The metrics as Prometheus reads them.
    package func exposition() -> String {
        let pipelines = state.withLock { $0.pipelines }
        return Exposition(pipelines, process: ProcessUsage.current(), version: version).text
    }

    /// What is wrong; nil when no pipeline's last step failed.
    func complaint() -> String? {
        let failing = state.withLock { $0.pipelines.filter(\.value.isFailing).keys.sorted() }
        return failing.isEmpty ? nil : "failing: \(failing.joined(separator: ", "))"
    }

    /// Looks at every pipeline's backlog.
    ///
    /// What the look cannot see keeps its last value: a look must not end a run.
    func sample() {
        // Without its lake a look would only wait.
        let looks = state.withLock { state in
            state.backlogs.filter { state.pipelines[$0.key]?.spool.isOpen != true }
        }
        for (name, look) in looks {
            do {
                let backlog = try look()
                state.withLock { $0.pipelines[name]?.backlog = backlog }
            } catch {
                logger.debug(
                    "the backlog cannot be looked at: \(words.error(error))",
                    metadata: ["event": "backlog_unknown", "pipeline": .string(name)]
                )
            }
        }
    }

    // MARK: Service

    /// Whether metrics are asked for, so that there is something to run.
    package var isServing: Bool { options.metricsFile != nil || options.metricsPort != nil }

    /// Samples, writes and serves until the service group shuts down; the metrics file is then written once more.
    ///
    /// - Throws: What the server throws, such as for a port that is taken. A metrics file that cannot be written is a
    ///   warning.
    package func run() async throws {
        guard isServing else { return try await gracefulShutdown() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.keepSampling() }
            if let port = options.metricsPort { group.addTask { try await self.serve(at: port) } }
            // The first failure ends the others; waiting for all would keep it unsaid.
            while try await group.next() != nil {}
        }
    }

    private func serve(at port: Int) async throws {
        let server = MetricsServer(
            host: options.metricsHost,
            port: port,
            logger: logger,
            metrics: { self.exposition() },
            complaint: { self.complaint() }
        )
        do {
            try await server.run()
        } catch is CancellationError {
            return
        } catch {
            logger.debug("\(error)", metadata: ["event": "metrics_server_failed"])
            throw MetricsError(
                message:
                    "metrics cannot be served at \(options.metricsHost):\(port): the port is taken, or this user may not listen there",
                mend: "choose another port with --metrics-port, or another address with --metrics-host"
            )
        }
    }

    private func keepSampling() async throws {
        let file = options.metricsFile.map { MetricsFile(path: $0, logger: logger) }
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    try await self.write(to: file)
                    try await Task.sleep(for: Self.sampleInterval)
                }
            }
        } catch is CancellationError {
            try await write(to: file)
        }
    }

    private func write(to file: MetricsFile?) async throws {
        try await WorkerThread.run(stackByteCount: 512 << 10) {
            self.sample()
            file?.replace(with: self.exposition())
        }
    }
}

/// Metrics that cannot be told.
package struct MetricsError: Error, Hashable, Sendable {
    /// What failed.
    package var message: String
    /// What a person can do.
    package var mend: String
}
