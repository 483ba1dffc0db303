import AuditFormats
import Catalog
import DeltaTables
import Intake

/// What a pipeline of customers' CSV files reads and where it writes.
package struct CustomerCSVPipelineSettings: Sendable {
    /// More open rows make files no smaller.
    package static let largestOpenRowsByteCount = 48 << 20

    /// The pipeline's name.
    package var name: String
    /// The delivered files.
    package var objects: ObjectIntakeSettings
    /// Receives the rows.
    package var table: TableName
    /// How records become rows.
    package var decoding: CustomerCSVSettings
    /// Tells the customer of an object; nil when a column does.
    package var customerPath: CustomerPath?
    /// The most bytes of one batch.
    package var batchByteCount: UInt64 = 1 << 30
    /// Bytes of all open row groups together.
    package var rowGroupByteCount = CustomerCSVPipelineSettings.largestOpenRowsByteCount
    /// The names of all pipelines of the configuration, so that a renamed one is noticed; nil when they are not known.
    package var configuredPipelines: Set<String>?
    /// What to do when planned bytes are gone.
    package var onDataLoss = DataLossPolicy.fail
    /// The longest time from a file that was found to its rows, while following.
    package var commitInterval = Duration.seconds(1)
    /// Commits of a table between two checkpoints.
    package var checkpointInterval: Int64 = DeltaTable.checkpointInterval
    /// Live files of a table at which merging starts.
    package var liveFileLimit = DeltaTable.liveFileLimit

    /// Creates settings with the defaults above.
    package init(name: String, source: ObjectSource, table: TableName, decoding: CustomerCSVSettings) {
        self.name = name
        objects = ObjectIntakeSettings(source: source)
        objects.hasHeaders = true
        self.table = table
        self.decoding = decoding
    }

    /// What is no record.
    package var quarantine: TableName {
        TableName(catalog: table.catalog, schema: Lake.reservedName, table: "quarantine_\(name)")
    }
}
