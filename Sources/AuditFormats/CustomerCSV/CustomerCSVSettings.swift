import Columnar

/// What becomes of the values of a column before they are stored.
package enum ColumnMask: Hashable, Sendable {
    /// 32 hexadecimal digits of their HMAC: equal values stay equal.
    case hash
    /// The table does not have them.
    case drop
    /// So many of their first characters (Unicode scalars).
    case truncate(Int)
}

/// How CSV files of customers become rows.
///
/// Columns are named as their header names them; blanks around a name and the case of ASCII letters do not count.
package struct CustomerCSVSettings: Sendable {
    /// The byte between fields; nil to find it in each file's header among `,` `;` tab and `|`.
    package var separator: UInt8?
    /// The column that names the customer; it becomes the table's column `customer`.
    package var customerColumn: String?
    /// The column that tells when the event was; nil for `event_time`, else `timestamp`.
    package var eventTimeColumn: String?
    /// Types that are not to be inferred.
    package var declared: [String: CSVColumnType] = [:]
    /// Columns that do not count when records are told apart.
    package var excluded: Set<String> = []
    /// What is done to columns that hold what few may see.
    package var masks: [String: ColumnMask] = [:]
    /// The key of all hashes; needed when there are masks.
    package var maskKey: [UInt8]?
    /// The longest record, in bytes; a longer one goes to the quarantine.
    package var maxRecordBytes = 16 << 20
    /// Records that the index knows, or that came before in the batch, are left out.
    package var deduplicates = true

    /// Creates settings with the defaults above.
    package init() {}

    /// The same with names as ``CSVHeader`` has them.
    var folded: CustomerCSVSettings {
        func fold(_ name: String) -> String { CSVHeader.fold(name) }
        var result = self
        result.customerColumn = customerColumn.map(fold)
        result.eventTimeColumn = eventTimeColumn.map(fold)
        result.declared = Dictionary(declared.map { (fold($0.key), $0.value) }) { first, _ in first }
        result.excluded = Set(excluded.map(fold))
        result.masks = Dictionary(masks.map { (fold($0.key), $0.value) }) { first, _ in first }
        return result
    }
}

/// What a row group belongs to.
package enum CustomerCSVTarget: Hashable, Sendable {
    /// Records that became no rows.
    case quarantine
    /// Rows of a UTC day, in days since 1970-01-01: that of the event, else of the ingest.
    case rows(date: Int32)
}
