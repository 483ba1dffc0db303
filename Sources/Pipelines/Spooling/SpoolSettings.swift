import Intake

/// Where a pipeline's logs are kept while its lake is down.
package struct SpoolSettings: Hashable, Sendable {
    /// The pipeline's own folder; absolute.
    package var folder: String
    /// What it may take.
    package var limits: Spool.Limits

    /// Creates settings.
    package init(folder: String, limits: Spool.Limits) {
        self.folder = folder
        self.limits = limits
    }

    /// Opens the spool for writing.
    ///
    /// - Returns: nil when another process has it, or when it holds nothing and is not to be made.
    /// - Throws: `StorageError`.
    func open(isMade: Bool) throws -> Spool? { try Spool.open(folder, limits: limits, isMade: isMade) }
}
