import BatchProtocol
import FoundationEssentials

/// Bytes of a log file that were seen while the lake was down, and are nowhere any more.
package struct LostBytes: Hashable, Sendable {
    /// Which bytes.
    package var gap: SourceGap
    /// The file up to the last of them, under the id that batches gave it; nil when none has any of it.
    package var file: TrackedFile
    /// Whether batches know the file.
    package var isKnown: Bool
}

/// What has become of all that was seen while the lake was down, once batches have all that is there.
package struct SpoolReckoning: Hashable, Sendable {
    /// What is in no batch and in no file.
    package var lost: [LostBytes] = []
    /// Files of which batches have all that was seen.
    package var settled: Set<TrackedFile> = []
}

extension SpoolManifest {
    /// The files up to the last byte that was seen of each.
    package var seen: [TrackedFile] { files.compactMap(\.seen) }

    /// What has become of them.
    ///
    /// - Parameters:
    ///   - state: What batches have read.
    ///   - look: Where their bytes are now.
    /// - Returns: What is lost, and what can be forgotten; what is there and unread yet is in neither.
    package func reckoning(after state: ShardState, beside look: Look) -> SpoolReckoning {
        var reckoning = SpoolReckoning()
        for file in files {
            let isDamaged = look.damagedCopies.contains(file.id)
            // A sound copy is read as a file.
            guard file.refused != nil || isDamaged, let seen = file.seen else { continue }
            let sighting = look.sightings[file.id]
            guard sighting?.isRead != false else { continue }
            let known = Self.known(seen, head: file.refused?.head, among: state.files)
            // Of a sound copy batches have all but the beginning of a record whose end is lost.
            let from = max(file.from, known?.offset ?? 0)
            guard sighting == nil, from < seen.offset else {
                reckoning.settled.insert(seen)
                continue
            }
            var lost = seen
            lost.id = known?.id ?? lost.id
            reckoning.lost.append(
                LostBytes(
                    gap: SourceGap(path: file.path, from: from, to: lost.offset),
                    file: lost,
                    isKnown: known != nil
                )
            )
        }
        return reckoning
    }

    /// The file as batches know it: by the id that they gave it, or by its first bytes.
    ///
    /// One of which batches have more first bytes than were seen cannot be told by a hash of all of them; where it is still
    /// there, it was sighted.
    private static func known(
        _ seen: TrackedFile,
        head: Data?,
        among tracked: [TrackedFile]
    ) -> TrackedFile? {
        if let same = tracked.first(where: { $0.id == seen.id }) { return same }
        return tracked.filter { candidate in
            let count = candidate.headByteCount
            if count == seen.headByteCount { return candidate.headHash == seen.headHash }
            guard let head, count > 0, count < head.count else { return false }
            let hasher = RangeHasher()
            head.prefix(count).withUnsafeBytes { hasher.update($0) }
            return hasher.digest == candidate.headHash
        }.max { $0.offset < $1.offset }
    }
}
