import BatchProtocol
import CFileSystem
import Glibc
import ObjectStorage

/// The log files of one source, with what was seen of them at the last look.
///
/// A look at files that have not changed takes one stat of each. Of the files that may still grow the 16 newest stay open,
/// so that one that is removed can be read to its end.
///
/// Belongs to one thread.
package final class TailedFiles {
    /// What the files are named by.
    package let source: TailedFileSource

    let readers = OpenReaders()
    let comparisons = PrefixComparisons()
    var known: [FileID: KnownFile] = [:]
    var current = CurrentLogfiles()
    /// First bytes of files that may be truncated, by tracked id: a copy shorter than the hashed part is known by them.
    var heads: [String: [UInt8]] = [:]
    /// Size and time of each file at the last look; nil before the first.
    private var lastStatuses: [FileID: LogFileStatus]?

    private let clock: () -> Int64

    /// Has seen nothing yet.
    ///
    /// - Parameters:
    ///   - source: What the files are named by.
    ///   - clock: The clock that the kernel stamps files with, in nanoseconds since 1970-01-01 UTC.
    package init(source: TailedFileSource, clock: @escaping () -> Int64 = TailedFiles.kernelClock) {
        self.source = source
        self.clock = clock
    }

    /// What is unread, and what has become of the files that were read.
    ///
    /// A file is one that was read before when its first bytes and the bytes before the offset are the same, decompressed; its
    /// inode only decides between several such. A file whose bytes are the beginning of another file is a copy and not read.
    ///
    /// - Parameters:
    ///   - state: What earlier batches have read.
    ///   - seen: Files as they were seen at another time, which are looked for by their bytes.
    ///   - isCalledOff: Ends it soon, also in the middle of a compressed file.
    /// - Returns: The files with unread bytes, what a person should know, what cannot be read and what is gone.
    /// - Throws: `StorageError` for a folder that cannot be listed, or when the machine's limits are reached; `LookCalledOff`.
    package func look(
        after state: ShardState,
        for seen: [TrackedFile] = [],
        unless isCalledOff: () -> Bool = { false }
    ) throws -> Look {
        rememberHeads(state)
        let now = clock()
        let listing = try FileListing(of: source, current: &current)
        var round = LookRound(state: state, remarks: listing.remarks)
        round.isWhole = listing.isWhole && listing.hasOriginals
        round.hidden = listing.hidden
        try gather(listing, now: now, into: &round, unless: isCalledOff)
        try claim(&round)
        try separateCopies(&round)
        try claimFinishedCopies(&round)
        try doubtUnknownFiles(&round)
        noteReplaced(&round)
        let sightings = try sight(seen, in: round)
        var look = try finish(round)
        look.sightings = sightings
        look.damagedCopies = listing.damagedCopies
        return look
    }

    /// Where a planned range can be read now: at its path, or in any file that holds its bytes, compressed or removed ones too.
    ///
    /// - Returns: nil when none holds them.
    /// - Throws: `StorageError` for a file that cannot be read.
    package func locate(_ range: SourceRange) throws -> FileReader? {
        let listing = try FileListing(of: source, current: &current)
        // The file that has the name, then the others; newest first, for a plan is young when it is redone.
        let others = listing.files.reversed().filter { $0.copied == nil && $0.path != range.file.path }.map(
            \.path
        )
        let copies = listing.files.filter { $0.copied != nil }.map(\.path)
        for path in [range.file.path] + others + copies {
            guard let status = try LogFileStatus.at(path), status.isRegular,
                Compression(path: path) != nil || status.byteCount >= range.file.offset,
                let reader = try FileReader.openIfThere(path)
            else { continue }
            if try holds(reader, range) { return reader }
        }
        for file in known.values {
            if let reader = file.reader, try holds(reader, range) { return reader }
        }
        return nil
    }

    private func holds(_ reader: FileReader, _ range: SourceRange) throws -> Bool {
        // A file that was cut or damaged does not hold what cannot be decompressed.
        do {
            let head = range.file.headByteCount
            // Nobody changes a compressed file: its first bytes save decompressing the rest.
            if reader.stream != nil, try reader.hash(from: 0, byteCount: head) != range.file.headHash {
                return false
            }
            return try reader.hash(from: range.from, byteCount: Int(range.byteCount)) == range.hash
        } catch let error as StorageError where error.code == .other(EBADMSG) {
            return false
        }
    }

    /// The time as the kernel stamps files with it: that of the last tick.
    package static func kernelClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: What is there

    /// Brings what is known up to date and inspects the bytes of new and changed files.
    private func gather(
        _ listing: FileListing,
        now: Int64,
        into round: inout LookRound,
        unless isCalledOff: () -> Bool
    ) throws {
        for file in known.values { file.isFound = false }
        var files: [KnownFile] = []
        for listed in listing.files where listed.status.byteCount > 0 {
            let file = refresh(listed, now: now)
            file.isFound = true
            files.append(file)
        }
        // A copy that left the spool was read.
        known = known.filter { $0.value.isFound || ($0.value.reader != nil && $0.value.copied == nil) }
        for file in known.values where !file.isFound {
            guard let reader = file.reader else { continue }
            let status = try reader.file.status(path: file.path)
            file.update(ListedFile(path: file.path, status: status), now: now)
            if file.reader != nil { files.append(file) }
        }
        files.sort { ($0.status.modified, $0.path) < ($1.status.modified, $1.path) }
        let paths = Set(listing.files.map(\.path))
        for file in files {
            do {
                guard try file.inspect(readers, tracked: round.state.files, unless: isCalledOff) else {
                    // Met again, under its new name, by the next look.
                    round.isWhole = false
                    round.hidden.append(file.path)
                    continue
                }
            } catch let error as StorageError where error.concernsOneFile {
                round.isWhole = false
                round.hidden.append(file.path)
                round.unreadable.append(error)
                continue
            }
            if try isReadable(file, beside: paths, now: now, &round), file.byteCount > 0 {
                round.files.append(file)
            }
        }
    }

    private func refresh(_ listed: ListedFile, now: Int64) -> KnownFile {
        if let file = known[listed.status.id], (file.copied == nil) == (listed.copied == nil),
            file.copied != nil || file.compression == Compression(path: listed.path)
        {
            file.update(listed, now: now)
            return file
        }
        let file = KnownFile(listed)
        file.update(listed, now: now)
        known[file.id] = file
        return file
    }

    /// Whether a file is plain, or compressed and whole.
    private func isReadable(
        _ file: KnownFile,
        beside paths: Set<String>,
        now: Int64,
        _ round: inout LookRound
    ) throws -> Bool {
        guard file.end != .whole else { return true }
        round.isWhole = false
        let isBeingMade = try Compression.plainPath(of: file.path).map { plain in
            try paths.contains(plain) || LogFileStatus.at(plain) != nil
        }
        // The file that it is being made from is still there and is read instead.
        guard isBeingMade != true else { return false }
        // Bytes may still come; one that is damaged, or was cut long ago, holds nothing that can be read.
        if file.end == .cut, now - file.status.modified < Self.longestPause { round.hidden.append(file.path) }
        round.remarks.append(
            file.end == .cut ? .endsTooEarly(path: file.path) : .isDamaged(path: file.path)
        )
        return false
    }

    /// How long a compressed file that ends too early may still be on its way, in nanoseconds.
    private static let longestPause: Int64 = 600_000_000_000

    // MARK: What it comes to

    /// Tells the unread files, remembers what was seen and keeps open what may go on.
    private func finish(_ round: LookRound) throws -> Look {
        var look = Look(remarks: round.remarks, unreadable: round.unreadable, hidden: round.hidden)
        if round.isWhole {
            look.absent = round.state.files.map(\.id).filter { !round.claimed.contains($0) }
        }
        let named = Set(try current.paths.compactMap { try LogFileStatus.at($0)?.id })
        let newest = round.files.last {
            $0.compression == nil && $0.isFound && $0.copied == nil && !round.isAside($0)
        }
        var unread: [(file: KnownFile, isClosed: Bool)] = []
        var kept: [KnownFile] = []
        var keptRemoved: [KnownFile] = []
        var keptStreams: [KnownFile] = []
        for file in round.files {
            file.claim = round.claims[file.id]?.id
            if let copied = file.copied, let name = copied.copy, round.isRead(file) {
                look.readCopies.append(SpooledCopy(name: name, end: copied.end))
            }
            guard !round.isAside(file) else { continue }
            if let copied = file.copied, copied.solidFrom > 0,
                copied.from > round.claims[file.id]?.offset ?? 0
            {
                look.remarks.append(.copyDoesNotFit(path: file.path))
                continue
            }
            let hasSuccessor = newest.map { $0.id != file.id && $0.isLater(than: file) } ?? false
            let hasUnread = file.byteCount > round.claims[file.id]?.offset ?? 0
            let isSucceeded =
                hasSuccessor && !named.contains(file.id) && (!hasUnread || isLeft(file, in: round))
            let isClosed = isClosed(file, hasSuccessor: isSucceeded)
            if hasUnread { unread.append((file, isClosed)) }
            if file.compression != nil {
                // Only the next one: a stream takes much memory, and is read from where the last batch ended.
                guard hasUnread, keptStreams.isEmpty, try readers.reader(of: file) != nil else { continue }
                keptStreams.append(file)
            } else if !file.isFound, hasUnread || !hasSuccessor {
                // It may still be written to until its writer goes on to another one.
                keptRemoved.append(file)
            } else if hasUnread || !isClosed {
                kept.append(file)
            }
        }
        readers.keep(kept + keptRemoved + keptStreams)
        look.files = unread.map { file, isClosed in
            UnreadFile(file, tracked: round.claims[file.id], isClosed: isClosed)
        }
        look.finishedCopies = round.finishedCopies.map { UnreadFile($0, tracked: nil, isClosed: true) }
        remember(round)
        return look
    }

    /// How long a file is quiet beside others that are written to before it counts as left, in nanoseconds.
    private static let quietTime: Int64 = 60_000_000_000

    /// Whether the writer of a file has gone on to the later ones: each was created after the last write to this one.
    ///
    /// Files that grow side by side were there before; of those one is left when it has been quiet for long.
    private func isLeft(_ file: KnownFile, in round: LookRound) -> Bool {
        let later = round.files.filter {
            $0.compression == nil && $0.isFound && $0.copied == nil && !round.isAside($0)
                && $0.isLater(than: file)
        }
        guard let newest = later.last else { return false }
        if newest.status.modified - file.status.modified >= Self.quietTime { return true }
        return later.allSatisfy { fs_birth($0.path) >= file.status.modified }
    }

    private func isClosed(_ file: KnownFile, hasSuccessor: Bool) -> Bool {
        if file.compression != nil { return true }
        if let lastStatuses {
            guard let last = lastStatuses[file.id], last.byteCount == file.status.byteCount,
                last.modified == file.status.modified
            else { return false }
        }
        return hasSuccessor || (!file.isFound && file.status.linkCount == 0)
    }

    private func remember(_ round: LookRound) {
        lastStatuses = Dictionary(uniqueKeysWithValues: round.files.map { ($0.id, $0.status) })
        comparisons.forgetUnused()
    }

    /// Keeps the first bytes of open files, as the state now knows them, before they may be found truncated.
    private func rememberHeads(_ state: ShardState) {
        let open = Dictionary(
            known.values.filter { $0.compression == nil && $0.reader != nil }.map { ($0.id.inode, $0) }
        ) { $1 }
        var kept: [String: [UInt8]] = [:]
        // The newest files come last in the state.
        for tracked in state.files.reversed() {
            if let file = open[tracked.inode], file.begins(like: tracked) {
                kept[tracked.id] = file.head.map { Array($0.prefix(tracked.headByteCount)) }
            } else if kept.count < Self.rememberedHeadCount {
                kept[tracked.id] = heads[tracked.id]
            }
        }
        heads = kept
    }

    private static let rememberedHeadCount = 256
}

extension KnownFile {
    /// The order of files: by time, those of one time by path.
    func isLater(than file: KnownFile) -> Bool {
        (status.modified, path) > (file.status.modified, file.path)
    }
}
