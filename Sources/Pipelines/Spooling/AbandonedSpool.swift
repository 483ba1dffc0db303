import Intake
import ObjectStorage

/// Copies of logs that no pipeline of a configuration reads: they were kept under another name, for another lake, or before
/// `spool: off`.
package struct AbandonedSpool: Hashable, Sendable {
    /// The folder of a pipeline.
    package var folder: String
    /// Bytes of the copies, and of what was seen and not copied.
    package var byteCount: UInt64

    /// Looks into folders of spools; what cannot be read is passed over.
    ///
    /// - Parameters:
    ///   - roots: Folders of all spools.
    ///   - used: The folders that pipelines of the configuration read.
    /// - Returns: What is in the others, by name; not of those that a process has open.
    package static func find(in roots: Set<String>, besides used: Set<String>) -> [AbandonedSpool] {
        let folders = roots.sorted().flatMap { root in
            let entries = (try? PosixFileSystem().list(root)) ?? []
            return entries.filter(\.isFolder).map { "\(root)/\($0.name)" }.sorted()
        }
        return folders.filter { !used.contains($0) }.compactMap { folder in
            guard let manifest = try? SpoolManifest.read(folder), !manifest.files.isEmpty,
                !Spool.isInUse(folder)
            else { return nil }
            return AbandonedSpool(
                folder: folder,
                byteCount: manifest.byteCount + manifest.refusedByteCount
            )
        }
    }
}
