import BatchProtocol
import FoundationEssentials

/// The folders in which a shard's objects lay when batches read them, as its state keeps them: objects that were moved with
/// their folder are known by the rest of their path.
struct SourceFolders {
    private static let key = "source/folders"
    /// Folders that are kept in mind, the newest ones.
    private static let limit = 16

    /// Where objects may have lain that are elsewhere now.
    let former: [String]
    /// What the next batch adds to the state.
    let changes: [StateChange]

    /// Compares the state with where the objects lie now.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(_ state: ShardState, present: [String]) throws {
        var known: [String] = []
        if let text = state.values[Self.key] {
            guard let stored = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
                throw PipelineError(
                    code: .damagedState,
                    message: "the folders that a pipeline has read from cannot be read from its state",
                    mend: "restore the lake's _auditlake folder from a backup"
                )
            }
            known = stored
        }
        former = known.filter { !present.contains($0) }
        let new = present.filter { !known.contains($0) }
        if new.isEmpty {
            changes = []
        } else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            let folders = Array((known + new).suffix(max(Self.limit, present.count)))
            let text = String(decoding: try encoder.encode(folders), as: UTF8.self)
            changes = [StateChange(key: Self.key, value: text)]
        }
    }
}
