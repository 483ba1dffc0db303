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
    /// What cannot be looked at now and may hold bytes that else are lost: the loss is told once it can.
    package var heldBackBy: [String]

    /// Reads what a pipeline keeps.
    ///
    /// - Parameters:
    ///   - settings: The pipeline.
    ///   - look: What its files are now; nil when that is not known.
    /// - Returns: nil for nothing.
    /// - Throws: `StorageError`.
    package static func read(
        _ settings: PipelineSettings,
        beside look: Look? = nil
    ) throws -> SpoolStatus? {
        guard case .postgres(let settings) = settings, let folder = settings.spool?.folder else { return nil }
        return try SpoolManifest.read(folder).map { manifest in
            let mayHaveLost = manifest.refusedByteCount > 0 || look?.damagedCopies.isEmpty == false
            return SpoolStatus(
                isOpen: manifest.isOpen,
                since: manifest.since,
                reason: manifest.reason,
                byteCount: manifest.byteCount,
                refusedByteCount: manifest.refusedByteCount,
                heldBackBy: mayHaveLost ? look?.hidden ?? [] : []
            )
        }
    }
}
