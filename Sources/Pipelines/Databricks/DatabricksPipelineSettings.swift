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
    package var source: ObjectSource
    /// The bucket in which they lie; nil for folders of this machine.
    package var bucket: (any Bucket)?
    /// The bucket tells of new objects; nil when it is listed again and again.
    package var notifications: Notifications?
    /// Days, as keys of a bucket name them, that every listing looks at; nil for all.
    package var listingDayCount: Int?
    /// Objects that were last modified so many days before the newest one that was read are forgotten; nil for none.
    package var forgetDayCount: Int?
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
    /// How often the folders are looked through, while following.
    package var pollInterval = Duration.seconds(5)
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
        self.source = source
        self.catalog = catalog
        self.schema = schema
    }

    /// Notifications of a bucket's objects.
    package struct Notifications: Sendable {
        /// Where they are waited for.
        package var queue: any MessageQueue
        /// The longest time between two listings.
        package var listInterval: Duration

        /// Creates settings.
        package init(queue: any MessageQueue, listInterval: Duration = .seconds(3_600)) {
            self.queue = queue
            self.listInterval = listInterval
        }
    }

    /// The delivered objects, of which nothing has been seen yet; found by listings, whatever tells of new ones.
    ///
    /// - Parameter clock: Microseconds since 1970-01-01 UTC.
    /// - Returns: The objects.
    package func drops(clock: @escaping @Sendable () -> Int64) -> ObjectDrops {
        drops(in: bucketObjects(clock: clock), clock: clock)
    }

    /// The delivered objects of a place; those of this machine's folders when there is none.
    func drops(in place: (any ObjectPlace)?, clock: @escaping @Sendable () -> Int64) -> ObjectDrops {
        ObjectDrops(source: source, place: place, clock: { clock() * 1_000 })
    }

    /// The objects whose bucket tells of new ones; nil when it does not.
    ///
    /// - Parameter clock: Microseconds since 1970-01-01 UTC; says which days are long past.
    /// - Returns: The objects; their looks take messages from the queue.
    func notifiedObjects(clock: @escaping @Sendable () -> Int64) -> NotifiedObjects? {
        guard let notifications, let objects = bucketObjects(clock: clock) else { return nil }
        return NotifiedObjects(
            objects,
            queue: notifications.queue,
            listInterval: notifications.listInterval
        )
    }

    /// How often a bucket is listed to see what lies unread; nil where looks cost no requests.
    var listingInterval: Duration? {
        bucket == nil ? nil : notifications?.listInterval ?? pollInterval
    }

    private func bucketObjects(clock: @escaping @Sendable () -> Int64) -> BucketObjects? {
        guard let bucket else { return nil }
        let window = listingDayCount.map { count in
            BucketObjects.Window { now in
                UTCDay.text(days: UTCDay.days(microseconds: now / 1_000) - Int64(count) + 1)
            }
        }
        return BucketObjects(bucket, patterns: source.patterns, window: window, clock: { clock() * 1_000 })
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
