import BatchProtocol
import FoundationEssentials
import Glibc
import ObjectStorage
import Synchronization

extension Spool {
    /// Why a file was not taken, or only a part of it.
    package enum Refusal: Hashable, Sendable {
        /// The spool has all the bytes that it may have.
        case isFull
        /// The disk has no more room than is to be left.
        case diskIsFull
        /// The copy was removed or cut: what is written on would leave a hole.
        case copyIsDamaged
    }

    /// More bytes than this are noted as seen before they are copied.
    static let largeByteCount: UInt64 = 8 << 20

    /// A name for a file that no batch has.
    func newID() -> String {
        state.withLock { state in
            defer { state.manifest?.next += 1 }
            return "spool-\(state.manifest?.next ?? 0)"
        }
    }

    /// The id of a file of which nothing could be taken so far, by its first bytes.
    func idOfRefused(head: [UInt8]) -> String? {
        state.withLock { state in
            state.manifest?.files.first { file in
                file.tracked == nil
                    && file.refused.map { !$0.head.isEmpty && head.starts(with: $0.head) } ?? false
            }?.id
        }
    }

    /// The id of a file whose copy is gone or was cut, and whose bytes are there still; `damaged` has the ids of such files.
    func idOfDamaged(_ reader: FileReader, among damaged: Set<String>) throws -> String? {
        guard !damaged.isEmpty else { return nil }
        return try manifest?.files.first { file in
            guard damaged.contains(file.id), let tracked = file.tracked else { return false }
            let tail = tracked.offset - UInt64(tracked.tailByteCount)
            return try reader.hash(from: 0, byteCount: tracked.headByteCount) == tracked.headHash
                && reader.hash(from: tail, byteCount: tracked.tailByteCount) == tracked.tailHash
        }?.id
    }

    /// Copies what is unread of a file, or as much of it as there is room for; it counts once that is stored.
    ///
    /// Nobody waits for the copying: it goes on outside the lock.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - reader: The same, opened.
    ///   - id: Its id.
    ///   - host: This machine.
    ///   - isStopped: Ends the copying soon.
    /// - Returns: The file up to the last byte copied, and what kept the rest from it; nil when the file has changed meanwhile, or the outage was over.
    /// - Throws: `StorageError`; nothing more of the file counts as copied then, and all of it as seen.
    func take(
        _ file: UnreadFile,
        _ reader: FileReader,
        id: String,
        host: String,
        unless isStopped: () -> Bool
    ) throws -> (tracked: TrackedFile?, refusal: Refusal?)? {
        guard var taking = try plan(file, id: id) else { return nil }
        defer { state.withLock { $0.underWay = nil } }
        let origin = Origin(file: file, reader: reader, host: host)
        if taking.room > Self.largeByteCount { try noteAsSeen(origin, &taking, unless: isStopped) }
        var failure: StorageError?
        if taking.room > 0 {
            let uncopied = taking.entry
            do {
                try copy(origin, &taking, unless: isStopped)
            } catch let error as StorageError {
                // What could not be copied was seen.
                failure = error
                taking.entry = uncopied
            }
        }
        guard try file.isIntact(reader) else {
            try removeNewCopy(of: taking)
            return nil
        }
        if taking.entry.end > file.offset {
            taking.entry.tracked = try reader.track(id: id, host: host, upTo: taking.entry.end)
        }
        let seen = max(file.found.byteCount, taking.seenBefore?.file.offset ?? 0)
        taking.entry.refused =
            try taking.entry.end < seen ? refused(origin, taking, unless: isStopped) : nil
        guard try conclude(taking, from: file.offset) else { return nil }
        if let failure { throw failure }
        return (taking.entry.tracked, taking.refusal)
    }

    /// A file that is to be copied.
    private struct Origin {
        let file: UnreadFile
        let reader: FileReader
        let host: String
    }

    /// What comes of it.
    private struct Taking {
        /// What the manifest said of it; nothing was copied of one that it did not name.
        let before: SpooledFile
        /// What it will say.
        var entry: SpooledFile
        /// Whether the manifest named it.
        let isKnown: Bool
        /// Whether it was noted as seen since.
        var isNoted = false
        /// What was seen before and not copied, or was in a damaged copy, and is behind the file's end now.
        let seenBefore: SpooledFile.Refused?
        /// A copy that is of no use any more.
        let former: String?
        /// How many bytes may be copied.
        let room: UInt64
        let refusal: Refusal?
        /// The name of a new copy.
        let name: String
    }

    /// Finds out what may be copied of a file, and keeps others from its entry until that is done.
    ///
    /// - Returns: nil when the outage is over.
    private func plan(_ file: UnreadFile, id: String) throws -> Taking? {
        try state.withLock { state in
            guard var manifest = state.manifest else { return nil }
            let known = manifest.files.first { $0.id == id }
            var entry = known ?? SpooledFile(file, id: id)
            if known == nil, manifest.isStartOver == false { entry.startsAt = file.found.byteCount }
            let before = entry
            // Of an older copy that ends elsewhere batches have all, or it is damaged.
            let former = entry.end == file.offset ? nil : entry.copy
            let seenBefore = entry.refused ?? (former == nil ? nil : entry.cutOff(of: file))
            if former != nil { entry.beginAnew(file) }
            entry.path = file.found.path
            entry.inode = file.found.inode
            entry.modified = file.modified
            let isSound = try !isDamaged(entry)
            let (room, refusal) =
                isSound
                ? try room(beside: manifest.byteCount, for: file, hasCopy: entry.copy != nil)
                : (0, .copyIsDamaged)
            defer {
                if room > 0 { manifest.next += 1 }
                state.manifest = manifest
                state.underWay = id
            }
            return Taking(
                before: before,
                entry: entry,
                isKnown: known != nil,
                seenBefore: seenBefore,
                former: former,
                room: room,
                refusal: refusal,
                name: "copy-\(manifest.next)"
            )
        }
    }

