import Glibc
import ObjectStorage

/// Walks folders for the files that patterns mean.
struct FolderWalk {
    private struct Folder {
        /// With its slash at the end.
        var path: [UInt8]
        var positions: [Int]
    }

    private struct Visit: Hashable {
        var id: FileID
        var positions: [Int]
    }

    /// Files and folders that may not be looked at.
    private(set) var unreadable: [StorageError] = []

    private var pending: [Folder] = []
    /// Links, as paths; they come last, so that what they lead to is met by its own name.
    private var linkedFolders: [Folder] = []
    private var linkedFiles: [[UInt8]] = []
    private var visited: Set<Visit> = []

    /// Calls `body` with each file of a pattern that has bytes, under each of its names.
    ///
    /// - Returns: The number of files, also of empty ones.
    mutating func walk(_ pattern: ObjectPattern, _ body: (ListedObject) throws -> Void) throws -> Int {
        pending = [Folder(path: [UInt8(ascii: "/")], positions: pattern.start)]
        visited = []
        linkedFiles = []
        var count = 0
        while let folder = nextFolder() {
            count += try visit(folder, pattern, body)
        }
        for path in linkedFiles.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let status = try status(of: path), status.isRegular else { continue }
            count += 1
            try path.withUnsafeBytes { try give($0, status, body) }
        }
        return count
    }

    private mutating func nextFolder() -> Folder? {
        if let folder = pending.popLast() { return folder }
        guard !linkedFolders.isEmpty else { return nil }
        // The same one every time, whatever order the file system has.
        linkedFolders.sort { $1.path.lexicographicallyPrecedes($0.path) }
        return linkedFolders.popLast()
    }

    // MARK: One folder

    private mutating func visit(
        _ folder: Folder,
        _ pattern: ObjectPattern,
        _ body: (ListedObject) throws -> Void
    ) throws -> Int {
        if let name = pattern.onlyName(at: folder.positions) {
            return try visitOnly(name, in: folder, pattern, body)
        }
        let path = String(decoding: folder.path, as: UTF8.self)
        guard let stream = folder.path.withCString({ opendir($0) }) else {
            try note(errno, path)
            return 0
        }
        defer { closedir(stream) }
        let handle = dirfd(stream)
        var information = stat()
        guard fstat(handle, &information) == 0 else {
            try note(errno, path)
            return 0
        }
        let visit = Visit(id: LogFileStatus(information).id, positions: folder.positions)
        guard visited.insert(visit).inserted else { return 0 }
        return try visitEntries(of: stream, handle, in: folder, pattern, body)
    }

    private mutating func visitEntries(
        of stream: OpaquePointer,
        _ handle: Int32,
        in folder: Folder,
        _ pattern: ObjectPattern,
        _ body: (ListedObject) throws -> Void
    ) throws -> Int {
        var count = 0
        var path = folder.path
        while let entry = readdir(stream) {
            let name = UnsafeRawPointer(entry).advanced(by: Self.nameOffset).assumingMemoryBound(
                to: CChar.self
            )
            if Self.isSelfOrParent(name) { continue }
            var type = Int(entry.pointee.d_type)
            var information = stat()
            if type == DT_UNKNOWN {
                guard fstatat(handle, name, &information, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
                type = Int(information.st_mode & S_IFMT) >> 12
            }
            if type == DT_DIR {
                push(name, in: folder, pattern, isLink: false)
            } else if type == DT_LNK {
                path.removeSubrange(folder.path.count...)
                path.append(contentsOf: UnsafeRawBufferPointer(start: name, count: strlen(name)))
                try addLink(path, name, in: folder, pattern)
            } else if type == DT_REG, pattern.meansFile(name, at: folder.positions) {
                guard fstatat(handle, name, &information, 0) == 0 else {
                    // Removed since, or in a folder whose files may not be looked at.
                    if errno == ENOENT { continue }
                    try note(errno, String(decoding: folder.path, as: UTF8.self))
                    return count
                }
                let status = LogFileStatus(information)
                count += 1
                path.removeSubrange(folder.path.count...)
                path.append(contentsOf: UnsafeRawBufferPointer(start: name, count: strlen(name)))
                try path.withUnsafeBytes { try give($0, status, body) }
            }
        }
        return count
    }

    /// A part without wildcards is looked up, not listed.
    private mutating func visitOnly(
        _ name: [CChar],
        in folder: Folder,
        _ pattern: ObjectPattern,
        _ body: (ListedObject) throws -> Void
    ) throws -> Int {
        let path = folder.path + name.dropLast().map { UInt8(bitPattern: $0) }
        guard let status = try status(of: path) else { return 0 }
        if status.isFolder {
            name.withUnsafeBufferPointer { name in
                if let base = name.baseAddress { push(base, in: folder, pattern, isLink: false) }
            }
            return 0
        }
        guard status.isRegular, pattern.meansFile(name, at: folder.positions) else { return 0 }
        try path.withUnsafeBytes { try give($0, status, body) }
        return 1
    }

    private mutating func push(
        _ name: UnsafePointer<CChar>,
        in folder: Folder,
        _ pattern: ObjectPattern,
        isLink: Bool
    ) {
        let positions = pattern.positions(in: name, from: folder.positions)
        guard !positions.isEmpty else { return }
        var path = folder.path
        path.append(contentsOf: UnsafeRawBufferPointer(start: name, count: strlen(name)))
        path.append(UInt8(ascii: "/"))
        let next = Folder(path: path, positions: positions)
        if isLink { linkedFolders.append(next) } else { pending.append(next) }
    }

    private mutating func addLink(
        _ path: [UInt8],
        _ name: UnsafePointer<CChar>,
        in folder: Folder,
        _ pattern: ObjectPattern
    ) throws {
        guard let status = try status(of: path) else { return }
        if status.isFolder {
            push(name, in: folder, pattern, isLink: true)
        } else if pattern.meansFile(name, at: folder.positions) {
            linkedFiles.append(path)
        }
    }

    // MARK: One file

    private func give(
        _ path: UnsafeRawBufferPointer,
        _ status: LogFileStatus,
        _ body: (ListedObject) throws -> Void
    ) throws {
        guard status.byteCount > 0 else { return }
        try withUnsafeTemporaryAllocation(byteCount: FileVersion.capacity, alignment: 1) { buffer in
            let count = FileVersion.write(status, into: buffer)
            let listed = ListedObject(
                key: path,
                version: UnsafeRawBufferPointer(rebasing: buffer[..<count]),
                byteCount: status.byteCount,
                modified: status.modified / 1_000,
                identity: status.id
            )
            try body(listed)
        }
    }

    /// The status of what a path leads to; nil when that is nothing, or may not be looked at.
    private mutating func status(of path: [UInt8]) throws -> LogFileStatus? {
        var information = stat()
        guard path.withCString({ stat($0, &information) }) == 0 else {
            try note(errno, String(decoding: path, as: UTF8.self))
            return nil
        }
        return LogFileStatus(information)
    }

    /// Passes over what vanished and links that lead nowhere, keeps what concerns one file or folder.
    private mutating func note(_ number: Int32, _ path: String) throws {
        guard ![ENOENT, ENOTDIR, ELOOP, ESTALE].contains(number) else { return }
        let error = StorageError(errno: number, operation: "read", path: path)
        guard error.concernsOneFile else { throw error }
        if !unreadable.contains(error) { unreadable.append(error) }
    }

    private static let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19

    private static func isSelfOrParent(_ name: UnsafePointer<CChar>) -> Bool {
        let dot = CChar(bitPattern: UInt8(ascii: "."))
        return name[0] == dot && (name[1] == 0 || (name[1] == dot && name[2] == 0))
    }
}

extension [UInt8] {
    /// Calls `body` with the bytes and a zero behind them.
    fileprivate func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { buffer in
            for index in 0..<count { buffer[index] = CChar(bitPattern: self[index]) }
            buffer[count] = 0
            return buffer.baseAddress.map { body(UnsafePointer($0)) } ?? body([0])
        }
    }
}
