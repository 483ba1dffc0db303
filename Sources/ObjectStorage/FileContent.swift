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
        var filled = 0
        while filled < buffer.count {
            let count = pread(
                handle,
                buffer.baseAddress.map { $0 + filled },
                buffer.count - filled,
                Int(offset) + filled
            )
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, operation: "read", path: path)
            }
            filled += count
        }
        return filled
    }
}
