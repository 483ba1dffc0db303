import ObjectStorage

/// The machine's file system, which counts renames and can be full.
final class CountingDisk: FileSystem, @unchecked Sendable {
    private let disk = PosixFileSystem()
    private(set) var renamedCount = 0
    var isFull = false

    func create(_ path: String) throws -> Int32 { try disk.create(path) }
    func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
        if isFull { throw StorageError(code: .noSpace, operation: "write", path: path) }
        try disk.write(handle, bytes, path: path)
    }
    func sync(_ handle: Int32, path: String) throws { try disk.sync(handle, path: path) }
    func close(_ handle: Int32) { disk.close(handle) }
    func link(_ source: String, to target: String) throws { try disk.link(source, to: target) }
    func rename(_ source: String, to target: String) throws {
        renamedCount += 1
        try disk.rename(source, to: target)
    }
    func remove(_ path: String) throws { try disk.remove(path) }
    func makeFolder(_ path: String) throws -> Bool { try disk.makeFolder(path) }
    func syncFolder(_ path: String) throws { try disk.syncFolder(path) }
    func read(_ path: String) throws -> [UInt8] { try disk.read(path) }
    func list(_ path: String) throws -> [FileStatus] { try disk.list(path) }
    func status(_ path: String) throws -> FileStatus? { try disk.status(path) }
}
