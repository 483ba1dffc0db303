import BatchProtocol

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
    /// Ids of files of which batches have all that was seen.
    package var settled: Set<String> = []
}

extension SpoolManifest {
    /// The files of which more was seen than was copied, up to the last byte that was seen.
    package var seen: [TrackedFile] { files.compactMap { $0.refused?.file } }

    /// What has become of them.
    ///
    /// - Parameters:
    ///   - state: What batches have read.
    ///   - sightings: Where their bytes are now.
    /// - Returns: What is lost, and what can be forgotten; what is there and unread yet is in neither.
    package func reckoning(after state: ShardState, _ sightings: [String: Sighting]) -> SpoolReckoning {
        var reckoning = SpoolReckoning()
        for file in files {
            guard let refused = file.refused, sightings[file.id] != .isThere else { continue }
            let known = Self.known(file.id, refused, among: state.files)
            let from = max(file.end, known?.offset ?? 0)
            guard sightings[file.id] == nil, from < refused.file.offset else {
                reckoning.settled.insert(file.id)
                continue
            }
            var lost = refused.file
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
        _ id: String,
        _ refused: SpooledFile.Refused,
        among tracked: [TrackedFile]
    ) -> TrackedFile? {
        if let same = tracked.first(where: { $0.id == id }) { return same }
        return tracked.filter { candidate in
            let count = candidate.headByteCount
            guard count > 0, count <= refused.head.count else { return false }
            let hasher = RangeHasher()
            refused.head.prefix(count).withUnsafeBytes { hasher.update($0) }
            return hasher.digest == candidate.headHash
        }.max { $0.offset < $1.offset }
    }
}
