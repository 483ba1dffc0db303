import BatchProtocol
import FoundationEssentials
import Glibc
import ObjectStorage
import Synchronization

/// Copies of log files that nobody could read into the lake yet, in a folder of one pipeline.
///
/// One process at a time writes it; others may read its manifest and its copies. A copy counts up to the offset that the
/// manifest names, which is stored when the bytes are durable: what a killed process left behind it means nothing.
package final class Spool: Sendable {
    /// What a spool may take.
    package struct Limits: Hashable, Sendable {
        /// Most bytes of all copies.
        package var byteCount: UInt64
        /// Bytes of the disk that stay free.
        package var diskFloor: UInt64

        /// Creates limits.
        package init(byteCount: UInt64, diskFloor: UInt64) {
            self.byteCount = byteCount
            self.diskFloor = diskFloor
        }
    }

    /// The folder.
    package let folder: String
    private let limits: Limits
    private let freeByteCount: @Sendable (String) throws -> UInt64
    private let lock: Int32
    private let stored: Mutex<SpoolManifest?>

    /// Opens a spool for writing.
    ///
    /// - Parameters:
    ///   - folder: Its folder; absolute.
    ///   - limits: What it may take.
    ///   - isMade: Whether the folder is made when it is not there; else one that holds nothing is left alone.
    ///   - isPatient: Whether half a second is waited for a process that may be about to end.
    ///   - freeByteCount: Bytes that are free on the disk of a folder.
    /// - Returns: nil when another process has it, or when it holds nothing and is not to be made.
    /// - Throws: `StorageError`.
    package static func open(
        _ folder: String,
        limits: Limits,
        isMade: Bool,
        isPatient: Bool = true,
        freeByteCount: (@Sendable (String) throws -> UInt64)? = nil
    ) throws -> Spool? {
        if isMade {
            try SpoolDisk.makeFolder(folder)
            try SpoolDisk.makePrivate(folder)
        } else if try SpoolManifest.read(folder) == nil {
            return nil
        }
        guard let lock = try SpoolDisk.lock("\(folder)/lock", isPatient: isPatient) else { return nil }
        do {
            let manifest = try SpoolManifest.read(folder)
            try SpoolDisk.removeStrays(in: folder, besides: manifest)
            return Spool(folder, limits, manifest, lock, freeByteCount ?? { try SpoolDisk.freeByteCount($0) })
        } catch {
            close(lock)
            throw error
        }
    }

    private init(
        _ folder: String,
        _ limits: Limits,
        _ manifest: SpoolManifest?,
        _ lock: Int32,
        _ freeByteCount: @escaping @Sendable (String) throws -> UInt64
    ) {
        self.folder = folder
        self.limits = limits
        self.lock = lock
        self.freeByteCount = freeByteCount
        stored = Mutex(manifest)
    }

    deinit { close(lock) }

    /// What it holds; nil for nothing.
    package var manifest: SpoolManifest? { stored.withLock { $0 } }

    /// Bytes that are free on the disk of a folder.
    package static func freeByteCount(_ folder: String) throws -> UInt64 {
        try SpoolDisk.freeByteCount(folder)
    }

    // MARK: Positions

    private var positionsPath: String { "\(folder)/positions.json" }

    /// Stores how far batches have read the files, for a process that begins while the lake cannot be asked.
    package func note(_ positions: [TrackedFile]) throws {
        try SpoolDisk.replace(positionsPath, with: positions, in: folder)
    }

    /// How far batches had read the files when that was last noted; never further than they have.
    package func positions() throws -> [TrackedFile] {
        try SpoolDisk.read([TrackedFile].self, positionsPath) ?? []
    }

    // MARK: An outage

    /// Begins to spool, or goes on after an earlier process.
    func begin(since: Int64, reason: String) throws {
        try change { manifest in
            manifest = manifest ?? SpoolManifest(since: since, reason: reason)
            manifest?.isOpen = true
        }
    }

    /// Takes down that the lake is back.
    package func end() throws {
        try change { manifest in
            manifest?.isOpen = false
            if manifest?.files.isEmpty == true { manifest = nil }
        }
    }

    /// Why a file was not taken, or only a part of it.
    package enum Refusal: Hashable, Sendable {
        /// The spool has all the bytes that it may have.
        case isFull
        /// The disk has no more room than is to be left.
        case diskIsFull
        /// The copy was removed or cut: what is written on would leave a hole.
        case copyIsDamaged
    }

    /// A name for a file that no batch has.
    func newID() -> String {
        stored.withLock { manifest in
            defer { manifest?.next += 1 }
            return "spool-\(manifest?.next ?? 0)"
        }
    }

    /// The id of a file of which nothing could be taken so far, by its first bytes.
    func idOfRefused(head: [UInt8]) -> String? {
        stored.withLock { manifest in
            manifest?.files.first { file in
                file.tracked == nil
                    && file.refused.map { !$0.head.isEmpty && head.starts(with: $0.head) } ?? false
            }?.id
        }
    }

    /// Copies what is unread of a file, or as much of it as there is room for.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - reader: The same, opened.
    ///   - id: Its id.
    ///   - host: This machine.
    /// - Returns: The file up to the last byte copied, and what kept the rest from it; nil when the file has changed meanwhile, or the outage was over.
    /// - Throws: `StorageError`; nothing more of the file counts as copied then.
    func take(
        _ file: UnreadFile,
        _ reader: FileReader,
        id: String,
        host: String
    ) throws -> (tracked: TrackedFile?, refusal: Refusal?)? {
        try stored.withLock { manifest in
            guard var changed = manifest else { return nil }
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
            if room > 0 {
                try copy(room, of: file, reader, to: &entry, name: "copy-\(changed.next)")
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
            entry.refused =
                try entry.end < file.found.byteCount
                ? refused(file, reader, before.refused, id: id, host: host) : nil
            guard entry != before || index == nil else { return (entry.tracked, refusal) }
            if let index { changed.files[index] = entry } else { changed.files.append(entry) }
            try store(changed)
            manifest = changed
            if let former { try SpoolDisk.remove("\(folder)/\(former)") }
            return (entry.tracked, refusal)
        }
    }

    private func refused(
        _ file: UnreadFile,
        _ reader: FileReader,
        _ known: SpooledFile.Refused?,
        id: String,
        host: String
    ) throws -> SpooledFile.Refused {
        if let known, known.file.offset == file.found.byteCount { return known }
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
        name: String
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
        let border = try SpoolDisk.copy(range, of: reader, to: handle, path: path)
        entry.end = count < file.unreadByteCount ? border ?? file.offset : range.upperBound
        guard entry.end > file.offset || !isNew else {
            entry.copy = nil
            entry.byteCount = 0
            return
        }
        entry.byteCount += entry.end - file.offset
        try PosixFileSystem().sync(handle, path: path)
        isDone = true
    }

    // MARK: Afterwards

    /// Removes copies of which batches have all, unless they have grown meanwhile.
    package func remove(_ copies: [SpooledCopy]) throws {
        var removed: [String] = []
        try change { manifest in
            guard var changed = manifest else { return }
            for index in changed.files.indices {
                guard let name = changed.files[index].copy,
                    copies.contains(SpooledCopy(name: name, end: changed.files[index].end))
                else { continue }
                removed.append(name)
                changed.files[index].copy = nil
                changed.files[index].byteCount = 0
            }
            // What was seen and not copied is kept in mind until all is read.
            changed.files.removeAll { $0.copy == nil && $0.refused == nil }
            manifest = changed.files.isEmpty && !changed.isOpen ? nil : changed
        }
        for name in removed { try SpoolDisk.remove("\(folder)/\(name)") }
    }

    /// Forgets files of which batches have all that was seen, or name it as lost, unless more was seen meanwhile.
    package func settle(_ settled: Set<TrackedFile>) throws {
        var removed: [String] = []
        try change { manifest in
            guard var changed = manifest else { return }
            changed.files.removeAll { file in
                guard let seen = file.seen, settled.contains(seen) else { return false }
                if let copy = file.copy { removed.append(copy) }
                return true
            }
            manifest = changed.files.isEmpty && !changed.isOpen ? nil : changed
        }
        for name in removed { try SpoolDisk.remove("\(folder)/\(name)") }
    }

    private func change(_ body: (inout SpoolManifest?) -> Void) throws {
        try stored.withLock { manifest in
            var changed = manifest
            body(&changed)
            guard changed != manifest else { return }
            if let changed {
                try store(changed)
            } else {
                try SpoolDisk.remove("\(folder)/\(SpoolManifest.name)")
            }
            manifest = changed
        }
    }

    private func store(_ manifest: SpoolManifest) throws {
        try SpoolDisk.replace("\(folder)/\(SpoolManifest.name)", with: manifest, in: folder)
    }
}
