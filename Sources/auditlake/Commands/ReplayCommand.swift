import ArgumentParser
import Catalog
import Configuration
import Foundation
import Pipelines
import Query
import Synchronization

/// `auditlake replay`.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Make silver or gold again from bronze, show what changes, and swap it in with --apply.",
        discussion:
            "Rows come from bronze by today's release and settings. Without --apply nothing is written to any table. Days are those of the column date, both included."
    )

    enum Layer: String, ExpressibleByArgument, CaseIterable {
        case silver, gold
    }

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "What to make again: silver or gold.")
    var layer: Layer

    @Argument(help: "The pipeline; may be left out when there is one of kind databricks.")
    var pipeline: String?

    @Option(help: "The first day of events, YYYY-MM-DD; all when it is left out.")
    var from: String?

    @Option(help: "The last day of events, YYYY-MM-DD; all when it is left out.")
    var to: String?

    @Flag(help: "Put the new rows in the place of the old ones, each table in one commit.")
    var apply = false

    @Option(help: "How to print the differences: table or json.")
    var format = OutputFormat.table

    func validate() throws {
        for (name, text) in [("--from", from), ("--to", to)] {
            guard let text else { continue }
            guard UTCDay.days(text) != nil else {
                throw ValidationError("\(name) \(text): a day is written YYYY-MM-DD, as 2026-01-31")
            }
        }
        if let first = days.from, let last = days.to, first > last {
            throw ValidationError("--from is later than --to")
        }
    }

    private var days: DayRange {
        DayRange(from: from.flatMap(UTCDay.days), to: to.flatMap(UTCDay.days))
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let settings = try settings(configuration)
            let lake = try configuration.openableLake()
            StopSignal.listen()
            let phases = PhasePipe(environment: ProcessInfo.processInfo.environment)
            let observer = PipelineObserver(
                phase: { phases?.note($0) },
                isCancelled: StopSignal.isRaised
            )
            let request = DatabricksReplay.Request(
                layer: layer == .silver ? .silver : .gold,
                days: days,
                mayApply: apply
            )
            let engine = try configuration.queryEngine()
            let replay = try await WorkerThread.run(stackByteCount: 512 << 10) {
                try DatabricksReplay.make(
                    request,
                    settings,
                    lake: lake,
                    observer: observer,
                    clock: wallClock
                )
            }
            defer { replay.discard() }
            var reports = try await differences(of: replay, engine)
            do {
                if apply { try await swap(replay, &reports) }
            } catch {
                // What was swapped before the failure is worth knowing.
                try say(ReplayReport.print(reports, .failed, format: format))
                throw error
            }
            try say(ReplayReport.print(reports, apply ? .applied : .compared, format: format))
        }
    }

    private func settings(_ configuration: LakeConfiguration) throws -> DatabricksPipelineSettings {
        let candidates = try configuration.pipelines(named: pipeline.map { [$0] } ?? []).compactMap {
            pipeline in
            if case .databricks(let pipeline) = pipeline { pipeline } else { nil }
        }
        guard let found = candidates.first, candidates.count == 1 else {
            let names = candidates.map(\.name).joined(separator: ", ")
            throw UsageError(
                message: candidates.isEmpty
                    ? "\(pipeline.map { "the pipeline \($0)" } ?? "no pipeline") is of kind databricks, which has silver and gold"
                    : "there are several pipelines with silver and gold: \(names)",
                mend: "name a pipeline of kind databricks: auditlake replay \(layer.rawValue) PIPELINE",
                status: .configuration
            )
        }
        return try configuration.settings(of: found)
    }

    private func differences(
        of replay: DatabricksReplay,
        _ engine: QueryEngine
    ) async throws -> [ReplayReport] {
        let limits = QueryLimits(
            memoryByteCount: 1_000_000_000,
            threadCount: ProcessInfo.processInfo.activeProcessorCount
        )
        var reports: [ReplayReport] = []
        for table in replay.tables {
            guard !StopSignal.isRaised() else {
                throw PipelineError(
                    code: .cancelled,
                    message: "the replay was stopped; no table was changed",
                    mend: "run it again"
                )
            }
            let difference = try await engine.compare(TableComparison(table), limits: limits)
            reports.append(ReplayReport(table, difference))
        }
        return reports
    }

    private func swap(_ replay: DatabricksReplay, _ reports: inout [ReplayReport]) async throws {
        for report in reports {
            let count = report.difference.movedAway + report.difference.movedIn
            guard count == 0 else {
                throw UsageError(
                    message:
                        "\(count) rows of \(report.table) change from a day in the range to one outside, or the other way round: nothing was swapped",
                    mend: "take in more days with --from and --to, or leave them out"
                )
            }
        }
        let wanted = Set(
            zip(replay.tables, reports).filter { $1.isChange }.map { table, _ in table.name }
        )
        let versions = Mutex<[String: Int64]>([:])
        let outcome: Result<Void, any Error>
        do {
            try await WorkerThread.run(stackByteCount: 512 << 10) { [replay] in
                try replay.apply(wanted) { name, version in
                    versions.withLock { $0[name.description] = version }
                }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        let swapped = versions.withLock { $0 }
        for index in reports.indices { reports[index].version = swapped[reports[index].table] }
        try outcome.get()
    }
}

extension TableComparison {
    /// Compares a table with what a replay made of it.
    fileprivate init(_ table: ShadowTable) {
        func columns(_ isPartition: Bool) -> [QueryColumn] {
            table.columns.filter { $0.isPartition == isPartition }.map { QueryColumn($0.name, $0.engineType) }
        }
        self.init(
            before: table.liveFiles,
            after: table.shadowFiles,
            othersBefore: table.otherLiveFiles,
            othersAfter: table.foreignFiles,
            columns: columns(false),
            partitionColumns: columns(true),
            key: table.key,
            order: table.order,
            paths: table.comparedPaths
        )
    }
}
