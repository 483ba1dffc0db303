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
    }

    /// The folder.
    package let folder: String
    let limits: Limits
    let freeByteCount: @Sendable (String) throws -> UInt64
    let state: Mutex<State>
    /// After so many copied bytes the manifest is stored, also in the middle of a look.
    let storedEvery: UInt64
    private let disk: any FileSystem
    private let lock: Int32

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
        guard let lock = try SpoolDisk.lock("\(folder)/lock", isPatient: isPatient) else { return nil }
        do {
            let manifest = try SpoolManifest.read(folder)
            try SpoolDisk.removeStrays(in: folder, besides: manifest)
            return Spool(folder, limits, manifest, lock, freeByteCount, storedEvery, disk)
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
        _ freeByteCount: @escaping @Sendable (String) throws -> UInt64,
        _ storedEvery: UInt64,
        _ disk: any FileSystem
    ) {
        self.folder = folder
        self.limits = limits
        self.lock = lock
        self.freeByteCount = freeByteCount
        self.storedEvery = storedEvery
        self.disk = disk
        state = Mutex(State(manifest: manifest, stored: manifest))
    }

    deinit { close(lock) }

    /// What it holds; nil for nothing.
    package var manifest: SpoolManifest? { state.withLock { $0.manifest } }

    /// Bytes that are free on the disk of a folder.
    package static func freeByteCount(_ folder: String) throws -> UInt64 {
        try SpoolDisk.freeByteCount(folder)
    }

    /// Whether a process has the spool of a folder, as far as can be seen.
    package static func isInUse(_ folder: String) -> Bool { SpoolDisk.isLocked("\(folder)/lock") }

    // MARK: Positions

    private var positionsPath: String { "\(folder)/positions.json" }

    /// Stores how far batches have read the files, for a process that begins while the lake cannot be asked.
    package func note(_ positions: [TrackedFile]) throws {
        try SpoolDisk.replace(positionsPath, with: positions, in: folder, disk)
    }

    /// How far batches had read the files when that was last noted; never further than they have.
    package func positions() throws -> [TrackedFile] {
        try SpoolDisk.read([TrackedFile].self, positionsPath) ?? []
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
        try change { manifest in
            if manifest == nil {
                manifest = SpoolManifest(since: since, reason: reason)
                manifest?.isStartOver = isFromStart ? false : nil
            }
            manifest?.isOpen = true
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
        try change { manifest in
            manifest?.isOpen = false
            if manifest?.files.isEmpty == true { manifest = nil }
        }
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

    // MARK: The manifest

    /// Changes the manifest and stores it.
    private func change(_ body: (inout SpoolManifest?) -> Void) throws {
        try state.withLock { state in
            body(&state.manifest)
            try store(&state)
        }
    }

    /// Stores what was taken: it counts from then on.
    func store() throws { try state.withLock { try store(&$0) } }

    /// Stores the manifest unless it is; what cannot be stored now is stored with the next change.
    func store(_ state: inout State) throws {
        guard state.manifest != state.stored else { return }
        if let manifest = state.manifest {
            try SpoolDisk.replace("\(folder)/\(SpoolManifest.name)", with: manifest, in: folder, disk)
        } else {
            try SpoolDisk.remove("\(folder)/\(SpoolManifest.name)")
        }
        state.stored = state.manifest
        state.unstoredByteCount = 0
        while let name = state.obsolete.popLast() { try SpoolDisk.remove("\(folder)/\(name)") }
    }
}
