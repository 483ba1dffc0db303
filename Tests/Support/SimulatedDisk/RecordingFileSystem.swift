import ObjectStorage
import Synchronization

/// A file system in memory that records every call, fails the calls it is told to, and can lose power.
///
/// What survives a power loss is what was synced: of a file's bytes those that `sync` covered, of a folder's names
/// those that `syncFolder` covered. Everything else may or may not have reached the disk; `losePower` takes the worst
/// case that it is told to.
package final class RecordingFileSystem: FileSystem {
    private let state: Mutex<DiskState>

    /// Creates a disk with folders that have long been there.
    package init(folders: [String] = []) { state = Mutex(DiskState(folders: folders)) }

    // MARK: Recording

    /// The calls so far, in order; those that failed too.
    package var calls: [FileSystemCall] { state.withLock { $0.calls } }

    /// Lets one call fail.
    ///
    /// - Parameters:
    ///   - number: The number of the call in `calls`, from 0.
    ///   - code: The error's code.
    package func fail(_ number: Int, with code: StorageError.Code) {
        state.withLock { $0.failures[number] = code }
    }

    /// Ends the process: this call and all after it do nothing and fail, until `revive`.
    package func kill(at number: Int) { state.withLock { $0.death = number } }

    /// Lets a new process use the disk.
    package func revive() { state.withLock { $0.death = nil } }

    /// Calls `body` once, before the first call that equals `call`; it may use the disk itself.
    package func interrupt(before call: FileSystemCall, with body: @escaping @Sendable () -> Void) {
        state.withLock { $0.interruption = (call, body) }
    }

    /// Ends the machine: what was not synced is lost, or kept in part.
    package func losePower(_ loss: PowerLoss) { state.withLock { $0.losePower(loss) } }

    /// The files that a reader sees now: path and bytes.
    package var files: [String: [UInt8]] { state.withLock { $0.files } }

    /// The files that a reader would see after a power loss just before a call, or now.
    package func files(after loss: PowerLoss, before number: Int? = nil) -> [String: [UInt8]] {
        var disk = state.withLock { state in number.map { state.history[$0] } ?? state }
        disk.losePower(loss)
        return disk.files
    }

    private func record<Result>(
        _ call: FileSystemCall,
        _ body: (inout DiskState) throws -> Result
    ) throws -> Result {
        state.withLock { $0.takeInterruption(call) }?()
        return try state.withLock { state in
            let number = state.calls.count
            state.remember(call)
            let isDead = number >= state.death ?? .max
            guard let code = isDead ? .other(5) : state.failures[number] else { return try body(&state) }
            if !isDead, case .write(let path, _) = call { state.tear(path) }
            throw StorageError(code: code, operation: call.name, path: call.path)
        }
    }

    // MARK: FileSystem

    package func create(_ path: String) throws -> Int32 {
        try record(.create(path)) { try $0.create(path) }
    }

    package func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
        try record(.write(path, byteCount: bytes.count)) { $0.write(handle, Array(bytes)) }
    }

    package func sync(_ handle: Int32, path: String) throws {
        try record(.sync(path)) { $0.sync(handle) }
    }

    package func close(_ handle: Int32) { state.withLock { $0.close(handle) } }

    package func link(_ source: String, to target: String) throws {
        try record(.link(source, target)) { try $0.link(source, target) }
    }

    package func rename(_ source: String, to target: String) throws {
        try record(.rename(source, target)) { try $0.rename(source, target) }
    }

    package func remove(_ path: String) throws {
        try record(.remove(path)) { try $0.remove(path) }
    }

    package func makeFolder(_ path: String) throws -> Bool {
        try record(.makeFolder(path)) { try $0.makeFolder(path) }
    }

    package func syncFolder(_ path: String) throws {
        try record(.syncFolder(path)) { try $0.syncFolder(path) }
    }

    package func read(_ path: String) throws -> [UInt8] {
        try record(.read(path)) { try $0.read(path) }
    }

    package func list(_ path: String) throws -> [FileStatus] {
        try record(.list(path)) { try $0.list(path) }
    }

    package func status(_ path: String) throws -> FileStatus? {
        try record(.status(path)) { $0.status(path) }
    }
}

/// What becomes of bytes and names that were not synced when the power goes.
package enum PowerLoss: CaseIterable, Sendable {
    /// Neither reached the disk.
    case allLost
    /// Names did, bytes did not: files are there and empty.
    case namesKept
    /// Names did, and the first half of the bytes: files are torn.
    case namesAndHalfKept
    /// Both reached the disk.
    case allKept
}

/// One call to a file system.
package enum FileSystemCall: Hashable, Sendable {
    /// A file was created.
    case create(String)
    /// Bytes were appended.
    case write(String, byteCount: Int)
    /// A file's bytes were made durable.
    case sync(String)
    /// A file got a second name.
    case link(String, String)
    /// A file got another name.
    case rename(String, String)
    /// A file was removed.
    case remove(String)
    /// A folder was asked for.
    case makeFolder(String)
    /// A folder's names were made durable.
    case syncFolder(String)
    /// A file was read.
    case read(String)
    /// A folder was listed.
    case list(String)
    /// A path was looked at.
    case status(String)

    /// The path that errors name.
    package var path: String {
        switch self {
        case .create(let path), .write(let path, _), .sync(let path), .link(_, let path),
            .rename(_, let path),
            .remove(let path), .makeFolder(let path), .syncFolder(let path), .read(let path), .list(let path),
            .status(let path):
            path
        }
    }

    /// The operation without its paths.
    package var name: String { String("\(self)".prefix { $0 != "(" }) }
}
