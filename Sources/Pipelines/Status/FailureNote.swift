import BatchProtocol
import FoundationEssentials
import ObjectStorage

/// The last failure of a pipeline's run, kept beside its shard for `auditlake status`; nothing depends on it.
package struct FailureNote: Codable, Hashable, Sendable {
    /// What happened and how to mend it; never a secret.
    package var message: String
    /// When, in microseconds since 1970-01-01 UTC.
    package var at: Int64

    /// Creates a note.
    package init(message: String, at: Int64) {
        self.message = message
        self.at = at
    }

    private static func key(_ pipeline: String) -> String {
        "\(ShardPath(pipeline: pipeline, shard: 0).folder)/status.json"
    }

    /// Writes the note over an earlier one, or takes it away when the pipeline is well.
    ///
    /// Does nothing in a lake that the pipeline has not begun to fill, and swallows failures of the disk: what stops a
    /// run must not be this note.
    package static func put(_ note: FailureNote?, pipeline: String, in store: any ObjectStore) {
        do {
            guard let note else { return try store.remove(key(pipeline)) }
            guard try store.exists(ShardPath(pipeline: pipeline, shard: 0).identity) else { return }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try store.replace(key(pipeline), Array(try encoder.encode(note)))
        } catch {
            return
        }
    }

    /// The note of a pipeline; nil when it is well, or when the note cannot be read.
    package static func read(pipeline: String, in store: any ObjectStore) throws -> FailureNote? {
        try store.read(key(pipeline)).flatMap { try? JSONDecoder().decode(FailureNote.self, from: Data($0)) }
    }
}
