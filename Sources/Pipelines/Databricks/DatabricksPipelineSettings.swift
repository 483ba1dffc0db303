import AuditFormats
import BatchProtocol
import Catalog
import DeltaTables
import Intake

/// What a Databricks pipeline reads and where it writes.
package struct DatabricksPipelineSettings: Sendable {
    /// What is expected of the tables of each batch.
    package enum TableRule: String, CaseIterable, Sendable {
        /// Every record of bronze is in silver or in the quarantine.
        case noRowsDropped = "no_rows_dropped"
        /// The gold tables together have the rows of silver.
        case goldMatchesSilver = "gold_matches_silver"
    }

    /// More open rows make files no smaller.
    package static let largestOpenRowsByteCount = 48 << 20

    /// The pipeline's name.
    package var name: String
    /// The delivered files.
    package var objects: ObjectIntakeSettings
    /// First part of every table name.
    package var catalog: String
    /// The schema of bronze and silver; gold lies in `<schema>_gold`.
    package var schema: String
    /// How events become rows.
    package var decoding = DatabricksDecoderSettings()
    /// What happens when a rule of the tables is broken; `drop` is none.
    package var tableRules: [TableRule: ExpectationResult.Action] = [:]
    /// The most bytes of one batch.
    package var batchByteCount: UInt64 = 1 << 30
    /// Bytes of all open row groups together.
    package var rowGroupByteCount = DatabricksPipelineSettings.largestOpenRowsByteCount
    /// The names of all pipelines of the configuration, so that a renamed one is noticed; nil when they are not known.
    package var configuredPipelines: Set<String>?
    /// What to do when planned bytes are gone.
    package var onDataLoss = DataLossPolicy.fail
    /// The longest time from a file that was found to its rows, while following.
    package var commitInterval = Duration.seconds(1)
    /// Which layers a run brings forward.
    package var layers = Layers.all
    /// Commits of a table between two checkpoints.
    package var checkpointInterval: Int64 = DeltaTable.checkpointInterval
    /// Live files of a table at which merging starts.
    package var liveFileLimit = DeltaTable.liveFileLimit

    /// Which layers a run brings forward.
    package enum Layers: String, CaseIterable, Sendable {
        /// Bronze, silver and gold in one pass.
        case all
        /// Bronze and silver; gold is left for a later run.
        case bronzeAndSilver
        /// What earlier runs have left for gold.
        case gold
    }

    /// Creates settings with the defaults above.
    package init(name: String, source: ObjectSource, catalog: String, schema: String) {
        self.name = name
        objects = ObjectIntakeSettings(source: source)
        self.catalog = catalog
        self.schema = schema
    }

    /// The raw lines.
    package var bronze: TableName { TableName(catalog: catalog, schema: schema, table: "bronze") }
    /// The cleaned events.
    package var silver: TableName { TableName(catalog: catalog, schema: schema, table: "silver") }
    /// What is no event.
    package var quarantine: TableName {
        TableName(catalog: catalog, schema: Lake.reservedName, table: "quarantine_\(name)")
    }
    /// The schema of the gold tables.
    package var goldSchema: String { "\(schema)_gold" }
    /// The gold table of a service.
    package func gold(_ service: ServiceSchema) -> TableName {
        TableName(catalog: catalog, schema: goldSchema, table: service.table)
    }
}
