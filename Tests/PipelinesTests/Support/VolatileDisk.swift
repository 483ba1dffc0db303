import Foundation
import ObjectStorage
import Synchronization

/// The real file system with the memory of a disk's cache: records the calls that change it, dies or fails at one of
/// them, and on a power loss takes back what was not synced.
///
/// Nothing is really synced, so runs are quick. Files are read by their paths, also past this type.
final class VolatileDisk: FileSystem {
    /// A call that changes the disk.
    enum Change: Hashable {
        case create(String)
        case write(String)
        case sync(String)
        case link(String)
        case rename(String)
        case remove(String)
        case makeFolder(String)
        case syncFolder(String)

        var path: String {
            switch self {
            case .create(let path), .write(let path), .sync(let path), .link(let path), .rename(let path),
                .remove(let path), .makeFolder(let path), .syncFolder(let path):
                path
            }
        }
    }

    /// What comes to an end at a change.
    enum Fault: Hashable {
        /// The process: this change and all later ones are not made.
        case death
        /// This change alone.
        case failure
        /// This change alone, since there is no room for it.
        case noSpace
    }

    /// The error of a change that is not made.
    struct FaultError: Error {}

    /// What becomes of names that were not synced; bytes that were not are lost in any case.
    enum PowerLoss: CaseIterable {
        case namesLost
        case namesKept
    }

    private enum Undo {
        case remove(String)
        case restore(String, from: String)
    }

    private struct State {
        var changes: [Change] = []
        var fault: (kind: Fault, at: @Sendable (Int, Change) -> Bool)?
        var isDead = false
        var isOut = false
        /// By file, bytes that a power loss leaves of it; files that are missing here are whole.
        var syncedCounts: [UInt64: Int] = [:]
        /// By folder, how to take back the names that it got or lost since it was synced.
        var undoes: [String: [Undo]] = [:]
        var graveCount = 0
    }

    private let posix = PosixFileSystem()
    private let graveyard: String
    private let state = Mutex(State())

    /// Creates a disk over the real one.
    ///
    /// - Parameter graveyard: A folder for files that a power loss may bring back.
    init(graveyard: String) { self.graveyard = graveyard }

    /// The changes so far, in order.
    var changes: [Change] { state.withLock { $0.changes } }

    /// Whether the fault has come.
    var hasFailed: Bool { state.withLock { $0.fault == nil || $0.isDead } }

    /// Lets the first change that matches come to an end.
    func fail(_ kind: Fault, at matches: @escaping @Sendable (Int, Change) -> Bool) {
        state.withLock { $0.fault = (kind, matches) }
    }

    /// Lets no change be made from now on, until the disk is revived; processes live on.
    func failUntilRevived() { state.withLock { $0.isOut = true } }

    /// Lets a new process use the disk.
    func revive() {
        state.withLock {
            $0.isOut = false
            $0.fault = nil
            $0.isDead = false
        }
    }

    private func change(_ change: Change) throws {
        try state.withLock { state in
            let number = state.changes.count
            state.changes.append(change)
            if let fault = state.fault, fault.at(number, change) {
                state.fault = nil
                state.isDead = fault.kind == .death
                if fault.kind == .noSpace {
                    throw StorageError(code: .noSpace, operation: "write", path: "lake")
                }
                throw FaultError()
            }
            if state.isDead { throw FaultError() }
            if state.isOut { throw StorageError(code: .noSpace, operation: "write", path: change.path) }
        }
    }

    private func remember(_ undo: Undo, in folder: String) {
        state.withLock { $0.undoes[folder, default: []].append(undo) }
    }

    private func bury(_ path: String) throws -> String {
        let number = state.withLock { state in
            state.graveCount += 1
            return state.graveCount
        }
        let grave = "\(graveyard)/\(number)"
        try posix.link(path, to: grave)
        return grave
    }

    private func inode(_ path: String) throws -> UInt64 { try posix.status(path)?.inode ?? 0 }

    private func folder(of path: String) -> String { (path as NSString).deletingLastPathComponent }

    // MARK: Power loss

    /// Takes back what was not synced.
    func losePower(_ loss: PowerLoss, below root: String) throws {
        let (undoes, syncedCounts) = state.withLock { state in
            defer {
                state.undoes = [:]
                state.syncedCounts = [:]
            }
            return (loss == .namesLost ? state.undoes : [:], state.syncedCounts)
        }
        for undo in undoes.values.flatMap({ $0.reversed() }) {
            switch undo {
            case .remove(let path):
                if try posix.status(path) != nil { try FileManager.default.removeItem(atPath: path) }
            case .restore(let path, let grave):
                // The folder may be gone by now: its own name was not synced either.
                if try posix.status(folder(of: path)) != nil, try posix.status(path) == nil {
                    try posix.link(grave, to: path)
                }
            }
        }
        let paths = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        for path in paths {
            let file = "\(root)/\(path)"
            if let count = syncedCounts[try inode(file)] { truncate(file, count) }
        }
    }

    // MARK: FileSystem

    func create(_ path: String) throws -> Int32 {
        try change(.create(path))
        let handle = try posix.create(path)
        let inode = try inode(path)
        state.withLock { $0.syncedCounts[inode] = 0 }
        remember(.remove(path), in: folder(of: path))
        return handle
    }

    func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
        try change(.write(path))
        try posix.write(handle, bytes, path: path)
    }

    func sync(_ handle: Int32, path: String) throws {
        try change(.sync(path))
        let inode = try inode(path)
        state.withLock { _ = $0.syncedCounts.removeValue(forKey: inode) }
    }

    func close(_ handle: Int32) { posix.close(handle) }

    func link(_ source: String, to target: String) throws {
        try change(.link(target))
        try posix.link(source, to: target)
        remember(.remove(target), in: folder(of: target))
    }

    func rename(_ source: String, to target: String) throws {
        try change(.rename(target))
        let old = try posix.status(target) == nil ? nil : try bury(target)
        let grave = try bury(source)
        try posix.rename(source, to: target)
        if let old { remember(.restore(target, from: old), in: folder(of: target)) }
        remember(.remove(target), in: folder(of: target))
        remember(.restore(source, from: grave), in: folder(of: source))
    }

    func remove(_ path: String) throws {
        try change(.remove(path))
        guard let status = try posix.status(path) else {
            throw StorageError(code: .notFound, operation: "remove", path: path)
        }
        // A folder without names in it is missed by nobody.
        if status.isFolder { return try posix.remove(path) }
        let grave = try bury(path)
        try posix.remove(path)
        remember(.restore(path, from: grave), in: folder(of: path))
    }

    func makeFolder(_ path: String) throws -> Bool {
        if try posix.status(path)?.isFolder == true { return false }
        try change(.makeFolder(path))
        guard try posix.makeFolder(path) else { return false }
        remember(.remove(path), in: folder(of: path))
        return true
    }

    func syncFolder(_ path: String) throws {
        try change(.syncFolder(path))
        state.withLock { _ = $0.undoes.removeValue(forKey: path) }
    }

    func read(_ path: String) throws -> [UInt8] { try posix.read(path) }
    func list(_ path: String) throws -> [FileStatus] { try posix.list(path) }
    func status(_ path: String) throws -> FileStatus? { try posix.status(path) }
}
