/// A pipeline that reads the CSV files of customers into one table.
package struct CustomerCSVPipelineConfiguration: Hashable, Sendable {
    /// What tells the customer of a row.
    package enum Customer: Hashable, Sendable {
        /// A column of the file.
        case column(Setting<String>)
        /// A part of the path, marked `{customer}`.
        case path(Setting<String>)
    }

    /// What a file's values are separated by.
    package enum Separator: String, CaseIterable, Sendable {
        /// What the file's header shows: a comma, a semicolon, a tab or a bar.
        case auto
        /// `,`.
        case comma = ","
        /// `;`.
        case semicolon = ";"
        /// A tab.
        case tab = "\t"
        /// `|`.
        case bar = "|"
    }

    /// The type of a column that is not to be found out from its values.
    package enum ColumnType: Hashable, Sendable {
        /// Text as it stands in the file.
        case text
        /// 64-bit integers.
        case integer
        /// 64-bit floating-point numbers.
        case double
        /// `true` and `false`.
        case boolean
        /// Times; in ISO 8601 when no format is given.
        case timestamp(format: String?)
    }

    /// What is done with the values of a column before anything of them is stored.
    package enum Mask: Hashable, Sendable {
        /// A keyed hash stands in their place.
        case hash
        /// The column is left out.
        case drop
        /// So many characters of the beginning are kept.
        case truncate(Int)
    }

    /// The pipeline's name, unique in the file without regard to letter case.
    package var name: String
    /// The files.
    package var source: ObjectSourceConfiguration
    /// The table that receives the rows.
    package var table: Setting<ConfiguredTable>
    /// What tells the customer of a row.
    package var customer: Customer
    /// The column with the time of the event; nil for `event_time`, or else `timestamp`.
    package var eventTimeColumn: Setting<String>?
    /// What values are separated by.
    package var separator: Separator
    /// By column, types that are given.
    package var columnTypes: [String: ColumnType]
    /// Columns that do not count when two rows are compared.
    package var excludedColumns: [Setting<String>]
    /// By column, what is masked.
    package var masks: [String: Mask]
    /// The key of hashes; there when there are masks.
    package var maskKey: Setting<String>?
    /// Where the rows of the table go besides the lake; nil for nowhere.
    package var load: LoadConfiguration?
    /// What happens when planned bytes have vanished.
    package var onDataLoss: DataLossPolicy
    /// The longest time from a file that was found to its rows in the table, while following.
    package var commitEvery: Duration
    /// Longest record that is decoded, in bytes; a longer one goes to the quarantine.
    package var maxRecordByteCount: Int
    /// Largest commit unit, in bytes of input.
    package var batchByteCount: Int
}
