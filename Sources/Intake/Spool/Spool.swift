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

    /// What the spool holds.
    struct State {
        /// With what was taken since it was stored last.
        var manifest: SpoolManifest?
        /// As it is stored.
        var stored: SpoolManifest?
        /// Bytes that were copied since it was stored.
        var unstoredByteCount: UInt64 = 0
        /// Copies that no manifest will name once it is stored.
        var obsolete: [String] = []
        /// Id of the file that is being copied: its entry and its copy stay as they are meanwhile.
        var underWay: String?
        /// How far batches had read the files when this process noted it last.
        var positions: [TrackedFile]?
        /// The lock.
        var lock: Int32
        /// Whether somebody has removed the folder since that was asked for.
        var wasRemoved = false
    }

    /// The folder.
    package let folder: String
    /// Where a manifest that was damaged lies now, with its copies; nil when there was none.
    package let setAside: String?
    let limits: Limits
    let freeByteCount: @Sendable (String) throws -> UInt64
    let state: Mutex<State>
    /// After so many copied bytes the manifest is stored, also in the middle of a look.
    let storedEvery: UInt64
    let disk: any FileSystem

    /// Opens a spool for writing.
    ///
    /// - Parameters:
    ///   - folder: Its folder; absolute.
    ///   - limits: What it may take.
    ///   - isMade: Whether the folder is made when it is not there; else one that holds nothing is left alone.
    ///   - isPatient: Whether half a second is waited for a process that may be about to end.
    ///   - freeByteCount: Bytes that are free on the disk of a folder.
    ///   - storedEvery: After so many copied bytes the manifest is stored, also in the middle of a look.
    ///   - disk: Makes the manifest durable.
    /// - Returns: nil when another process has it, or when it holds nothing and is not to be made.
    /// - Throws: `StorageError`.
    package static func open(
        _ folder: String,
        limits: Limits,
        isMade: Bool,
        isPatient: Bool = true,
        freeByteCount: @escaping @Sendable (String) throws -> UInt64 = { try Spool.freeByteCount($0) },
        storedEvery: UInt64 = 64 << 20,
        disk: any FileSystem = PosixFileSystem()
    ) throws -> Spool? {
        if isMade {
            try SpoolDisk.makeFolder(folder)
            try SpoolDisk.makePrivate(folder)
        } else if try SpoolManifest.read(folder) == nil {
            return nil
        }
        var setAside: String?
        guard let lock = try SpoolDisk.lock(lockPath(in: folder), isPatient: isPatient) else { return nil }
        do {
            let manifest: SpoolManifest?
            do {
                manifest = try SpoolManifest.read(folder)
            } catch let error as StorageError where isMade && error.code == .other(EBADMSG) {
                setAside = try SpoolDisk.setAside(in: folder)
                manifest = nil
            }
            try SpoolDisk.removeStrays(in: folder, besides: manifest)
            return Spool(folder, limits, manifest, setAside, lock, freeByteCount, storedEvery, disk)
        } catch {
            close(lock)
            throw error
        }
    }

    private init(
        _ folder: String,
        _ limits: Limits,
        _ manifest: SpoolManifest?,
        _ setAside: String?,
        _ lock: Int32,
        _ freeByteCount: @escaping @Sendable (String) throws -> UInt64,
        _ storedEvery: UInt64,
        _ disk: any FileSystem
    ) {
        self.folder = folder
        self.limits = limits
        self.setAside = setAside
        self.freeByteCount = freeByteCount
        self.storedEvery = storedEvery
        self.disk = disk
        state = Mutex(State(manifest: manifest, stored: manifest, lock: lock))
    }

    deinit { state.withLock { _ = close($0.lock) } }

    /// What it holds; nil for nothing.
    package var manifest: SpoolManifest? { state.withLock { $0.manifest } }

    /// Bytes that are free on the disk of a folder.
    package static func freeByteCount(_ folder: String) throws -> UInt64 {
        try SpoolDisk.freeByteCount(folder)
    }

    /// Whether a process has the spool of a folder, as far as can be seen.
    package static func isInUse(_ folder: String) -> Bool { SpoolDisk.isLocked(lockPath(in: folder)) }

    static func lockPath(in folder: String) -> String { "\(folder)/lock" }

    // MARK: Positions

    /// Where positions are stored.
    package static func positionsPath(in folder: String) -> String { "\(folder)/positions.json" }

    /// Stores how far batches have read the files, for a process that begins while the lake cannot be asked.
    package func note(_ positions: [TrackedFile]) throws {
        try state.withLock { state in
            state.positions = positions
            // Made anew, the folder has them.
            if try !hold(&state) { try storePositions(positions) }
        }
    }

    func storePositions(_ positions: [TrackedFile]) throws {
        try SpoolDisk.replace(Self.positionsPath(in: folder), with: positions, in: folder, disk)
    }

    /// How far batches had read the files when that was last noted, which is kept in mind from now on.
    ///
    /// A note that is damaged says nothing: all is spooled then.
    func recallPositions() throws -> [TrackedFile] {
        let positions: [TrackedFile]
        do {
            positions = try Self.positions(in: folder)
        } catch let error as StorageError where error.code == .other(EBADMSG) {
            return []
        }
        state.withLock { $0.positions = positions }
        return positions
    }

    /// How far batches had read the files when that was last noted in a folder, which need not be there; never further
    /// than they have.
    package static func positions(in folder: String) throws -> [TrackedFile] {
        try SpoolDisk.read([TrackedFile].self, positionsPath(in: folder)) ?? []
    }

    // MARK: An outage

    /// Begins to spool, or goes on after an earlier process.
    ///
    /// - Parameters:
    ///   - since: Microseconds since 1970-01-01 UTC.
    ///   - reason: What the lake failed with.
    ///   - isFromStart: Whether no position is known.
    /// - Throws: `StorageError`; it is begun nevertheless, and stored with the next change.
    func begin(since: Int64, reason: String, isFromStart: Bool) throws {
        try change { state in
            if state.manifest == nil {
                state.manifest = SpoolManifest(since: since, reason: reason)
                state.manifest?.isStartOver = isFromStart ? false : nil
            }
            state.manifest?.isOpen = true
        }
    }

    /// Takes down that all files were looked at once.
    func endStart() {
        state.withLock { state in
            if state.manifest?.isStartOver == false { state.manifest?.isStartOver = true }
        }
    }

    /// Takes down that the lake is back.
    package func end() throws {
        try change { state in
            state.manifest?.isOpen = false
            if state.manifest?.files.isEmpty == true { state.manifest = nil }
        }
    }

    // MARK: Afterwards

    /// Removes copies of which batches have all, unless they have grown meanwhile or are written just now.
    package func remove(_ copies: [SpooledCopy]) throws {
        try change { state in
            guard var changed = state.manifest else { return }
            for (index, file) in changed.files.enumerated() where file.id != state.underWay {
                guard let name = file.copy, copies.contains(SpooledCopy(name: name, end: file.end)) else {
                    continue
                }
                state.obsolete.append(name)
                changed.files[index].copy = nil
                changed.files[index].byteCount = 0
            }
            // What was seen and not copied is kept in mind until all is read.
            changed.files.removeAll { $0.copy == nil && $0.refused == nil && $0.id != state.underWay }
            state.manifest = changed.files.isEmpty && !changed.isOpen ? nil : changed
        }
    }

    /// Forgets files of which batches have all that was seen, or name it as lost, unless more was seen meanwhile.
    package func settle(_ settled: Set<TrackedFile>) throws {
        try change { state in
            guard var changed = state.manifest else { return }
            changed.files.removeAll { file in
                guard let seen = file.seen, settled.contains(seen), file.id != state.underWay else {
                    return false
                }
                if let copy = file.copy { state.obsolete.append(copy) }
                return true
            }
            state.manifest = changed.files.isEmpty && !changed.isOpen ? nil : changed
        }
    }

    // MARK: The manifest

    /// Changes what is held and stores it; what cannot be stored is stored with the next change.
    private func change(_ body: (inout State) -> Void) throws {
        try state.withLock { state in
            body(&state)
            try store(&state)
        }
    }

    /// Stores what was taken: it counts from then on.
    func store() throws { try state.withLock { try store(&$0) } }

    /// Stores the manifest unless it is; what cannot be stored now is stored with the next change.
    func store(_ state: inout State) throws {
        try hold(&state)
        guard state.manifest != state.stored else { return }
        if let manifest = state.manifest {
            try SpoolDisk.replace(manifestPath, with: manifest, in: folder, disk)
        } else {
            try SpoolDisk.remove(manifestPath)
        }
        state.stored = state.manifest
        state.unstoredByteCount = 0
        while let name = state.obsolete.popLast() { try SpoolDisk.remove("\(folder)/\(name)") }
    }

    var manifestPath: String { "\(folder)/\(SpoolManifest.name)" }
}
