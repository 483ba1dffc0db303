import Glibc

/// The machine's own file system.
package struct PosixFileSystem: FileSystem {
    /// Creates the file system.
    package init() {}

    package func create(_ path: String) throws -> Int32 {
        let handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "create", path: path) }
        return handle
    }

    package func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
        var at = 0
        while at < bytes.count {
            let written = Glibc.write(handle, bytes.baseAddress.map { $0 + at }, bytes.count - at)
            if written < 0 {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, operation: "write", path: path)
            }
            at += written
        }
    }

    package func sync(_ handle: Int32, path: String) throws {
        guard fsync(handle) == 0 else { throw StorageError(errno: errno, operation: "sync", path: path) }
    }

    package func close(_ handle: Int32) { _ = Glibc.close(handle) }

    package func link(_ source: String, to target: String) throws {
        guard Glibc.link(source, target) == 0 else {
            throw StorageError(errno: errno, operation: "link", path: target)
        }
    }

    package func rename(_ source: String, to target: String) throws {
        guard Glibc.rename(source, target) == 0 else {
            throw StorageError(errno: errno, operation: "rename", path: target)
        }
    }

    package func remove(_ path: String) throws {
        guard Glibc.remove(path) == 0 else {
            throw StorageError(errno: errno, operation: "remove", path: path)
        }
    }

    package func makeFolder(_ path: String) throws -> Bool {
        if mkdir(path, 0o755) == 0 { return true }
        let failure = errno
        if failure == EEXIST || failure == EISDIR {
            if try status(path)?.isFolder == true { return false }
            throw StorageError(code: .wrongKind, operation: "create the folder", path: path)
        }
        throw StorageError(errno: failure, operation: "create the folder", path: path)
    }

    package func syncFolder(_ path: String) throws {
        let handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "open", path: path) }
        defer { _ = Glibc.close(handle) }
        try sync(handle, path: path)
    }

    package func read(_ path: String) throws -> [UInt8] {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "read", path: path) }
        defer { _ = Glibc.close(handle) }
        var information = stat()
        guard fstat(handle, &information) == 0 else {
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        // One byte more tells whether the file has grown since.
        var bytes = try Self.read(handle, at: 0, atMost: Int(information.st_size) + 1, path: path)
        while bytes.count > information.st_size {
            let more = try Self.read(handle, at: UInt64(bytes.count), atMost: 1 << 20, path: path)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    private static func read(
        _ handle: Int32,
        at offset: UInt64,
        atMost limit: Int,
        path: String
    ) throws -> [UInt8] {
        try Array(unsafeUninitializedCapacity: limit) { buffer, count in
            count = try read(handle, at: offset, into: UnsafeMutableRawBufferPointer(buffer), path: path)
        }
    }

    /// Reads up to `buffer.count` bytes at an offset of an open file; fewer only at its end.
    ///
    /// - Parameters:
    ///   - handle: The open file.
    ///   - offset: Of the first byte.
    ///   - buffer: Gets the bytes.
    ///   - path: What the file is called in errors.
    /// - Returns: The number of bytes read.
    /// - Throws: `StorageError`.
    package static func read(
        _ handle: Int32,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer,
        path: String
    ) throws -> Int {
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

    package func list(_ path: String) throws -> [FileStatus] {
        guard let folder = opendir(path) else {
            throw StorageError(errno: errno, operation: "list", path: path)
        }
        defer { closedir(folder) }
        var entries: [FileStatus] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            // A file that vanished between the two calls is not there.
            if var found = try status("\(path)/\(name)") {
                found.name = name
                entries.append(found)
            }
        }
        return entries
    }

    package func status(_ path: String) throws -> FileStatus? {
        var information = stat()
        guard stat(path, &information) == 0 else {
            if errno == ENOENT { return nil }
            throw StorageError(errno: errno, operation: "look at", path: path)
        }
        let modified =
            Int64(information.st_mtim.tv_sec) * 1_000_000 + Int64(information.st_mtim.tv_nsec) / 1_000
        return FileStatus(
            name: path,
            byteCount: UInt64(information.st_size),
            modified: modified,
            isFolder: information.st_mode & S_IFMT == S_IFDIR,
            inode: UInt64(information.st_ino)
        )
    }
}
