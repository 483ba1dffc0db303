/// What lies unread in a pipeline's files, and what its gold tables lack.
package struct PipelineBacklog: Hashable, Sendable {
    /// Bytes that no batch has, without those of `pendingBytes`.
    package var lagBytes: UInt64
    /// Age of the oldest of them, in seconds; nil when nothing tells it.
    package var lagSeconds: Double?
    /// Bytes at the end of files that are no whole record yet.
    package var pendingBytes: UInt64
    /// What gold has not got yet; nil for a pipeline without gold.
    package var gold: GoldBacklog?

    /// Creates a description.
    package init(lagBytes: UInt64, lagSeconds: Double?, pendingBytes: UInt64, gold: GoldBacklog? = nil) {
        self.lagBytes = lagBytes
        self.lagSeconds = lagSeconds
        self.pendingBytes = pendingBytes
        self.gold = gold
    }
}

/// What runs of bronze and silver have left for gold, and nothing has brought in yet.
package struct GoldBacklog: Codable, Hashable, Sendable {
    /// Batches with rows for gold.
    package var batches: Int
    /// Their rows for gold.
    package var rows: Int

    /// Creates a description.
    package init(batches: Int, rows: Int) {
        self.batches = batches
        self.rows = rows
    }
}
