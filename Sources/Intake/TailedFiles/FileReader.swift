import BatchProtocol
import CByteScan
import Glibc
import ObjectStorage

/// One file open for reading; the descriptor keeps the bytes reachable after a rename or removal.
package final class FileReader {
    /// The path it was opened by.
    package let path: String
    private let handle: Int32

    /// Opens a file.
    ///
    /// - Throws: `StorageError`.
    package init(path: String) throws {
        self.path = path
        handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "read", path: path) }
    }

    deinit { close(handle) }

    /// Opens a file; nil when there is none.
    ///
    /// - Throws: `StorageError` for a file that is there but cannot be read.
    package static func openIfThere(_ path: String) throws -> FileReader? {
        do {
            return try FileReader(path: path)
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }

    /// The inode number of the open file.
    package func inode() throws -> UInt64 {
        var status = stat()
        guard fstat(handle, &status) == 0 else {
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        return UInt64(status.st_ino)
    }

    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end of the file.
    ///
    /// - Returns: The number of bytes read.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        while count < buffer.count {
            let part = pread(
                handle,
                buffer.baseAddress.map { $0 + count },
                buffer.count - count,
                off_t(offset) + count
            )
            if part == 0 { break }
            if part < 0 {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, operation: "read", path: path)
            }
            count += part
        }
        return count
    }

    /// The hash of a range; that of the bytes there are when the file ends before it.
    package func hash(from: UInt64, byteCount: Int) throws -> String {
        let hasher = RangeHasher()
        var chunk = [UInt8](repeating: 0, count: min(max(byteCount, 1), 1 << 20))
        var done = 0
        while done < byteCount {
            let count = try chunk.withUnsafeMutableBytes { buffer in
                let wanted = min(buffer.count, byteCount - done)
                return try read(
                    at: from + UInt64(done),
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                )
            }
            if count == 0 { break }
            chunk.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            done += count
        }
        return hasher.digest
    }

    /// Describes the file as read up to `offset`.
    package func track(id: String, host: String, upTo offset: UInt64) throws -> TrackedFile {
        let head = Int(min(offset, UInt64(TailedFileSource.hashedByteCount)))
        return TrackedFile(
            id: id,
            path: path,
            host: host,
            inode: try inode(),
            headByteCount: head,
            headHash: try hash(from: 0, byteCount: head),
            offset: offset,
            tailByteCount: head,
            tailHash: try hash(from: offset - UInt64(head), byteCount: head)
        )
    }
}

/// A running XXH3 of 128 bits, as plans store it.
package final class RangeHasher {
    private let state: OpaquePointer

    /// Starts with no bytes.
    package init() {
        guard let state = bs_hasher_create() else { preconditionFailure("out of memory") }
        self.state = state
    }

    deinit { bs_hasher_destroy(state) }

    /// Takes in bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        bs_hasher_update(state, bytes.baseAddress, bytes.count)
    }

    /// The hash so far: 32 hexadecimal digits.
    package var digest: String {
        let value = bs_hasher_digest(state)
        return [value.high, value.low].map { part in
            let text = String(part, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}
