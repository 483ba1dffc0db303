import Intake

/// What is kept of a pipeline's logs because its lake is, or was, down.
package struct SpoolStatus: Codable, Hashable, Sendable {
    /// Whether the lake is down, as far as the run knew that spools.
    package var isOpen: Bool
    /// Since when, in microseconds since 1970-01-01 UTC.
    package var since: Int64
    /// What the lake failed with.
    package var reason: String
    /// Bytes of the copies.
    package var byteCount: UInt64
    /// Bytes that were seen and are in the log files alone, if they are there still.
    package var refusedByteCount: UInt64

    /// Reads what a pipeline keeps.
    ///
    /// - Returns: nil for nothing.
    /// - Throws: `StorageError`.
    package static func read(_ settings: PipelineSettings) throws -> SpoolStatus? {
        guard case .postgres(let settings) = settings, let folder = settings.spool?.folder else { return nil }
        return try SpoolManifest.read(folder).map { manifest in
            SpoolStatus(
                isOpen: manifest.isOpen,
                since: manifest.since,
                reason: manifest.reason,
                byteCount: manifest.byteCount,
                refusedByteCount: manifest.refusedByteCount
            )
        }
    }
}
