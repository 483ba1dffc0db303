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

extension SpoolManifest {
    /// What is lost, once batches have all that is there.
    ///
    /// - Parameters:
    ///   - state: What batches have read: all that is there, but for the beginnings of records.
    ///   - unread: The files that end in such.
    /// - Returns: What was seen, is in no batch and in no file.
    package func lostBytes(after state: ShardState, beside unread: [UnreadFile]) -> [LostBytes] {
        files.compactMap { file in
            guard let refused = file.refused else { return nil }
            let known = Self.known(file, refused, among: state.files)
            let isThere = unread.contains { other in
                other.found.byteCount >= refused.file.offset
                    && (known.map { other.tracked?.id == $0.id } ?? other.head.starts(with: refused.head))
            }
            let from = max(file.end, known?.offset ?? 0)
            guard !isThere, from < refused.file.offset else { return nil }
            var lost = refused.file
            lost.id = known?.id ?? lost.id
            return LostBytes(
                gap: SourceGap(path: file.path, from: from, to: lost.offset),
                file: lost,
                isKnown: known != nil
            )
        }
    }

    /// The file as batches know it.
    private static func known(
        _ file: SpooledFile,
        _ refused: SpooledFile.Refused,
        among tracked: [TrackedFile]
    ) -> TrackedFile? {
        if let same = tracked.first(where: { $0.id == file.id }) { return same }
        return tracked.filter { candidate in
            if candidate.headByteCount > refused.head.count { return candidate.inode == file.inode }
            let hasher = RangeHasher()
            refused.head.prefix(candidate.headByteCount).withUnsafeBytes { hasher.update($0) }
            return candidate.headByteCount > 0 && hasher.digest == candidate.headHash
        }.max { $0.offset < $1.offset }
    }
}
