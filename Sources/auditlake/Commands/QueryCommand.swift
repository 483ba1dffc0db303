import ArgumentParser
import Foundation
import Query

/// `auditlake query`.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask the lake's tables in SQL.",
        discussion:
            "Tables are schema.table or catalog.schema.table; _auditlake.quarantine holds what could not be read."
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv, parquet
    }

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "One or more statements of SQL.")
    var sql: String

    @Option(help: "The form of the result.")
    var format = Format.table

    @Option(name: .shortAndLong, help: "The file for --format parquet.")
    var output: String?

    @Option(help: "Seconds after which the query is ended.")
    var timeout: Int?

    @Option(help: "Memory of the engine, in megabytes.")
    var memory = 1_000

    func validate() throws {
        if format == .parquet, output == nil { throw ValidationError("--format parquet needs --output FILE") }
        if format != .parquet, output != nil { throw ValidationError("--output goes with --format parquet") }
        guard memory > 0 else { throw ValidationError("--memory is above zero") }
    }

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let reading = try LakeReading(configuration)
            let engine = try configuration.queryEngine()
            let limits = QueryLimits(
                memoryByteCount: memory * 1_000_000,
                timeout: timeout.map { .seconds($0) },
                threadCount: ProcessInfo.processInfo.activeProcessorCount
            )
            let scope = try reading.scope()
            do {
                try await cancelledBySignals { [sql, queryFormat] in
                    try await engine.run(
                        sql,
                        over: scope,
                        format: queryFormat,
                        to: .standardOutput,
                        limits: limits
                    )
                }
            } catch let error as QueryError where error.code == .outputClosed {
                return  // The reader has what it wanted, as `head` does.
            }
        }
    }

    private var queryFormat: QueryFormat {
        switch format {
        case .table: .table
        case .json: .json
        case .csv: .csv
        case .parquet: .parquet(path: URL(fileURLWithPath: output ?? "").path)
        }
    }
}
