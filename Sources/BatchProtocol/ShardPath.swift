/// Where the objects of a shard lie in the lake.
package struct ShardPath: Hashable, Sendable {
    /// The shard's folder, relative to the lake.
    package let folder: String

    /// Names a shard.
    package init(pipeline: String, shard: Int) { folder = "_auditlake/\(pipeline)/\(shard)" }

    /// The object that holds the shard's uuid.
    package var identity: String { "\(folder)/shard.json" }
    /// A hint at the newest batch; never trusted.
    package var head: String { "\(folder)/head.json" }
    /// How far plans were carried into a system table; a hint.
    package func cursor(_ table: String) -> String { "\(folder)/\(table).json" }
    /// What the heads of the shard's tables were; a hint.
    package var tables: String { "\(folder)/tables.json" }
    /// How far tables that were left for later have come; a hint.
    package var deferred: String { "\(folder)/deferred.json" }
    /// The plan of a batch.
    package func plan(_ batch: UInt64) -> String { "\(folder)/plans/\(Self.digits(batch)).json" }
    /// The receipt of a batch.
    package func receipt(_ batch: UInt64) -> String { "\(folder)/receipts/\(Self.digits(batch)).json" }
    /// The intake state after a batch.
    package func state(_ batch: UInt64) -> String { "\(folder)/state/\(Self.digits(batch)).json" }
    /// The plans and receipts of the batches up to `batch`, compacted.
    package func compacted(_ batch: UInt64) -> String { "\(folder)/compacted/\(Self.digits(batch)).parquet" }
    /// The folder of all plans.
    package var plans: String { "\(folder)/plans" }
    /// The folder of all receipts.
    package var receipts: String { "\(folder)/receipts" }

    /// Batches between two state snapshots, at most.
    package static let stateInterval: UInt64 = 64
    /// The same while the state is small: opening a shard reads the plans behind the newest snapshot.
    private static let smallStateInterval: UInt64 = 16

    /// Whether a snapshot follows a batch.
    ///
    /// - Parameters:
    ///   - batch: Its number.
    ///   - isSmall: Whether the state after it is small.
    /// - Returns: Whether it does.
    package static func hasState(_ batch: UInt64, isSmall: Bool) -> Bool {
        batch % stateInterval == 0 || isSmall && batch % smallStateInterval == 0
    }

    private static func digits(_ batch: UInt64) -> String {
        let text = String(batch)
        return String(repeating: "0", count: 20 - text.count) + text
    }
}
