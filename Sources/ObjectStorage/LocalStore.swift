import Synchronization

/// Objects in a folder of the local disk, named by paths relative to it.
///
/// A put is durable when it returns: the bytes are synced before the name appears, and the folder after it.
package struct LocalStore: Sendable {
    /// The folder, absolute, without a slash at its end.
    package let root: String
    package let fileSystem: any FileSystem
    private let durableFolders = DurableFolders()

    /// Creates a store in a folder, which need not exist yet.
    package init(root: String, fileSystem: any FileSystem = PosixFileSystem()) {
        self.root = root
        self.fileSystem = fileSystem
    }

    /// The path of an object on disk.
    package func path(_ key: String) -> String { "\(root)/\(key)" }

    /// The bytes of an object, nil when there is none.
    package func read(_ key: String) throws -> [UInt8]? {
        do {
            return try fileSystem.read(path(key))
        } catch let error as StorageError where error.code == .notFound {
            return nil
        }
    }

    /// Whether an object is there.
    package func exists(_ key: String) throws -> Bool { try fileSystem.status(path(key)) != nil }

    /// The objects directly in a folder; none when there is no such folder.
    package func list(_ folder: String) throws -> [FileStatus] {
        do {
            return try fileSystem.list(path(folder))
        } catch let error as StorageError where error.code == .notFound {
            return []
        }
    }

    /// Removes an object; one that is gone already is no error.
    package func remove(_ key: String) throws {
        do {
            try fileSystem.remove(path(key))
        } catch let error as StorageError where error.code == .notFound {
            return
        }
    }

    /// Removes a folder with all that is in it; one that is gone already is no error.
    ///
    /// For folders of random names that nobody else puts objects into.
    package func removeFolder(_ folder: String) throws {
        for entry in try list(folder) {
            let key = "\(folder)/\(entry.name)"
            if entry.isFolder { try removeFolder(key) } else { try remove(key) }
        }
        try remove(folder)
    }

    /// Stores an object unless one of this name is there: temporary file, sync, link, sync of the folder.
    ///
    /// A rename would overwrite and an exclusive create would show torn bytes to others.
    ///
    /// - Returns: Whether the object was created; false leaves the other one untouched and has made it durable, since
    ///   its owner may still be about to sync the folder.
    /// - Throws: `StorageError`; the object is then absent or whole, never torn.
    package func putIfAbsent(_ key: String, _ bytes: [UInt8]) throws -> Bool {
        let (folder, temporary) = try writeTemporary(key, bytes)
        defer { try? fileSystem.remove(temporary) }
        do {
            try fileSystem.link(temporary, to: path(key))
        } catch let error as StorageError where error.code == .exists {
            try fileSystem.syncFolder(folder)
            return false
        }
        try fileSystem.syncFolder(folder)
        return true
    }

    /// Gives a finished object its name unless that is taken; the temporary name goes.
    ///
    /// Durable when it returns.
    ///
    /// - Returns: Whether the name was free.
    @discardableResult
    package func publish(_ temporary: String, as key: String) throws -> Bool {
        defer { try? fileSystem.remove(path(temporary)) }
        do {
            try fileSystem.link(path(temporary), to: path(key))
        } catch let error as StorageError where error.code == .exists {
            try syncFolder(of: key)
            return false
        }
        try syncFolder(of: key)
        return true
    }

    /// Stores an object over any other of its name: for hints, whose loss costs time but nothing else.
    package func replace(_ key: String, _ bytes: [UInt8]) throws {
        let (_, temporary) = try writeTemporary(key, bytes)
        do {
            try fileSystem.rename(temporary, to: path(key))
        } catch {
            try? fileSystem.remove(temporary)
            throw error
        }
    }

    private func writeTemporary(_ key: String, _ bytes: [UInt8]) throws -> (folder: String, temporary: String)
    {
        let folder = try makeFolder(of: key)
        let name = key.split(separator: "/").last.map(String.init) ?? key
        let temporary = "\(folder)/.\(name).\(RandomName.make()).tmp"
        let file = try ObjectWriter(path: temporary, fileSystem: fileSystem)
        do {
            try bytes.withUnsafeBytes { try file.write($0) }
            try file.finish()
        } catch {
            file.abandon()
            throw error
        }
        return (folder, temporary)
    }

    /// Starts an object that others see only through a later commit; its name must be random.
    package func writer(_ key: String) throws -> ObjectWriter {
        _ = try makeFolder(of: key)
        return try ObjectWriter(path: path(key), fileSystem: fileSystem)
    }

    /// Makes the names in an object's folder durable.
    package func syncFolder(of key: String) throws { try fileSystem.syncFolder(folderPath(of: key)) }

    private func folderPath(of key: String) -> String {
        let whole = path(key)
        return whole.lastIndex(of: "/").map { String(whole[..<$0]) } ?? root
    }

    /// Creates the folders above an object, each made durable in its parent.
    @discardableResult
    package func makeFolder(of key: String) throws -> String {
        let folder = folderPath(of: key)
        try makeFolders(folder)
        return folder
    }

    /// A process may have been killed between making a folder and making its name durable, so every store does that
    /// once for each folder below the root that it puts objects into.
    private func makeFolders(_ folder: String) throws {
        guard let slash = folder.lastIndex(of: "/") else {
            throw StorageError(code: .notFound, operation: "create", path: folder)
        }
        let parent = slash == folder.startIndex ? "/" : String(folder[..<slash])
        var isNew: Bool
        do {
            isNew = try fileSystem.makeFolder(folder)
        } catch let error as StorageError where error.code == .notFound {
            guard parent != "/" else { throw error }
            try makeFolders(parent)
            isNew = try fileSystem.makeFolder(folder)
        }
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
    package static func uuid() -> String {
        var digits = Array(make())
        digits[12] = "4"
        digits[16] = "a"
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}
