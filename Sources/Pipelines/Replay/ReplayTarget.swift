import Catalog
import Columnar

/// The layer that is made again.
package enum ReplayLayer: String, CaseIterable, Sendable {
    /// The cleaned events.
    case silver
    /// The tables of the services.
    case gold
}

/// Days of events, both ends included.
package struct DayRange: Hashable, Sendable {
    /// The first day, in days since 1970-01-01; nil for no limit.
    package var from: Int64?
    /// The last day, in days since 1970-01-01; nil for no limit.
    package var to: Int64?

    /// Creates a range; without ends it holds every day.
    package init(from: Int64? = nil, to: Int64? = nil) {
        self.from = from
        self.to = to
    }

    /// Whether a day belongs to the range.
    package func contains(_ day: Int64) -> Bool { day >= from ?? .min && day <= to ?? .max }

    /// Whether every day belongs to it.
    var isEverything: Bool { from == nil && to == nil }

    /// Whether a partition belongs to the range; one that names no day does only when every day does.
    func contains(partition: String?) -> Bool {
        isEverything || partition.flatMap(UTCDay.days).map(contains) ?? false
    }
}

/// Which rows a replay makes and where they lie.
struct ReplayTarget {
    /// Columns that tell an event.
    static let keys = ["event_id", "source", "source_offset", "ingest_ts"]
    /// Columns that tell a record in the quarantine.
    static let quarantineKeys = ["source", "source_offset", "ingest_ts"]

    /// What is made.
    var layer: ReplayLayer
    /// The days that are made.
    var days: DayRange
    /// A folder of the lake for files that no table gets.
    var scratch: String
    /// Whether the files can become a table's: they lie in its folder, and tables that are not there are made.
    var makesTables: Bool

    /// The folder of a table's rows.
    func folder(of table: TableName) -> String {
        makesTables ? table.folder : "\(scratch)/rows/\(table.folder)"
    }

    /// The folder of what tells the rows of other days.
    func foreignFolder(of table: TableName) -> String { "\(scratch)/foreign/\(table.folder)" }

    /// The folder of what goes to the quarantine today.
    var quarantineFolder: String { "\(scratch)/quarantine" }

    /// The columns of a batch that tell its rows.
    static func keys(of batch: RecordBatch) -> RecordBatch {
        let chosen = batch.schema.indices.filter { keys.contains(batch.schema[$0].name) }
        return RecordBatch(
            schema: chosen.map { batch.schema[$0] },
            columns: chosen.map { batch.columns[$0] },
            rowCount: batch.rowCount
        )
    }
}
