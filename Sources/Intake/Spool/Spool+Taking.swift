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

    /// Copies what is unread of a file, or as much of it as there is room for; it counts once that is stored.
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
        try state.withLock { state in
            guard var changed = state.manifest else { return nil }
            let index = changed.files.firstIndex { $0.id == id }
            var entry =
                index.map { changed.files[$0] }
                ?? SpooledFile(
                    id: id,
                    path: file.found.path,
                    inode: file.found.inode,
                    modified: file.modified,
                    from: file.offset,
                    end: file.offset,
                    tracked: file.tracked
                )
            if index == nil, changed.isStartOver == false { entry.startsAt = file.found.byteCount }
            let before = entry
            // Batches have all of an older copy that ends elsewhere.
            let former = entry.end == file.offset ? nil : entry.copy
            if former != nil {
                entry.copy = nil
                entry.byteCount = 0
            }
            entry.path = file.found.path
            entry.inode = file.found.inode
            entry.modified = file.modified
            let isSound =
                try entry.copy.map { try SpoolDisk.byteCount("\(folder)/\($0)") >= entry.end } ?? true
            let (room, refusal) =
                isSound
                ? try room(beside: changed.byteCount, for: file, hasCopy: entry.copy != nil)
                : (0, .copyIsDamaged)
            var failure: StorageError?
            if room > 0 {
                let uncopied = entry
                if room > Self.largeByteCount {
                    // A process may be killed in the middle of it, and the file be gone before the next one looks.
                    entry.refused = try refused(file, reader, nil, id: id, host: host, unless: isStopped)
                    changed.set(entry)
                    state.manifest = changed
                    try store(&state)
                }
                do {
                    try copy(
                        room,
                        of: file,
                        reader,
                        to: &entry,
                        name: "copy-\(changed.next)",
                        unless: isStopped
                    )
                } catch let error as StorageError {
                    // What could not be copied was seen.
                    failure = error
                    entry = uncopied
                }
                changed.next += 1
            }
            guard try file.isIntact(reader) else {
                if before.copy != entry.copy, let copy = entry.copy {
                    try SpoolDisk.remove("\(folder)/\(copy)")
                }
                return nil
            }
            if entry.end > file.offset {
                entry.tracked = try reader.track(id: id, host: host, upTo: entry.end)
            }
            let seen = max(file.found.byteCount, before.refused?.file.offset ?? 0)
            entry.refused =
                try entry.end < seen
                ? refused(file, reader, before.refused, id: id, host: host, unless: isStopped) : nil
            guard entry != before || index == nil else {
                if let failure { throw failure }
                return (entry.tracked, refusal)
            }
            changed.set(entry)
            state.manifest = changed
            if let former { state.obsolete.append(former) }
            state.unstoredByteCount += max(entry.end, file.offset) - file.offset
            if state.unstoredByteCount >= storedEvery { try store(&state) }
            if let failure { throw failure }
            return (entry.tracked, refusal)
        }
    }

    private func refused(
        _ file: UnreadFile,
        _ reader: FileReader,
        _ known: SpooledFile.Refused?,
        id: String,
        host: String,
        unless isStopped: () -> Bool
    ) throws -> SpooledFile.Refused? {
        // Its end is found by decompressing it.
        if reader.stream != nil, isStopped() { return known }
        // What was seen and cut off since is wanted, too.
        if let known, known.file.offset >= file.found.byteCount { return known }
        return SpooledFile.Refused(
            file: try reader.track(id: id, host: host, upTo: file.found.byteCount),
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
    private func copy(
        _ count: UInt64,
        of file: UnreadFile,
        _ reader: FileReader,
        to entry: inout SpooledFile,
        name: String,
        unless isStopped: () -> Bool
    ) throws {
        let isNew = entry.copy == nil
        let path = "\(folder)/\(entry.copy ?? name)"
        let handle = Glibc.open(path, O_WRONLY | (isNew ? O_CREAT | O_TRUNC : 0) | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "write", path: path) }
        defer { close(handle) }
        var isDone = false
        // A copy that no manifest names would take room for ever.
        defer { if isNew, !isDone { unlink(path) } }
        if isNew {
            entry.copy = name
            entry.from = file.offset
            entry.end = file.offset
            let solid = entry.solidFrom
            let head = min(solid, UInt64(TailedFileSource.hashedByteCount))
            try SpoolDisk.copy(0..<head, of: reader, to: handle, path: path)
            try SpoolDisk.copy(solid..<file.offset, of: reader, to: handle, path: path)
            entry.byteCount = head + file.offset - solid
        }
        let range = file.offset..<file.offset + count
        let copied = try SpoolDisk.copy(range, of: reader, to: handle, path: path, unless: isStopped)
        let isWhole = copied.end == file.found.byteCount
        entry.end = isWhole ? copied.end : copied.border ?? file.offset
        guard entry.end > file.offset || !isNew else {
            entry.copy = nil
            entry.byteCount = 0
            return
        }
        entry.byteCount += entry.end - file.offset
        isDone = true
    }
}
