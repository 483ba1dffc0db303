import ObjectStorage

/// The files and folders of a simulated disk, as readers see them and as a power loss would leave them.
struct DiskState {
    /// A file's bytes; several names may lead to it.
    private struct Inode {
        var bytes: [UInt8] = []
        var syncedCount = 0
    }

    /// The folders and names of a tree.
    private struct Tree {
        /// By folder, the names of files in it and their inodes.
        var names: [String: [String: Int]] = [:]
        /// By folder, the folders in it.
        var folders: [String: Set<String>] = [:]
    }

    var calls: [FileSystemCall] = []
    /// The disk before each call, without a history of its own.
    private(set) var history: [DiskState] = []
    var failures: [Int: StorageError.Code] = [:]
    /// The number of the first call that a dead process does not make.
    var death: Int?
    var interruption: (call: FileSystemCall, body: @Sendable () -> Void)?
    private var inodes: [Int: Inode] = [:]
    private var handles: [Int32: Int] = [:]
    private var live = Tree()
    private var durable = Tree()

    init(folders: [String]) {
        live.names["/"] = [:]
        for folder in folders {
            var path = ""
            for part in folder.split(separator: "/") {
                live.folders[path.isEmpty ? "/" : path, default: []].insert(String(part))
                path += "/\(part)"
                live.names[path] = live.names[path] ?? [:]
            }
        }
        durable = live
    }

    // MARK: Recording

    mutating func remember(_ call: FileSystemCall) {
        var past = self
        past.history = []
        history.append(past)
        calls.append(call)
    }

    /// What is to be done before the call, which is then forgotten.
    mutating func takeInterruption(_ call: FileSystemCall) -> (@Sendable () -> Void)? {
        guard let (awaited, body) = interruption, awaited == call else { return nil }
        interruption = nil
        return body
    }

    // MARK: Calls

    mutating func create(_ path: String) throws -> Int32 {
        guard status(path) == nil else { throw StorageError(code: .exists, operation: "create", path: path) }
        let inode = inodes.count + 1
        try enter(path, inode, operation: "create")
        inodes[inode] = Inode()
        let handle = Int32(inode)
        handles[handle] = inode
        return handle
    }

    mutating func write(_ handle: Int32, _ bytes: [UInt8]) {
        guard let inode = handles[handle] else { preconditionFailure("handle \(handle) is not open") }
        inodes[inode]?.bytes += bytes
    }

    /// What a failed write leaves of a file.
    mutating func tear(_ path: String) {
        guard let inode = inode(path) else { return }
        inodes[inode]?.bytes.append(0xFF)
    }

    mutating func sync(_ handle: Int32) {
        guard let inode = handles[handle] else { preconditionFailure("handle \(handle) is not open") }
        let byteCount = inodes[inode]?.bytes.count ?? 0
        inodes[inode]?.syncedCount = byteCount
    }

    mutating func close(_ handle: Int32) {
        guard handles.removeValue(forKey: handle) != nil else {
            preconditionFailure("handle \(handle) is closed twice")
        }
    }

    mutating func link(_ source: String, _ target: String) throws {
        guard let inode = inode(source) else {
            throw StorageError(code: .notFound, operation: "link", path: source)
        }
        guard status(target) == nil else {
            throw StorageError(code: .exists, operation: "link", path: target)
        }
        try enter(target, inode, operation: "link")
    }

    mutating func rename(_ source: String, _ target: String) throws {
        guard let inode = inode(source) else {
            throw StorageError(code: .notFound, operation: "rename", path: source)
        }
        try enter(target, inode, operation: "rename")
        try remove(source)
    }

    mutating func remove(_ path: String) throws {
        let (folder, name) = Self.split(path)
        guard live.names[folder]?.removeValue(forKey: name) != nil else {
            throw StorageError(code: .notFound, operation: "remove", path: path)
        }
    }

    mutating func makeFolder(_ path: String) throws -> Bool {
        if let found = status(path) {
            guard found.isFolder else {
                throw StorageError(code: .wrongKind, operation: "create the folder", path: path)
            }
            return false
        }
        let (parent, name) = Self.split(path)
        guard live.names[parent] != nil else {
            throw StorageError(code: .notFound, operation: "create the folder", path: path)
        }
        live.folders[parent, default: []].insert(name)
        live.names[path] = [:]
        return true
    }

    mutating func syncFolder(_ path: String) throws {
        guard live.names[path] != nil else {
            throw StorageError(code: .notFound, operation: "sync", path: path)
        }
        durable.names[path] = live.names[path]
        durable.folders[path] = live.folders[path]
    }

    func read(_ path: String) throws -> [UInt8] {
        guard let inode = inode(path), let bytes = inodes[inode]?.bytes else {
            throw StorageError(code: .notFound, operation: "read", path: path)
        }
        return bytes
    }

    func list(_ path: String) throws -> [FileStatus] {
        guard let names = live.names[path] else {
            throw StorageError(code: .notFound, operation: "list", path: path)
        }
        return (Array(names.keys) + (live.folders[path] ?? [])).sorted().compactMap { name in
            var found = status(path == "/" ? "/\(name)" : "\(path)/\(name)")
            found?.name = name
            return found
        }
    }

    func status(_ path: String) -> FileStatus? {
        if live.names[path] != nil {
            return FileStatus(name: path, byteCount: 0, modified: 0, isFolder: true, inode: 0)
        }
        return inode(path).map { inode in
            FileStatus(
                name: path,
                byteCount: UInt64(inodes[inode]?.bytes.count ?? 0),
                modified: 0,
                isFolder: false,
                inode: UInt64(inode)
            )
        }
    }

    var files: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (folder, names) in live.names {
            for (name, inode) in names {
                files[folder == "/" ? "/\(name)" : "\(folder)/\(name)"] = inodes[inode]?.bytes
            }
        }
        return files
    }

    // MARK: Power loss

    mutating func losePower(_ loss: PowerLoss) {
        if loss == .allLost { live = reachable(durable) }
        for (number, inode) in inodes {
            let unsynced = inode.bytes.count - inode.syncedCount
            let kept =
                switch loss {
                case .allLost, .namesKept: inode.syncedCount
                case .namesAndHalfKept: inode.syncedCount + unsynced / 2
                case .allKept: inode.bytes.count
                }
            inodes[number] = Inode(bytes: Array(inode.bytes[..<kept]), syncedCount: kept)
        }
        durable = live
        handles = [:]
    }

    /// The part of a tree that the root leads to: a folder whose own name was lost is lost with all in it.
    private func reachable(_ tree: Tree) -> Tree {
        var result = Tree()
        var open = ["/"]
        while let path = open.popLast() {
            result.names[path] = tree.names[path] ?? [:]
            result.folders[path] = tree.folders[path]
            for name in tree.folders[path] ?? [] { open.append(path == "/" ? "/\(name)" : "\(path)/\(name)") }
        }
        return result
    }

    // MARK: Names

    private func inode(_ path: String) -> Int? {
        let (folder, name) = Self.split(path)
        return live.names[folder]?[name]
    }

    private mutating func enter(_ path: String, _ inode: Int, operation: String) throws {
        let (folder, name) = Self.split(path)
        guard live.names[folder] != nil else {
            throw StorageError(code: .notFound, operation: operation, path: path)
        }
        live.names[folder]?[name] = inode
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("/", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }
}
