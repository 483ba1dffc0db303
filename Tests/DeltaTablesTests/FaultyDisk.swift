import ObjectStorage
import Synchronization

/// The machine's file system, of which one call that changes something fails.
///
/// It syncs nothing: no test takes its power.
final class FaultyDisk: FileSystem {
    private struct Count {
        var calls: [String] = []
        var failing: Int?
    }

    private let disk = PosixFileSystem()
    private let count: Mutex<Count>

    /// Lets the call of this number fail, counted from 0; nil fails none.
    init(failing: Int?) { count = Mutex(Count(failing: failing)) }

    /// The calls so far.
    var calls: [String] { count.withLock { $0.calls } }

    private func pass(_ operation: String, _ path: String) throws {
        let isFailing = count.withLock { count in
            count.calls.append("\(operation) \(path)")
            return count.calls.count - 1 == count.failing
        }
        if isFailing { throw StorageError(code: .noSpace, operation: operation, path: path) }
    }

    func create(_ path: String) throws -> Int32 {
        try pass("create", path)
        return try disk.create(path)
    }

    func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
        try pass("write", path)
        try disk.write(handle, bytes, path: path)
    }

    func sync(_ handle: Int32, path: String) throws {
        try pass("sync", path)
    }

    func close(_ handle: Int32) { disk.close(handle) }

    func link(_ source: String, to target: String) throws {
        try pass("link", target)
        try disk.link(source, to: target)
    }

    func rename(_ source: String, to target: String) throws {
        try pass("rename", target)
        try disk.rename(source, to: target)
    }

    func remove(_ path: String) throws { try disk.remove(path) }

    func makeFolder(_ path: String) throws -> Bool {
        try pass("makeFolder", path)
        return try disk.makeFolder(path)
    }

    func syncFolder(_ path: String) throws {
        try pass("syncFolder", path)
    }

    func read(_ path: String) throws -> [UInt8] { try disk.read(path) }
    func list(_ path: String) throws -> [FileStatus] { try disk.list(path) }
    func status(_ path: String) throws -> FileStatus? { try disk.status(path) }
}
