import Synchronization

/// Objects in a folder of the local disk, named by paths relative to it.
///
/// A put is durable when it returns: the bytes are synced before the name appears, and the folder after it.
package struct LocalStore: ObjectStore {
    /// The folder, absolute, without a slash at its end.
    package let root: String
    package let fileSystem: any FileSystem
    private let durableFolders = DurableFolders()

    /// Creates a store in a folder, which need not exist yet.
    package init(root: String, fileSystem: any FileSystem = PosixFileSystem()) {
        self.root = root
        self.fileSystem = fileSystem
    }

    package var isLocal: Bool { true }

    package func read(_ key: String) throws -> [UInt8]? {
        do {
            return try fileSystem.read(path(key))
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }

    package func open(_ key: String) throws -> (any ObjectContent)? { try FileContent(path: path(key)) }

    package func exists(_ key: String) throws -> Bool { try fileSystem.status(path(key)) != nil }

    package func hasFolder(_ folder: String) throws -> Bool { try exists(folder) }

    package func list(_ folder: String) throws -> [ObjectEntry] {
        do {
            return try fileSystem.list(folder.isEmpty ? root : path(folder)).map { file in
                ObjectEntry(
                    name: file.name,
                    byteCount: file.byteCount,
                    modified: file.modified,
                    isFolder: file.isFolder
                )
            }
        } catch let error as StorageError where error.code == .notFound {
            return []
        }
    }

    package func remove(_ key: String) throws {
        do {
            try fileSystem.remove(path(key))
        } catch let error as StorageError where error.code == .notFound {
            return
        }
    }

    package func removeFolder(_ folder: String) throws {
        for entry in try list(folder) {
            let key = "\(folder)/\(entry.name)"
            if entry.isFolder { try removeFolder(key) } else { try remove(key) }
        }
        try remove(folder)
    }

    package func putIfAbsent(_ key: String, _ bytes: [UInt8]) throws -> Bool {
        let writer = try publisher(key)
        do {
            try bytes.withUnsafeBytes { try writer.write($0) }
            return try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
    }

    package func replace(_ key: String, _ bytes: [UInt8]) throws {
        let folder = try makeFolder(of: key)
        let temporary = temporaryPath(of: key, in: folder)
        let writer = try FileWriter(path: temporary, in: nil, fileSystem: fileSystem)
        do {
            try bytes.withUnsafeBytes { try writer.write($0) }
            _ = try writer.finish()
            try fileSystem.rename(temporary, to: path(key))
        } catch {
            writer.abandon()
            throw error
        }
    }

    package func writer(_ key: String) throws -> any ObjectWriter {
        let folder = try makeFolder(of: key)
        return try FileWriter(path: path(key), in: folder, fileSystem: fileSystem)
    }

    package func publisher(_ key: String) throws -> any ObjectWriter {
        let folder = try makeFolder(of: key)
        return try FileWriter(
            path: temporaryPath(of: key, in: folder),
            in: folder,
            publishedAs: path(key),
            fileSystem: fileSystem
        )
    }

    private func temporaryPath(of key: String, in folder: String) -> String {
        let name = key.split(separator: "/").last.map(String.init) ?? key
        return "\(folder)/.\(name).\(RandomName.make()).tmp"
    }

    package func makeDurable(_ key: String) throws { try fileSystem.syncFolder(folderPath(of: key)) }

    private func folderPath(of key: String) -> String {
        let whole = path(key)
        return whole.lastIndex(of: "/").map { String(whole[..<$0]) } ?? root
    }

    /// Creates the folders above an object, each made durable in its parent.
    private func makeFolder(of key: String) throws -> String {
        let folder = folderPath(of: key)
        try makeFolders(folder)
        return folder
    }

    /// A process may have been killed between making a folder and making its name durable, so every store does that
    /// once for each folder below the root that it puts objects into.
    ///
    /// The root and the folders in it are made once: where they are gone, the disk is not mounted or somebody has moved
    /// them, and anew they would hide what was there.
    private func makeFolders(_ folder: String) throws {
        guard let slash = folder.lastIndex(of: "/") else {
            throw StorageError(code: .notFound, operation: "create", path: folder)
        }
        let parent = slash == folder.startIndex ? "/" : String(folder[..<slash])
        if folder == root || parent == root, durableFolders.names.withLock({ $0.contains(folder) }),
            try fileSystem.status(folder) == nil
        {
            throw StorageError(code: .notFound, operation: "find", path: folder)
        }
        var isNew: Bool
        do {
            isNew = try fileSystem.makeFolder(folder)
        } catch let error as StorageError where error.code == .notFound {
            guard parent != "/" else { throw error }
            try makeFolders(parent)
            isNew = try fileSystem.makeFolder(folder)
        }
        if folder == root { durableFolders.names.withLock { _ = $0.insert(folder) } }
        if folder.hasPrefix(root + "/"), durableFolders.names.withLock({ !$0.contains(folder) }) {
            try makeFolders(parent)
            isNew = true
        }
        guard isNew else { return }
        try fileSystem.syncFolder(parent)
        durableFolders.names.withLock { _ = $0.insert(folder) }
    }
}

/// The folders whose names a store has made durable.
private final class DurableFolders: Sendable {
    let names = Mutex<Set<String>>([])
}

/// Names that no two attempts share.
package enum RandomName {
    /// 32 hexadecimal digits.
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let part = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - part.count) + part
        }.joined()
    }

    /// A uuid, version 4.
    package static func uuid() -> String { uuid(of: make()) }

    /// The uuid of 32 hexadecimal digits, in the form of version 4.
    package static func uuid(of name: String) -> String {
        var digits = Array(name)
        digits[12] = "4"
        digits[16] = "a"
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}
