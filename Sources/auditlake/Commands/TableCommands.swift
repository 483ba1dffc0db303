import ArgumentParser
import DeltaTables
import Foundation

/// `auditlake tables`.
struct TablesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "List the lake's tables."
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "How to print them: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let reading = try LakeReading(try options.load())
            var rows: [[Cell]] = []
            for name in try reading.lake.tables() {
                guard let table = try reading.lake.table(name) else { continue }
                let size = try table.size()
                rows.append([
                    .text(name.description), .number(table.head.version), .number(size.rows),
                    .number(Int64(size.files)), .number(size.bytes),
                ])
            }
            try printRows(["table", "version", "rows", "files", "bytes"], rows, format: format)
        }
    }
}

/// `auditlake describe`.
struct DescribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show a table's columns."
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The table.")
    var table: String

    @Option(help: "How to print them: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let reading = try LakeReading(try options.load())
            let columns = try reading.quarantineColumns(named: table) ?? reading.table(table).table.columns()
            let rows = columns.map { column -> [Cell] in
                [
                    .text(column.name), .text(column.type), .text(column.isNullable ? "yes" : "no"),
                    .text(column.isPartition ? "yes" : "no"),
                ]
            }
            try printRows(["column", "type", "nullable", "partition"], rows, format: format)
        }
    }
}

/// `auditlake history`.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what was done to a table, newest first."
    )

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The table.")
    var table: String

    @Option(help: "The most entries to show.")
    var limit = 20

    @Option(help: "How to print them: table or json.")
    var format = OutputFormat.table

    func run() async throws {
        try await reporting {
            let reading = try LakeReading(try options.load())
            try reading.refuseView(table)
            let events = try reading.table(table).table.history(limit: limit)
            let rows = events.map { event -> [Cell] in
                [
                    .number(event.version), event.time.map { .text(Self.text($0)) } ?? .none,
                    .text(event.operation ?? ""), event.batch.map { .number($0) } ?? .none,
                    .number(event.addedRows), .number(Int64(event.addedFiles)),
                    .number(Int64(event.removedFiles)), .number(event.addedBytes),
                ]
            }
            let header = [
                "version", "time", "operation", "batch", "rows", "files added", "files removed", "bytes",
            ]
            try printRows(header, rows, format: format)
        }
    }

    private static func text(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted)
        )
    }
}
