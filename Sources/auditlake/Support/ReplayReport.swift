import Foundation
import Pipelines
import Query

/// What a replay says of one table.
struct ReplayReport: Encodable {
    /// The table.
    var table: String
    /// How its rows differ.
    var difference: TableDifference
    /// Columns, and fields of structures, that the table gets.
    var columnsAdded: [String]
    /// Columns, and fields of structures, that nothing fills any more.
    var columnsMissing: [String]
    /// The version with the new rows; nil when the table was not swapped.
    var version: Int64?

    init(_ table: ShadowTable, _ difference: TableDifference) {
        self.table = table.name.description
        self.difference = difference
        columnsAdded = table.addedPaths.map { $0.joined(separator: ".") }
        columnsMissing = table.missingPaths.map { $0.joined(separator: ".") }
    }

    /// Whether a swap would change the table.
    var isChange: Bool { !difference.isEmpty || !columnsAdded.isEmpty }

    private enum CodingKeys: String, CodingKey {
        case table
        case rowsBefore = "rows_before"
        case rowsAfter = "rows_after"
        case onlyBefore = "only_before"
        case onlyAfter = "only_after"
        case changed
        case changes
        case columnsAdded = "columns_added"
        case columnsMissing = "columns_missing"
        case movedAway = "moved_out_of_range"
        case movedIn = "moved_into_range"
        case samples
        case version
    }

    private struct Samples: Encodable {
        var onlyBefore: [String]
        var onlyAfter: [String]
        var changed: [String]

        enum CodingKeys: String, CodingKey {
            case onlyBefore = "only_before"
            case onlyAfter = "only_after"
            case changed
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(table, forKey: .table)
        try container.encode(difference.rowsBefore, forKey: .rowsBefore)
        try container.encode(difference.rowsAfter, forKey: .rowsAfter)
        try container.encode(difference.onlyBefore, forKey: .onlyBefore)
        try container.encode(difference.onlyAfter, forKey: .onlyAfter)
        try container.encode(difference.changed, forKey: .changed)
        let changes = difference.changes.map { ($0.path.joined(separator: "."), $0.rows) }
        try container.encode(Dictionary(changes, uniquingKeysWith: +), forKey: .changes)
        try container.encode(columnsAdded, forKey: .columnsAdded)
        try container.encode(columnsMissing, forKey: .columnsMissing)
        try container.encode(difference.movedAway, forKey: .movedAway)
        try container.encode(difference.movedIn, forKey: .movedIn)
        let samples = Samples(
            onlyBefore: difference.samplesBefore,
            onlyAfter: difference.samplesAfter,
            changed: difference.samplesChanged
        )
        try container.encode(samples, forKey: .samples)
        try container.encode(version, forKey: .version)
    }
}

extension ReplayReport {
    /// What came of the swap.
    enum Outcome {
        /// It was not asked for.
        case compared
        /// Every table that differs was swapped.
        case applied
        /// It was refused, or failed on the way.
        case failed
    }

    /// All tables, as a person or a program reads them.
    static func print(_ reports: [ReplayReport], _ outcome: Outcome, format: OutputFormat) throws -> String {
        if format == .json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(reports), as: UTF8.self)
        }
        let header = ["table", "before", "after", "only before", "only after", "changed", "version"]
        let rows = reports.map { report -> [String] in
            let difference = report.difference
            let numbers = [
                difference.rowsBefore, difference.rowsAfter, difference.onlyBefore, difference.onlyAfter,
                difference.changed,
            ]
            return [report.table] + numbers.map(String.init) + [report.version.map { "\($0)" } ?? ""]
        }
        let details = reports.filter { $0.isChange || !$0.columnsMissing.isEmpty }.flatMap {
            ["", $0.table] + $0.details
        }
        let swapped = reports.filter { $0.version != nil }.count
        let differing = reports.filter(\.isChange).count
        let end =
            switch outcome {
            case .compared:
                "Nothing was changed. With --apply, \(differing) of \(reports.count) tables are swapped."
            case .applied:
                "\(swapped) of \(reports.count) tables swapped; the others are as today's parser makes them"
            case .failed where swapped == 0:
                "Nothing was changed: none of the \(differing) tables that differ was swapped."
            case .failed:
                "\(swapped) of the \(differing) tables that differ were swapped before the failure; the others are as they were."
            }
        return ([TextTable(header: header, rows: rows).text] + details + ["", end]).joined(separator: "\n")
    }

    private var details: [String] {
        func line(_ what: String, _ items: [String]) -> String? {
            items.isEmpty ? nil : "  \(what): \(items.joined(separator: ", "))"
        }
        let moved = [(difference.movedAway, "leave"), (difference.movedIn, "enter")].filter { $0.0 > 0 }
        return [
            line("columns added", columnsAdded),
            line("columns that nothing fills any more", columnsMissing),
            line(
                "values changed",
                difference.changes.map { "\($0.path.joined(separator: ".")) \($0.rows)" }
            ),
            line("events changed, such as", difference.samplesChanged),
            line("events only before, such as", difference.samplesBefore),
            line("events only after, such as", difference.samplesAfter),
            line("rows whose day changes", moved.map { "\($0) \($1) the range" }),
        ].compactMap(\.self)
    }
}
