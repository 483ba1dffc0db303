/// The files to read for one version of a table: at most one checkpoint and every commit after it.
///
/// Source: protocol sections "Checkpoints" and "Last Checkpoint File".
package struct LogSegment: Hashable, Sendable {
    /// Version that results.
    package let version: Int64
    /// Version of the checkpoint to start from, unless replay starts with the first commit.
    package let checkpointVersion: Int64?
    /// Files of that checkpoint; more than one when another writer split it.
    package let checkpointFiles: [LogFileName]
    /// Versions of the commits to apply, ascending and without gaps; may be empty behind a checkpoint.
    package let commits: [Int64]

    /// The first name to list, in byte order: names before it are not needed when the hint is true.
    ///
    /// - Parameter hint: Content of `_last_checkpoint`; nil lists everything.
    /// - Returns: A name without its folder.
    package static func firstName(hint: LastCheckpoint?) -> String {
        padded(max(0, hint?.version ?? 0), 20)
    }

    /// Chooses the files.
    ///
    /// - Parameters:
    ///   - names: Names in `_delta_log`, in any order, at least those from ``firstName(hint:)`` on; others
    ///     are ignored.
    ///   - limit: Newest version wanted; nil takes the newest there is.
    /// - Throws: `DeltaLogError` with `noSuchVersion` when the log has nothing at or ends before `limit`, and
    ///   with `logGap` when files are missing: list the whole log once more, for a hint can be stale and a
    ///   clean-up can run during a listing; a gap that stays is damage.
    /// - Complexity: O(n log n) in the number of names.
    package init(names: some Sequence<String>, upTo limit: Int64? = nil) throws(DeltaLogError) {
        let contents = LogContents(names: names, upTo: limit ?? .max)
        let checkpoint = contents.newestCheckpoint
        let commits = contents.commits.filter { $0 > checkpoint?.version ?? -1 }.sorted()
        guard let newest = commits.last ?? checkpoint?.version else {
            throw DeltaLogError(.noSuchVersion, "the log holds no version", version: limit)
        }
        let first = (checkpoint?.version ?? -1) + 1
        for (expected, found) in zip(first..., commits) where expected != found {
            throw DeltaLogError(
                .logGap,
                "the log has version \(found) but neither \(expected).json nor a checkpoint at or after it; "
                    + "list the whole log again",
                version: expected
            )
        }
        guard newest == limit ?? newest else {
            throw DeltaLogError(.noSuchVersion, "the log ends with version \(newest)", version: limit)
        }
        version = newest
        checkpointVersion = checkpoint?.version
        checkpointFiles = checkpoint?.files ?? []
        self.commits = commits
    }
}

/// The versions that a listing shows.
private struct LogContents {
    private(set) var commits: [Int64] = []
    private var checkpoints: Set<Int64> = []
    private var parts: [CheckpointParts: Set<Int64>] = [:]

    private struct CheckpointParts: Hashable {
        var version: Int64
        var count: Int64
    }

    init(names: some Sequence<String>, upTo limit: Int64) {
        for name in names {
            switch LogFileName(name) {
            case .commit(let version) where version <= limit:
                commits.append(version)
            case .checkpoint(let version) where version <= limit:
                checkpoints.insert(version)
            case .checkpointPart(let version, let part, let count) where version <= limit:
                parts[CheckpointParts(version: version, count: count), default: []].insert(part)
            default:
                continue
            }
        }
    }

    /// The newest complete checkpoint; one in a single file is preferred at the same version.
    var newestCheckpoint: (version: Int64, files: [LogFileName])? {
        let single = checkpoints.max()
        let split = parts.filter { $0.value.count == $0.key.count }.keys.max { $0.version < $1.version }
        if let split, split.version > single ?? -1 {
            let files = (1...split.count).map { part in
                LogFileName.checkpointPart(version: split.version, part: part, parts: split.count)
            }
            return (split.version, files)
        }
        return single.map { ($0, [.checkpoint(version: $0)]) }
    }
}
