import Catalog

/// A pipeline of any kind, ready to run.
package enum PipelineSettings: Sendable {
    /// PostgreSQL logs into one table.
    case postgres(PostgresPipelineSettings)
    /// Databricks audit events into bronze, silver and gold.
    case databricks(DatabricksPipelineSettings)
    /// CSV files of customers into one table.
    case customerCSV(CustomerCSVPipelineSettings)

    /// The pipeline's name.
    package var name: String {
        switch self {
        case .postgres(let settings): settings.name
        case .databricks(let settings): settings.name
        case .customerCSV(let settings): settings.name
        }
    }

    /// The table whose rows stand for the pipeline's.
    package var mainTable: TableName {
        switch self {
        case .postgres(let settings): settings.table
        case .databricks(let settings): settings.silver
        case .customerCSV(let settings): settings.table
        }
    }

    /// What a run fills, in words: its main table, or the schema of the tables that were left for later.
    package var target: String {
        guard case .databricks(let settings) = self, settings.layers == .gold else {
            return mainTable.description
        }
        return "\(settings.catalog).\(settings.goldSchema)"
    }

    /// The table of what is no record.
    package var quarantine: TableName {
        switch self {
        case .postgres(let settings): settings.quarantine
        case .databricks(let settings): settings.quarantine
        case .customerCSV(let settings): settings.quarantine
        }
    }

    /// The delivered objects that the pipeline reads; nil for one that reads something else.
    package var objects: ObjectIntakeSettings? {
        switch self {
        case .postgres: nil
        case .databricks(let settings): settings.objects
        case .customerCSV(let settings): settings.objects
        }
    }

    /// Reads all that is there, batch by batch, and returns.
    ///
    /// Blocks; runs on threads of its own.
    ///
    /// A process that is killed at any instant leaves a state from which the next run goes on without losing a row or
    /// adding one twice; so does another process that runs the same pipeline at the same time.
    ///
    /// - Parameters:
    ///   - lake: Receives the tables.
    ///   - observer: Is told what happens.
    ///   - clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: What the run did.
    /// - Throws: `PipelineError`, `ShardError`, `StorageError`, `Lake.LakeError`, `DeltaLogError`, `ParquetError`,
    ///   `CommitConflictError`. What was committed stays.
    package func runOnce(
        lake: Lake,
        observer: PipelineObserver = PipelineObserver(),
        clock: @escaping @Sendable () -> Int64
    ) throws -> RunSummary {
        try WorkerThread.run(stackByteCount: stackByteCount) {
            try PipelineDriver(work(lake: lake, observer: observer, clock: clock)).drain()
        }
    }

    /// Reads what is there, then what comes, until it is asked to stop.
    ///
    /// A batch has its receipt at the latest `commitInterval` after its records are complete, as long as the machine
    /// keeps up. What a person or time can mend, such as a full disk, is reported and tried again. An open batch is
    /// finished before the run ends.
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
        var observer = observer
        observer.isCancelled = { stop.isMade }
        let telling = observer
        return try await WorkerThread.run(stackByteCount: stackByteCount) {
            try PipelineDriver(work(lake: lake, observer: telling, clock: clock)).follow(until: stop)
        }
    }

    private func work(
        lake: Lake,
        observer: PipelineObserver,
        clock: @escaping @Sendable () -> Int64
    ) -> any PipelineWork {
        switch self {
        case .postgres(let settings):
            PostgresPipeline(settings: settings, lake: lake, observer: observer, clock: clock)
        case .databricks(let settings):
            DatabricksPipeline(settings: settings, lake: lake, observer: observer, clock: clock)
        case .customerCSV(let settings):
            CustomerCSVPipeline(settings: settings, lake: lake, observer: observer, clock: clock)
        }
    }

    /// Bytes of stack of the thread that parses.
    private var stackByteCount: Int {
        switch self {
        case .postgres: PostgresPipeline.stackByteCount
        case .databricks: DatabricksPipeline.stackByteCount
        case .customerCSV: CustomerCSVPipeline.stackByteCount
        }
    }
}
