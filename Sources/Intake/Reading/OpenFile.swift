import Glibc
import ObjectStorage

/// A descriptor for reading, closed when nobody uses it any more; it keeps the bytes reachable after a rename or removal.
final class OpenFile {
    let handle: Int32

    /// Opens a file.
    ///
    /// - Throws: `StorageError`.
    init(path: String) throws {
        handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "read", path: path) }
    }

    deinit { close(handle) }

    /// What the file system says of the open file.
    func status(path: String) throws -> LogFileStatus {
        var information = stat()
        guard fstat(handle, &information) == 0 else {
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        return LogFileStatus(information)
    }

    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end of the file.
    func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer,
        path: String
    ) throws -> Int {
        try PosixFileSystem.read(handle, at: offset, into: buffer, path: path)
    }
}

/// What tells one file on disk from another as long as both exist.
package struct FileID: Hashable, Sendable {
    /// The file system.
    package var device: UInt64
    /// The file in it.
    package var inode: UInt64

    /// Creates an identity.
    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What the file system says of a file; equal values mean unchanged bytes, but for changes in one tick of its clock.
struct LogFileStatus: Hashable, Sendable {
    var id: FileID
    var byteCount: UInt64
    /// Last modification, in nanoseconds since 1970-01-01 UTC.
    var modified: Int64
    /// Last change of bytes, name or rights, in nanoseconds since 1970-01-01 UTC.
    var changed: Int64
    var linkCount: UInt64
    var mode: mode_t

    init(_ information: stat) {
        id = FileID(device: UInt64(information.st_dev), inode: UInt64(information.st_ino))
        byteCount = UInt64(max(information.st_size, 0))
        modified = Self.nanoseconds(information.st_mtim)
        changed = Self.nanoseconds(information.st_ctim)
        linkCount = UInt64(information.st_nlink)
        mode = information.st_mode
    }

    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    var isRegular: Bool { mode & S_IFMT == S_IFREG }

    /// The status of an input file, links followed; nil when there is none.
    ///
    /// - Throws: `StorageError`.
    static func at(_ path: String) throws -> LogFileStatus? {
        var information = stat()
        guard stat(path, &information) == 0 else {
            if errno == ENOENT { return nil }
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        return LogFileStatus(information)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
