import ArgumentParser
import Catalog
import Configuration
import Foundation
import Pipelines

/// `auditlake trace`.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Go from a row to the bytes that it comes from, or from bytes to their row.",
        discussion: "Writes nothing, and never prints the bytes of a log file: they may hold secrets.",
        subcommands: [TraceRowCommand.self, TraceRecordCommand.self, TraceEventCommand.self]
    )
}

/// `auditlake trace row`.
struct TraceRowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "row",
        abstract: "From a row of PostgreSQL's to file and byte."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The row's session_id.")
    var session: String

    @Option(help: "The row's extra.session_line_num.")
    var line: Int64

    @Option(help: "The row's extra.node, where servers share session ids.")
    var node: String?

    @Option(help: "The table; all tables of the configuration when none is named.")
    var table: String?

    @Option(help: "How to print what is found: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let reading = try LakeReading(configuration)
            let identity = RecordIdentity(session: session, line: line)
            let wanted = try table.map { try reading.table($0).name }
            var traces: [RowTrace] = []
            var rowCount = 0
            for settings in try configuration.allSettings() where wanted == nil || wanted == settings.table {
                guard try reading.lake.table(settings.table) != nil,
                    let trace = try SourceTrace(settings, lake: reading.lake)
                else { continue }
                for row in try await RowLookup(reading: reading).rows(
                    of: identity,
                    in: settings.table,
                    node: node
                ) {
                    rowCount += 1
                    // Of several pipelines that feed one table only that of the batch has made the row.
                    let places = try trace.places(of: identity, ingestedAt: row.ingestedAt)
                    if !places.isEmpty { traces.append(RowTrace(settings, row, places)) }
                }
            }
            guard !traces.isEmpty else { throw notFound(rowCount) }
            try say(format == .json ? try traces.json : traces.map(\.text).joined(separator: "\n"))
        }
    }

    private func notFound(_ rowCount: Int) -> UsageError {
        let name = "session \(session) and line \(line)\(node.map { " of node \($0)" } ?? "")"
        guard rowCount == 0 else {
            return UsageError(
                message: "\(rowCount) rows have \(name), but no batch of a configured pipeline has made them",
                mend: "bring the pipeline that fills the table back into the configuration"
            )
        }
        return UsageError(
            message: "no row has \(name)",
            mend:
                "look for it with: auditlake query \"select session_id, extra['session_line_num'], src from TABLE where ...\""
        )
    }
}

/// `auditlake trace record`.
struct TraceRecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "From a byte of a PostgreSQL log file to its row."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The log file, by its present name.")
    var file: String

    @Option(help: "The offset of a byte in it, from 0 on.")
    var byte: UInt64

    @Option(help: "How to print what is found: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let configuration = try options.load()
            let reading = try LakeReading(configuration)
            let path = URL(fileURLWithPath: file).standardizedFileURL.path
            var traces: [ByteTrace] = []
            for settings in try configuration.allSettings() {
                guard let trace = try SourceTrace(settings, lake: reading.lake) else { continue }
                let fate = try trace.fate(of: byte, in: path)
                guard fate != .foreign else { continue }
                var found = ByteTrace(settings, file: path, byte: byte, fate)
                if case .planned(let place, true) = fate {
                    try await found.findRows(of: place, settings, reading)
                }
                traces.append(found)
            }
            guard !traces.isEmpty else {
                throw UsageError(
                    message:
                        "no pipeline has read \(path), and none would: it is not there, or no pattern matches it",
                    mend:
                        "look for the files that are read with: auditlake status; for Databricks events: auditlake trace event"
                )
            }
            try say(format == .json ? try traces.json : traces.map(\.text).joined(separator: "\n"))
        }
    }
}

extension LakeConfiguration {
    /// What every pipeline that reads log files needs to run.
    fileprivate func allSettings() throws -> [PostgresPipelineSettings] {
        try pipelines.compactMap { pipeline in
            switch pipeline {
            case .postgres(let postgres): try settings(of: postgres)
            case .databricks, .customerCSV: nil
            }
        }
    }
}
