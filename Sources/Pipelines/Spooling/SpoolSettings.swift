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

    /// The folder of a pipeline beside a lake: copies that wait for one lake must not be read into another one.
    ///
    /// - Parameters:
    ///   - folder: The folder of all spools.
    ///   - pipeline: The pipeline's name.
    ///   - lake: Where its lake lies.
    /// - Returns: The folder; its name ends with a hash (FNV-1a, 32 bits) of `lake`.
    package static func folder(in folder: String, of pipeline: String, lake: String) -> String {
        let hash = lake.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let text = String(hash, radix: 16)
        return "\(folder)/\(pipeline)-\(String(repeating: "0", count: 8 - text.count))\(text)"
    }

    /// Opens the spool for writing.
    ///
    /// - Returns: nil when another process has it, or when it holds nothing and is not to be made.
    /// - Throws: `StorageError`.
    func open(isMade: Bool, isPatient: Bool) throws -> Spool? {
        try Spool.open(folder, limits: limits, isMade: isMade, isPatient: isPatient)
    }
}
