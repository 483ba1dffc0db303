import Catalog

/// A pipeline of any kind, ready to run.
package enum PipelineSettings: Sendable {
    /// PostgreSQL logs into one table.
    case postgres(PostgresPipelineSettings)
    /// Databricks audit events into bronze, silver and gold.
    case databricks(DatabricksPipelineSettings)

    /// The pipeline's name.
    package var name: String {
        switch self {
        case .postgres(let settings): settings.name
        case .databricks(let settings): settings.name
        }
    }

    /// The table whose rows stand for the pipeline's.
    package var mainTable: TableName {
        switch self {
        case .postgres(let settings): settings.table
        case .databricks(let settings): settings.silver
        }
    }

    /// The table of what is no record.
    package var quarantine: TableName {
        switch self {
        case .postgres(let settings): settings.quarantine
        case .databricks(let settings): settings.quarantine
        }
    }

    /// Reads all that is there, batch by batch, and returns.
    ///
    /// Blocks; runs on threads of its own.
    ///
    /// - Parameters:
    ///   - lake: Receives the tables.
    ///   - observer: Is told what happens.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: What the run did.
    /// - Throws: As the pipeline's own `runOnce`.
    package func runOnce(
        lake: Lake,
        observer: PipelineObserver,
        clock: @escaping @Sendable () -> Int64
    ) throws -> RunSummary {
        switch self {
        case .postgres(let settings):
            try PostgresPipeline.runOnce(settings, lake: lake, observer: observer, clock: clock)
        case .databricks(let settings):
            try DatabricksPipeline.runOnce(settings, lake: lake, observer: observer, clock: clock)
        }
    }

    /// Reads what is there, then what comes, until it is asked to stop.
    ///
    /// - Parameters:
    ///   - lake: Receives the tables.
    ///   - observer: Is told what happens; `isCancelled` is not asked.
    ///   - stop: Ends the run.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: What the run did.
    /// - Throws: As `runOnce`, apart from what is tried again.
    package func follow(
        lake: Lake,
        observer: PipelineObserver,
        stop: StopRequest,
        clock: @escaping @Sendable () -> Int64
    ) async throws -> RunSummary {
        switch self {
        case .postgres(let settings):
            try await PostgresPipeline.follow(
                settings,
                lake: lake,
                observer: observer,
                stop: stop,
                clock: clock
            )
        case .databricks(let settings):
            try await DatabricksPipeline.follow(
                settings,
                lake: lake,
                observer: observer,
                stop: stop,
                clock: clock
            )
        }
    }
}
