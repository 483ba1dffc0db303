import FoundationEssentials
import Glibc
import ObjectStorage

/// Files of a spool, for this user alone.
enum SpoolDisk {
    /// Makes a folder and those above it; its rights are taken from all others.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o700) != 0 {
            let failure = errno
            if failure == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
                try makeFolder(String(path[..<slash]))
                return try makeFolder(path)
            }
            guard failure == EEXIST else {
                throw StorageError(errno: failure, operation: "create the folder", path: path)
            }
        }
    }

    /// Takes all rights to a folder from others.
    static func makePrivate(_ path: String) throws {
        guard chmod(path, 0o700) == 0 else {
            throw StorageError(errno: errno, operation: "chmod", path: path)
        }
    }

    /// How often the lock is asked for by who waits: a process that ends, or a child that has not come to its own program yet, lets go of it soon.
    private static let lockAttempts = 50

    /// Takes the lock of a spool until the handle is closed; waits for it up to half a second when that is wanted.
    ///
    /// - Returns: nil when another process has it.
    static func lock(_ path: String, isPatient: Bool) throws -> Int32? {
        let handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard handle >= 0 else { throw StorageError(errno: errno, operation: "create", path: path) }
        var failure: Int32 = 0
        let attempts = isPatient ? lockAttempts : 1
        for attempt in 1...attempts {
            if flock(handle, LOCK_EX | LOCK_NB) == 0 { return handle }
            failure = errno
            guard failure == EWOULDBLOCK || failure == EINTR, attempt < attempts else { break }
            usleep(10_000)
        }
        close(handle)
        if failure == EWOULDBLOCK { return nil }
        throw StorageError(errno: failure, operation: "lock", path: path)
    }

    /// Whether another process has a lock, as far as can be seen.
    static func isLocked(_ path: String) -> Bool {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { return false }
        defer { close(handle) }
        return flock(handle, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Whether an open file is the one at a path.
    static func isFile(_ handle: Int32, at path: String) throws -> Bool {
        var (open, named) = (stat(), stat())
        guard fstat(handle, &open) == 0 else {
            throw StorageError(errno: errno, operation: "look at", path: path)
        }
        guard stat(path, &named) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw StorageError(errno: errno, operation: "look at", path: path)
            }
            return false
        }
        return open.st_dev == named.st_dev && open.st_ino == named.st_ino
    }

    /// Bytes that this user can still write on the disk of a folder.
    static func freeByteCount(_ path: String) throws -> UInt64 {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else {
            throw StorageError(errno: errno, operation: "read", path: path)
        }
        return UInt64(information.f_bavail) * UInt64(information.f_frsize)
    }

    /// Removes what killed processes have left: copies that the manifest does not name, and values that were not finished.
    static func removeStrays(in folder: String, besides manifest: SpoolManifest?) throws {
        let named = Set(manifest?.files.compactMap(\.copy) ?? [])
        for entry in try PosixFileSystem().list(folder) where !named.contains(entry.name) {
            guard entry.name.hasPrefix("copy-") || entry.name.hasSuffix(".new") else { continue }
            try remove("\(folder)/\(entry.name)")
        }
    }

    /// Puts a manifest that is damaged aside with all copies, which nobody can tell apart any more.
    ///
    /// - Returns: The folder that they lie in now.
    static func setAside(in folder: String) throws -> String {
        var number = 1
        while try PosixFileSystem().status("\(folder)/\(damagedPrefix)\(number)") != nil { number += 1 }
        let place = "\(folder)/\(damagedPrefix)\(number)"
        try makeFolder(place)
        let names = try PosixFileSystem().list(folder).map(\.name).filter { $0.hasPrefix("copy-") }
        // The manifest goes last: until then all of it is done again.
        for name in names + [SpoolManifest.name] {
            try PosixFileSystem().rename("\(folder)/\(name)", to: "\(place)/\(name)")
        }
        try PosixFileSystem().syncFolder(place)
        try PosixFileSystem().syncFolder(folder)
        return place
    }

    /// The folders of what was put aside.
    static func damaged(in folder: String) throws -> [String] {
        try PosixFileSystem().list(folder).map(\.name).filter { $0.hasPrefix(damagedPrefix) }.sorted()
            .map { "\(folder)/\($0)" }
    }

    private static let damagedPrefix = "damaged-"

    /// The size of a file; 0 when it is gone.
    static func byteCount(_ path: String) throws -> UInt64 {
        try PosixFileSystem().status(path)?.byteCount ?? 0
    }

    // MARK: Values

    /// A stored value; nil when there is none.
    static func read<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value? {
        do {
            return try JSONDecoder().decode(type, from: Data(try PosixFileSystem().read(path)))
        } catch let error as StorageError {
            guard error.code == .notFound || error.code == .wrongKind else { throw error }
            return nil
        } catch {
            throw StorageError(code: .other(EBADMSG), operation: "read", path: path)
        }
    }

    /// Replaces a value as a whole; durable when it returns.
    static func replace(
        _ path: String,
        with value: some Encodable,
        in folder: String,
        _ disk: any FileSystem
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = [UInt8](try encoder.encode(value))
        let temporary = "\(path).new"
        // A full disk may have left one.
        try remove(temporary)
        let handle = try disk.create(temporary)
        defer { disk.close(handle) }
        guard fchmod(handle, 0o600) == 0 else {
            throw StorageError(errno: errno, operation: "chmod", path: temporary)
        }
        try bytes.withUnsafeBytes { try disk.write(handle, $0, path: temporary) }
        try disk.sync(handle, path: temporary)
        try disk.rename(temporary, to: path)
        try disk.syncFolder(folder)
    }

    /// Removes a file; one that is gone already is no error.
    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw StorageError(errno: errno, operation: "remove", path: path)
        }
    }

    // MARK: Copies

    /// After so many bytes they are made durable, so that a stop need not wait for many.
    private static let syncedEvery: UInt64 = 64 << 20

    /// Copies a range of a log file to the same offsets; durable when it returns.
    ///
    /// - Returns: Offset one past the last byte that was copied, all unless it is stopped, and one past the last line end; nil when there is none.
    /// - Throws: `StorageError`; also when the file has not all of the range.
    @discardableResult
    static func copy(
        _ range: Range<UInt64>,
        of reader: FileReader,
        to handle: Int32,
        path: String,
        unless isStopped: () -> Bool = { false }
    ) throws -> (end: UInt64, border: UInt64?) {
        var at = range.lowerBound
        var synced = at
        var border: UInt64?
        while at < range.upperBound, !isStopped() {
            let bytes = try reader.bytes(at: at, count: Int(min(1 << 20, range.upperBound - at)))
            guard !bytes.isEmpty else {
                throw StorageError(code: .other(ESTALE), operation: "read", path: reader.path)
            }
            try bytes.withUnsafeBytes { try write(handle, at: at, $0, path: path) }
            if let index = bytes.lastIndex(of: UInt8(ascii: "\n")) { border = at + UInt64(index) + 1 }
            at += UInt64(bytes.count)
            if at - synced >= syncedEvery {
                try PosixFileSystem().sync(handle, path: path)
                synced = at
            }
        }
        try PosixFileSystem().sync(handle, path: path)
        return (at, border)
    }

    private static func write(
        _ handle: Int32,
        at offset: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        path: String
    ) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                handle,
                bytes.baseAddress.map { $0 + done },
                bytes.count - done,
                off_t(offset) + done
            )
            if count < 0 {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, operation: "write", path: path)
            }
            done += count
        }
    }
}
