import BatchProtocol
import Catalog
import DeltaLog

/// Durable data files of one batch, and what they were made from.
struct StagedBatch {
    /// Ranges of tailed files.
    var ranges: [SourceRange] = []
    /// Ranges of delivered objects.
    var objects: [ObjectRange] = []
    /// The data files, by table.
    var files: [TableName: [StagedFile]] = [:]
    /// Rows of tables that are left for later, which have no files.
    var deferredRows: [TableName: Int] = [:]
    /// Schemas of tables that have to grow for these files.
    var grown: [TableName: TableSchema] = [:]
    /// Bytes that could not be read again.
    var gaps: [SourceGap] = []
    /// Bytes that vanished before any batch could have them.
    var vanished: [SourceGap] = []
    /// Ids of files that need not be kept in mind any longer.
    var forgotten: [String] = []
    /// Objects last modified before this day, in days since 1970-01-01, need not be kept in mind any longer; nil for no change.
    var firstDay: Int64?
    /// Records left out by the configuration, by its setting.
    var leftOut: [String: Int] = [:]
    /// The version of the main table that the rows were compared with; nil when they were not.
    var comparedVersion: Int64?
    /// The settings that the rows depend on; nil when a redo takes those of its run.
    var settings: String?
    /// What changed in the values that the pipeline keeps in mind.
    var stateChanges: [StateChange] = []
    /// How records stood to the rules.
    var expectations: [ExpectationResult] = []

    /// Rows of a table.
    func rowCount(_ table: TableName) -> Int {
        deferredRows[table] ?? files[table]?.reduce(0) { $0 + $1.rowCount } ?? 0
    }
}
