import Catalog
import DeltaLog
import DeltaTables

/// One table as it is, and as today's parser and settings make it.
package struct ShadowTable: Sendable {
    /// What a table is made by.
    struct Outline {
        var name: TableName
        var schema: TableSchema
        /// The days of its partitions whose files are made again.
        var days: DayRange
        var key = ReplayTarget.keys
        var order = ["timestamp", "requestId", "actionName"]
    }

    /// The table.
    package var name: TableName
    /// The columns that tell a row in both states: they come from bronze, or from the record's bytes alone.
    package var key: [String]
    /// Columns that tell rows of one key apart.
    package var order: [String]
    /// Columns of the table as it is; none when it is not there.
    package var liveColumns: [TableColumn]
    /// Columns of the table as it will be.
    package var columns: [TableColumn]
    /// Columns that both states are compared by, fields of structures one by one, as paths of names.
    package var comparedPaths: [[String]]
    /// Columns, and fields of structures, that the table gets.
    package var addedPaths: [[String]]
    /// Columns, and fields of structures, that today's parser does not fill.
    package var missingPaths: [[String]]
    /// Paths on disk of the files that hold the rows of the range now.
    package var liveFiles: [String]
    /// Paths on disk of the table's other files.
    package var otherLiveFiles: [String]
    /// Paths on disk of the files that would take their place.
    package var shadowFiles: [String]
    /// Paths on disk of files with the keys of rows that belong to other days.
    package var foreignFiles: [String]

    /// The version that was looked at; -1 when the table was not there.
    var version: Int64
    /// What leaves the table.
    var removed: [AddFile]
    /// What enters it.
    var staged: [StagedFile]
    /// What the table's schema has to have.
    var schema: TableSchema
}

extension TableSchema {
    /// Every column, and the fields of structures after their structure.
    var paths: [[String]] {
        fields.flatMap { field -> [[String]] in
            guard case .structure(let inner) = field.type else { return [[field.name]] }
            return [[field.name]] + inner.paths.map { [field.name] + $0 }
        }
    }
}
