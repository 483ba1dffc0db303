import BatchProtocol

extension TailedFiles {
    private struct Head: Hashable {
        var byteCount: Int
        var hash: String

        init(byteCount: Int, hash: String) {
            self.byteCount = byteCount
            self.hash = hash
        }

        init(of tracked: TrackedFile) { self.init(byteCount: tracked.headByteCount, hash: tracked.headHash) }
    }

    /// Finds the tracked files among the files on disk.
    func claim(_ round: inout LookRound) throws {
        try claimAsBefore(&round)
        // Same inode first, so that a copy beside the original does not take its place.
        let byInode = Dictionary(grouping: round.unknown, by: \.id.inode)
        try claim(&round) { byInode[$0.inode] ?? [] }
        let byHead = filesByHead(round.unknown, counts: Set(round.unclaimed.map(\.headByteCount)))
        try claim(&round) { byHead[Head(of: $0)] ?? [] }
    }

    /// Files by their first bytes, for so many as are asked for.
    private func filesByHead(_ files: [KnownFile], counts: Set<Int>) -> [Head: [KnownFile]] {
        var byHead: [Head: [KnownFile]] = [:]
        for file in files {
            for count in counts {
                guard let hash = file.headHash(count) else { continue }
                byHead[Head(byteCount: count, hash: hash), default: []].append(file)
            }
        }
        return byHead
    }

    /// Files that are still what they were taken for at the last look.
    private func claimAsBefore(_ round: inout LookRound) throws {
        let tracked = Dictionary(round.state.files.map { ($0.id, $0) }) { $1 }
        for file in round.files {
            guard let candidate = file.claim.flatMap({ tracked[$0] }), !round.claimed.contains(candidate.id)
            else { continue }
            if try file.holds(candidate, readers) { round.claim(candidate, by: file) }
        }
    }

    private func claim(
        _ round: inout LookRound,
        candidates: (TrackedFile) -> [KnownFile]
    ) throws {
        for tracked in round.unclaimed {
            // A copy in the spool only where the file itself is gone.
            let files = candidates(tracked)
            let match = try (files.filter { $0.copied == nil } + files.filter { $0.copied != nil }).first {
                file in
                try round.claims[file.id] == nil && file.holds(tracked, readers)
            }
            if let match { round.claim(tracked, by: match) }
        }
    }

    // MARK: Copies

    /// Leaves out the files whose bytes are the beginning of another file's: only the longest of them is read.
    ///
    /// Of equal ones the tracked one stays, else the first by `isBetter`.
    func separateCopies(_ round: inout LookRound) throws {
        let unknown = round.unknown
        guard !unknown.isEmpty else { return }
        var beginnings: [ArraySlice<UInt8>: [KnownFile]] = [:]
        for file in round.files { beginnings[Self.beginning(file), default: []].append(file) }
        let short = round.files.filter { Self.beginning($0).count < Self.beginningByteCount }
        for file in unknown where !round.isAside(file) {
            let isShort = Self.beginning(file).count < Self.beginningByteCount
            let others = isShort ? round.files : (beginnings[Self.beginning(file)] ?? []) + short
            for other in others where other !== file && !round.isAside(other) {
                try separate(file, other, &round)
                if round.isAside(file) { break }
            }
        }
    }

    private static let beginningByteCount = 32

    private static func beginning(_ file: KnownFile) -> ArraySlice<UInt8> {
        file.head?.prefix(beginningByteCount) ?? []
    }

    /// Compares an unknown file with another one.
    private func separate(_ file: KnownFile, _ other: KnownFile, _ round: inout LookRound) throws {
        let isTracked = round.claims[other.id] != nil
        if file.byteCount > other.byteCount {
            // An unknown other is compared when it is its turn.
            guard isTracked, try comparisons.isPrefix(other, of: file, readers) == true else { return }
            return round.moveClaim(from: other, to: file)
        }
        switch try comparisons.isPrefix(file, of: other, readers) {
        case false: return
        case nil:
            // One of them is being truncated or renamed.
            round.doubt(file)
        case true:
            guard file.byteCount == other.byteCount else { return round.setAside(file, like: other) }
            if isTracked, other.copied != nil, file.copied == nil {
                round.moveClaim(from: other, to: file)
            } else if isTracked, other.isFound || !file.isFound {
                round.setAside(file, like: other)
            } else if isTracked {
                round.moveClaim(from: other, to: file)
            } else if Self.isBetter(other, file) {
                round.setAside(file, like: other)
            }
        }
    }

    /// Which of two files with equal bytes is read.
    private static func isBetter(_ file: KnownFile, _ other: KnownFile) -> Bool {
        if file.isFound != other.isFound { return file.isFound }
        if (file.copied == nil) != (other.copied == nil) { return file.copied == nil }
        if (file.compression == nil) != (other.compression == nil) { return file.compression == nil }
        return other.isLater(than: file)
    }