    /// Notes all of a large file as seen: the process may be killed in the middle of the copying, and the file be gone
    /// before the next one looks.
    private func noteAsSeen(
        _ origin: Origin,
        _ taking: inout Taking,
        unless isStopped: () -> Bool
    ) throws {
        taking.entry.refused = try refused(origin, taking, unless: isStopped)
        taking.isNoted = true
        let entry = taking.entry
        try state.withLock { state in
            state.manifest?.set(entry)
            try store(&state)
        }
    }

    /// Takes down what has become of a file.
    ///
    /// - Returns: Whether the outage goes on.
    private func conclude(_ taking: Taking, from offset: UInt64) throws -> Bool {
        let isOpen = try state.withLock { state in
            guard state.manifest != nil else { return false }
            guard taking.entry != taking.before || !taking.isKnown || taking.isNoted else { return true }
            state.manifest?.set(taking.entry)
            if let former = taking.former { state.obsolete.append(former) }
            state.unstoredByteCount += max(taking.entry.end, offset) - offset
            if state.unstoredByteCount >= storedEvery { try store(&state) }
            return true
        }
        if !isOpen { try removeNewCopy(of: taking) }
        return isOpen
    }

    /// A copy that no manifest names would take room for ever.
    private func removeNewCopy(of taking: Taking) throws {
        guard taking.before.copy != taking.entry.copy, let copy = taking.entry.copy else { return }
        try SpoolDisk.remove("\(folder)/\(copy)")
    }

    /// What is noted of a file as seen and not copied.
    private func refused(
        _ origin: Origin,
        _ taking: Taking,
        unless isStopped: () -> Bool
    ) throws -> SpooledFile.Refused? {
        let (file, reader, known) = (origin.file, origin.reader, taking.seenBefore)
        // Its end is found by decompressing it.
        if reader.stream != nil, isStopped() { return known }
        // What was seen and cut off since is wanted, too.
        if let known, known.file.offset >= file.found.byteCount { return known }
        return SpooledFile.Refused(
            file: try reader.track(id: taking.entry.id, host: origin.host, upTo: file.found.byteCount),
            head: Data(
                try reader.bytes(
                    at: 0,
                    count: Int(min(file.found.byteCount, UInt64(TailedFileSource.hashedByteCount)))
                )
            )
        )
    }

    /// How many unread bytes of a file may be copied.
    private func room(
        beside taken: UInt64,
        for file: UnreadFile,
        hasCopy: Bool
    ) throws -> (byteCount: UInt64, refusal: Refusal?) {
        let context = hasCopy ? 0 : min(file.offset, 2 * UInt64(TailedFileSource.hashedByteCount))
        let bound = limits.byteCount > taken + context ? limits.byteCount - taken - context : 0
        let free = try freeByteCount(folder)
        let above = free > limits.diskFloor + context ? free - limits.diskFloor - context : 0
        let room = min(bound, above)
        guard room < file.unreadByteCount else { return (file.unreadByteCount, nil) }
        return (room, bound <= above ? .isFull : .diskIsFull)
    }

    /// Copies on; of a part only whole lines.
    private func copy(_ origin: Origin, _ taking: inout Taking, unless isStopped: () -> Bool) throws {
        let (file, reader) = (origin.file, origin.reader)
        let isNew = taking.entry.copy == nil
        let path = "\(folder)/\(taking.entry.copy ?? taking.name)"
        let handle = Glibc.open(path, O_WRONLY | (isNew ? O_CREAT | O_TRUNC : 0) | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "write", path: path) }
        defer { close(handle) }
        var isDone = false
        // A copy that no manifest names would take room for ever.
        defer { if isNew, !isDone { unlink(path) } }
        if isNew {
            taking.entry.copy = taking.name
            taking.entry.from = file.offset
            taking.entry.end = file.offset
            let solid = taking.entry.solidFrom
            let head = min(solid, UInt64(TailedFileSource.hashedByteCount))
            try SpoolDisk.copy(0..<head, of: reader, to: handle, path: path)
            try SpoolDisk.copy(solid..<file.offset, of: reader, to: handle, path: path)
            taking.entry.byteCount = head + file.offset - solid
        }
        let range = file.offset..<file.offset + taking.room
        let copied = try SpoolDisk.copy(range, of: reader, to: handle, path: path, unless: isStopped)
        let isWhole = copied.end == file.found.byteCount
        taking.entry.end = isWhole ? copied.end : copied.border ?? file.offset
        guard taking.entry.end > file.offset || !isNew else {
            taking.entry.copy = nil
            taking.entry.byteCount = 0
            return
        }
        taking.entry.byteCount += taking.entry.end - file.offset
        isDone = true
    }
}
