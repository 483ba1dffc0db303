import ArgumentParser
import Catalog
import Configuration
import DeltaTables
import Foundation
import Pipelines
import Warehouse

/// `auditlake load`.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Bring the main table of a pipeline into its warehouse, up to what the lake has now.",
        discussion: """
            Each batch comes into the target once, in one transaction with the note that it is there. What the lake has in \
            common with the target is not read again. --full builds the target anew from the lake's live rows, after a \
            replay, for example, and puts it into the place of the old one.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The pipelines; all that load when none is named.")
    var pipelines: [String] = []

    @Flag(help: "Build the target anew.")
    var full = false

    @Option(help: "How often in a row to try again after what may pass, such as a server that restarts.")
    var retries = WarehouseLoader.standardRetryLimit

    @Option(help: "How to print the result: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let reading = try LakeReading(configuration)
            let loads = try loads(configuration)
            StopSignal.listen()
            let phases = PhasePipe(environment: ProcessInfo.processInfo.environment)
            var outcomes: [LoadOutcome] = []
            do {
                for load in loads { outcomes.append(try await carryOut(load, reading.lake, phases)) }
            } catch {
                // What other pipelines have loaded stays loaded.
                if !outcomes.isEmpty { try say(LoadOutcome.print(outcomes, format: format)) }
                throw error
            }
            try say(LoadOutcome.print(outcomes, format: format))
        }
    }

    private func loads(_ configuration: LakeConfiguration) throws -> [PipelineLoad] {
        let loads = try configuration.pipelines(named: pipelines).map { pipeline in
            let load = try configuration.load(of: pipeline)
            guard load != nil || pipelines.isEmpty else {
                throw UsageError(
                    message: "the pipeline \(pipeline.name) loads nothing",
                    mend: "add to it: load: {warehouse: NAME, table: public.\(pipeline.name)}",
                    status: .configuration
                )
            }
            return load
        }
        .compactMap(\.self)
        guard !loads.isEmpty else {
            throw UsageError(
                message: "no pipeline loads into a warehouse",
                mend: "add to one: load: {warehouse: NAME, table: public.audit_logs}",
                status: .configuration
            )
        }
        return loads
    }

    private func carryOut(
        _ load: PipelineLoad,
        _ lake: Lake,
        _ phases: PhasePipe?
    ) async throws -> LoadOutcome {
        let (isFull, retryLimit) = (full, max(0, retries))
        return try await WorkerThread.run(stackByteCount: 1 << 20) {
            let started = ContinuousClock.now
            guard let name = TableName(load.task.lakeTable, defaultCatalog: ""),
                let table = try lake.table(name)
            else {
                return LoadOutcome(load, LoadReport(), .zero)
            }
            var loader = WarehouseLoader(
                name: load.warehouse,
                settings: load.settings,
                task: load.task,
                table: table
            )
            loader.retryLimit = retryLimit
            loader.isCancelled = StopSignal.isRaised
            loader.note = { phases?.note($0.rawValue) }
            loader.retrying = { error, pause in
                writeError("warning: \(error.message); trying again in \(pause.components.seconds) s")
            }
            let report = isFull ? try loader.rebuild() : try loader.bringForward()
            return LoadOutcome(load, report, ContinuousClock.now - started)
        }
    }
}

/// What a load of one pipeline came to.
struct LoadOutcome: Encodable, Sendable {
    /// The pipeline.
    var pipeline: String
    /// The warehouse and the table in it.
    var warehouse: String
    /// The table that received the rows.
    var target: String
    /// What was done.
    var report: LoadReport
    /// How long it took.
    var seconds: Double

    init(_ load: PipelineLoad, _ report: LoadReport, _ duration: Duration) {
        pipeline = load.task.pipeline
        warehouse = load.warehouse
        target = load.task.target.description
        self.report = report
        seconds =
            Double(duration.components.seconds) + Double(
                duration.components.attoseconds / 1_000_000_000_000_000
            ) / 1_000
    }

    private enum CodingKeys: String, CodingKey {
        case pipeline, warehouse, target, batches, rows, files, transactions, retries, seconds
        case replacedNULs = "replaced_nuls"
        case cutTexts = "cut_texts"
        case version = "lake_version"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pipeline, forKey: .pipeline)
        try container.encode(warehouse, forKey: .warehouse)
        try container.encode(target, forKey: .target)
        try container.encode(report.batches, forKey: .batches)
        try container.encode(report.rows, forKey: .rows)
        try container.encode(report.files, forKey: .files)
        try container.encode(report.transactions, forKey: .transactions)
        try container.encode(report.retries, forKey: .retries)
        try container.encode(report.replacedNULs, forKey: .replacedNULs)
        try container.encode(report.cutTexts, forKey: .cutTexts)
        try container.encode(report.version, forKey: .version)
        try container.encode(seconds, forKey: .seconds)
    }

    /// All outcomes, as a person or a program reads them.
    static func print(_ outcomes: [LoadOutcome], format: OutputFormat) throws -> String {
        if format == .json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(outcomes), as: UTF8.self)
        }
        return outcomes.map(\.text).joined(separator: "\n")
    }

    private var text: String {
        let seconds = String(format: "%.2f", seconds)
        var text =
            "\(pipeline) -> \(warehouse) \(target): \(report.rows) rows of \(report.batches) batches in \(seconds) s"
        if report.rows == 0, report.batches == 0 {
            text = "\(pipeline) -> \(warehouse) \(target): nothing new"
        }
        if report.replacedNULs > 0 { text += "; \(report.replacedNULs) NUL characters replaced" }
        if report.cutTexts > 0 { text += "; \(report.cutTexts) texts cut" }
        if report.retries > 0 { text += "; \(report.retries) retries" }
        return text
    }
}
