/// What lies unread in a pipeline's files.
package struct PipelineBacklog: Hashable, Sendable {
    /// Bytes that no batch has, without those of `pendingBytes`.
    package var lagBytes: UInt64
    /// Age of the oldest of them, in seconds; nil when nothing tells it.
    package var lagSeconds: Double?
    /// Bytes at the end of files that are no whole record yet.
    package var pendingBytes: UInt64

    /// Creates a description.
    package init(lagBytes: UInt64, lagSeconds: Double?, pendingBytes: UInt64) {
        self.lagBytes = lagBytes
        self.lagSeconds = lagSeconds
        self.pendingBytes = pendingBytes
    }
}
