import BatchProtocol
import Glibc
import ObjectStorage

/// One file open for reading; the descriptor keeps the bytes reachable after a rename or removal.
///
/// Offsets of a compressed file are those of its decompressed bytes.
package final class FileReader {
    /// The path it was opened by, or is known by now.
    package let path: String
    let file: OpenFile
    /// nil for a plain file.
    let stream: CompressedStream?
    /// The inode of the file that it stands for as a copy; nil for a file itself.
    private var originalInode: UInt64?

    /// Opens a file; its name tells whether it is compressed.
    ///
    /// - Throws: `StorageError`.
    package init(path: String) throws {
        self.path = path
        let file = try OpenFile(path: path)
        self.file = file
        stream = Compression(path: path).map { CompressedStream(file, $0, path: path) }
    }

    /// The same open file under its present name.
    init(_ reader: FileReader, path: String) {
        self.path = path
        file = reader.file
        stream = reader.stream
    }

    /// The same open file, which is a copy in a spool, as the file that it was made of.
    init(_ reader: FileReader, standingFor copied: SpooledFile) {
        path = copied.path
        file = reader.file
        stream = nil
        originalInode = copied.inode
    }

    /// Opens a file; nil when there is none.
    ///
    /// - Throws: `StorageError` for a file that is there but cannot be read.
    package static func openIfThere(_ path: String) throws -> FileReader? {
        do {
            return try FileReader(path: path)
        } catch let error as StorageError where error.code == .notFound || error.code == .other(ESTALE) {
            return nil
        }
    }

    /// The inode number of the open file.
    package func inode() throws -> UInt64 { try originalInode ?? file.status(path: path).id.inode }

    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end of the file.
    ///
    /// - Returns: The number of bytes read.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let stream else { return try file.read(at: offset, into: buffer, path: path) }
        return try stream.read(at: offset, into: buffer)
    }

    /// The number of bytes, decompressed.
    ///
    /// - Complexity: O(length) of a compressed file.
    package func byteCount() throws -> UInt64 {
        try stream?.measure().byteCount ?? file.status(path: path).byteCount
    }

    /// The bytes from an offset on, fewer than asked for only at the end of the file.
    func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(
                at: offset,
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            )
        }
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
