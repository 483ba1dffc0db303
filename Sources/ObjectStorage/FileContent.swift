import Glibc

/// A file of the disk, open for reading.
final class FileContent: ObjectContent {
    let byteCount: UInt64
    private let handle: Int32
    private let path: String

    /// Opens a file; nil when there is none.
    init?(path: String) throws {
        handle = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard handle >= 0 else {
            if errno == ENOENT { return nil }
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        var information = stat()
        guard fstat(handle, &information) == 0 else {
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        byteCount = UInt64(information.st_size)
    }

    deinit { if handle >= 0 { close(handle) } }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try PosixFileSystem.read(handle, at: offset, into: buffer, path: path)
    }
}
