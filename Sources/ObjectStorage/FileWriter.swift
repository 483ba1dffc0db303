/// A file of a local store under way.
final class FileWriter: ObjectWriter {
    private(set) var byteCount = 0
    private let path: String
    /// The folder whose names are to be durable when the file is finished; nil when that does not matter.
    private let folder: String?
    /// The name that the finished file gets unless it is taken; nil when it has its own already.
    private let target: String?
    private let fileSystem: any FileSystem
    private var handle: Int32?
    /// Bytes that are not written yet: the parts of a Parquet file are a few bytes each.
    private var pending: [UInt8] = []
    private static let pendingLimit = 64 << 10

    /// Creates the file.
    init(
        path: String,
        in folder: String?,
        publishedAs target: String? = nil,
        fileSystem: any FileSystem
    ) throws {
        self.path = path
        self.folder = folder
        self.target = target
        self.fileSystem = fileSystem
        handle = try fileSystem.create(path)
    }

    deinit { if let handle { fileSystem.close(handle) } }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard let handle else { preconditionFailure("the object is finished") }
        byteCount += bytes.count
        if pending.count + bytes.count > Self.pendingLimit { try writePending(to: handle) }
        if bytes.count < Self.pendingLimit {
            pending.append(contentsOf: bytes)
        } else {
            try fileSystem.write(handle, bytes, path: path)
        }
    }

    private func writePending(to handle: Int32) throws {
        guard !pending.isEmpty else { return }
        try pending.withUnsafeBytes { try fileSystem.write(handle, $0, path: path) }
        pending.removeAll(keepingCapacity: true)
    }

    /// Syncs the bytes before the name appears, and the folder after it.
    ///
    /// A rename would overwrite and an exclusive create would show torn bytes to others.
    func finish() throws -> Bool {
        guard let handle else { preconditionFailure("the object is finished") }
        try writePending(to: handle)
        pending = []
        try fileSystem.sync(handle, path: path)
        fileSystem.close(handle)
        self.handle = nil
        guard let target else {
            if let folder { try fileSystem.syncFolder(folder) }
            return true
        }
        defer { try? fileSystem.remove(path) }
        var isFree = true
        do {
            try fileSystem.link(path, to: target)
        } catch let error as StorageError where error.code == .exists {
            // Its owner may still be about to sync the folder.
            isFree = false
        }
        if let folder { try fileSystem.syncFolder(folder) }
        return isFree
    }

    func abandon() {
        if let handle { fileSystem.close(handle) }
        handle = nil
        // The file is invisible to readers; what cannot be removed now is removed by clean-up.
        try? fileSystem.remove(path)
    }
}
