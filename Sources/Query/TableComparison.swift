import Foundation

/// Two states of a table's rows, to be compared by a key.
package struct TableComparison: Hashable, Sendable {
    /// Files with the rows as they are.
    package var before: [String]
    /// Files with the rows as they would be.
    package var after: [String]
    /// Files with other rows of the table, among which a row may have been before.
    package var othersBefore: [String]
    /// Files with the keys of other rows that the table would have.
    package var othersAfter: [String]
    /// The columns of both states.
    package var columns: [QueryColumn]
    /// The columns that the files' folders name.
    package var partitionColumns: [QueryColumn]
    /// The columns that tell a row; rows that share a key are paired in the order of `order`.
    package var key: [String]
    /// Columns that tell rows of one key apart.
    package var order: [String]
    /// What is compared: columns, and fields of structures, as paths.
    ///
    /// A structure itself is compared by whether it is there.
    package var paths: [[String]]

    /// Creates a comparison.
    package init(
        before: [String],
        after: [String],
        othersBefore: [String] = [],
        othersAfter: [String] = [],
        columns: [QueryColumn],
        partitionColumns: [QueryColumn],
        key: [String],
        order: [String],
        paths: [[String]]
    ) {
        self.before = before
        self.after = after
        self.othersBefore = othersBefore
        self.othersAfter = othersAfter
        self.columns = columns
        self.partitionColumns = partitionColumns
        self.key = key
        self.order = order
        self.paths = paths
    }
}

/// How two states of a table's rows differ.
package struct TableDifference: Hashable, Sendable {
    /// How many rows have another value of a column or a field.
    package struct Change: Hashable, Sendable {
        /// The column, and the field.
        package var path: [String]
        /// The rows.
        package var rows: Int

        /// Creates a count.
        package init(path: [String], rows: Int) {
            self.path = path
            self.rows = rows
        }
    }

    /// Rows as they are.
    package var rowsBefore = 0
    /// Rows as they would be.
    package var rowsAfter = 0
    /// Rows that only the present state has.
    package var onlyBefore = 0
    /// Rows that only the other state has.
    package var onlyAfter = 0
    /// Rows of both states with other values.
    package var changed = 0
    /// By path, how many rows have another value; paths without such rows are left out.
    package var changes: [Change] = []
    /// First column of the key of up to five rows of each kind.
    package var samplesBefore: [String] = []
    /// The same of rows that only the other state has.
    package var samplesAfter: [String] = []
    /// The same of rows with other values.
    package var samplesChanged: [String] = []
    /// Rows that only the present state has, and that would be among the others.
    package var movedAway = 0
    /// Rows that only the other state has, and that are among the others.
    package var movedIn = 0

    /// Whether both states have the same rows.
    package var isEmpty: Bool { onlyBefore == 0 && onlyAfter == 0 && changed == 0 }
}