    /// Copies that ended before the offset of the file they were made of, which has been truncated since: nothing of them is
    /// unread.
    ///
    /// One that is shorter than the hashed part is known by what was seen of the original while it was open. The state has to
    /// keep it in mind, for nobody can tell later.
    func claimFinishedCopies(_ round: inout LookRound) throws {
        let unclaimed = round.unclaimed
        guard !unclaimed.isEmpty else { return }
        for file in round.unknown {
            let original = unclaimed.first { tracked in
                // A plain file on the same inode is the original, written anew.
                let isOriginal = file.id.inode == tracked.inode && file.compression == nil
                return !isOriginal && !round.claimed.contains(tracked.id)
                    && file.byteCount < tracked.offset && isBeginning(file, of: tracked)
            }
            guard let original else { continue }
            guard try isStillAsFound(file) else {
                // The copy was still growing when it was found; the original is truncated now, so the next look sees all of it.
                round.doubt(file)
                continue
            }
            if file.byteCount < UInt64(original.headByteCount), file.copied == nil {
                round.finishedCopies.append(file)
            }
            round.claim(original, by: file)
            round.setAside(file)
        }
    }

    private func isBeginning(_ file: KnownFile, of tracked: TrackedFile) -> Bool {
        if file.byteCount >= UInt64(tracked.headByteCount) { return file.begins(like: tracked) }
        guard let head = file.head else { return false }
        return heads[tracked.id]?.starts(with: head) ?? false
    }

    /// Whether the size of an open file, or of one that can be opened, is that of the look.
    private func isStillAsFound(_ file: KnownFile) throws -> Bool {
        if file.copied != nil { return true }
        guard let reader = try readers.reader(of: file) else { return false }
        return try reader.file.status(path: file.path).byteCount == file.status.byteCount
    }

    /// Leaves out all unknown files when a file was truncated during the look: one of them may be its copy, and was compared with
    /// what was written after the truncation.
    func doubtUnknownFiles(_ round: inout LookRound) throws {
        let unknown = round.unknown
        guard !unknown.isEmpty, try !round.files.allSatisfy(hasItsBeginning) else { return }
        for file in unknown { round.doubt(file) }
    }

    private func hasItsBeginning(_ file: KnownFile) throws -> Bool {
        guard file.compression == nil, let head = file.head else { return true }
        if let status = try LogFileStatus.at(file.path), status == file.status { return true }
        guard let reader = try readers.reader(of: file) else { return false }
        return try reader.file.status(path: file.path).byteCount >= file.status.byteCount
            && reader.bytes(at: 0, count: head.count) == head
    }

    // MARK: What was seen at another time

    /// Looks for files by their bytes alone: their first ones and those before the last that was seen.
    func sight(_ seen: [TrackedFile], in round: LookRound) throws -> [String: Sighting] {
        guard !seen.isEmpty else { return [:] }
        let byHead = filesByHead(round.files, counts: Set(seen.map(\.headByteCount)))
        var sightings: [String: Sighting] = [:]
        for wanted in seen {
            for file in byHead[Head(of: wanted)] ?? [] where try file.holds(wanted, readers) {
                let isRead = round.readByteCount(of: file) >= wanted.offset
                // Of several files the one that is read, or will be.
                guard sightings[wanted.id]?.isRead != true else { break }
                if isRead || sightings[wanted.id] == nil || !round.isAside(file) {
                    sightings[wanted.id] = Sighting(isRead: isRead, file: file.id)
                }
            }
            if sightings[wanted.id] == nil, isRemembered(wanted, in: round.state) {
                sightings[wanted.id] = Sighting(isRead: true, file: nil)
            }
        }
        return sightings
    }

    /// Whether all of a short file is the beginning of what batches have read of one that was open.
    private func isRemembered(_ wanted: TrackedFile, in state: ShardState) -> Bool {
        let count = wanted.headByteCount
        guard wanted.offset == UInt64(count) else { return false }
        return state.files.contains { tracked in
            guard let head = heads[tracked.id], head.count >= count else { return false }
            let hasher = RangeHasher()
            head.prefix(count).withUnsafeBytes { hasher.update($0) }
            return hasher.digest == wanted.headHash
        }
    }

    // MARK: Remarks

    /// Says which unknown files have the inode of a file that is nowhere now.
    func noteReplaced(_ round: inout LookRound) {
        let inodes = Set(round.unclaimed.map(\.inode))
        for file in round.unknown where file.compression == nil && inodes.contains(file.id.inode) {
            round.remarks.append(.startsAnew(path: file.path))
        }
    }
}
