/// What a folder listing or a status call says of a file.
package struct FileStatus: Hashable, Sendable {
    /// The name inside its folder, or the path that was asked for.
    package var name: String
    /// Size in bytes.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// Whether it is a folder.
    package var isFolder: Bool
    /// The inode number.
    package var inode: UInt64

    /// Creates a status.
    package init(name: String, byteCount: UInt64, modified: Int64, isFolder: Bool, inode: UInt64) {
        self.name = name
        self.byteCount = byteCount
        self.modified = modified
        self.isFolder = isFolder
        self.inode = inode
    }
}

/// The calls that durability rests on, so that a test can record them, fail them or forget what was not synced.
package protocol FileSystem: Sendable {
    /// Creates a file that must not exist and opens it for writing; the handle is closed by `close`.
    func create(_ path: String) throws -> Int32
    /// Appends all bytes.
    func write(_ handle: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws
    /// Makes the file's bytes durable.
    func sync(_ handle: Int32, path: String) throws
    /// Closes a handle.
    func close(_ handle: Int32)
    /// Gives a file a second name; fails with `exists` when the name is taken. Atomic.
    func link(_ source: String, to target: String) throws
    /// Replaces `target`. Atomic.
    func rename(_ source: String, to target: String) throws
    /// Removes a file, or a folder that holds nothing.
    func remove(_ path: String) throws
    /// Creates one folder; one that is there already is no error. Returns whether it was created.
    func makeFolder(_ path: String) throws -> Bool
    /// Makes the names in a folder durable.
    func syncFolder(_ path: String) throws
    /// Reads a whole file.
    func read(_ path: String) throws -> [UInt8]
    /// Names and status of a folder's files, in no order.
    func list(_ path: String) throws -> [FileStatus]
    /// The status of a file, following links; nil when there is none.
    func status(_ path: String) throws -> FileStatus?
}
