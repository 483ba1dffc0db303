import Glibc
import ObjectStorage

/// A file on the disk of this machine that loses its name as soon as it is open for reading.
final class TemporaryCopy {
    private let path: String
    private let handle: Int32

    /// Makes an empty file in the folder that `TMPDIR` names, or `/tmp`.
    ///
    /// - Parameter suffix: What its name ends with, which tells how it is compressed.
    /// - Throws: `StorageError`.
    init(suffix: String) throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        path = "\(folder.isEmpty ? "/tmp" : folder)/auditlake-\(RandomName.make())\(suffix)"
        handle = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "create", path: path) }
    }

    deinit {
        close(handle)
        unlink(path)
    }

    /// Adds bytes.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try PosixFileSystem().write(handle, bytes, path: path)
    }

    /// The file as an object; it stays as long as that does.
    func object() throws -> FileObject {
        let reader = try FileReader(path: path)
        return FileObject(reader, try reader.file.status(path: path))
    }
}
