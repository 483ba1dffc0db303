/// Where a lake lies: objects under keys such as `main/audit/bronze/_delta_log/00000000000000000000.json`.
///
/// A put is durable when it returns. May be used from several threads.
package protocol ObjectStore: Sendable {
    /// The place in words: a folder's path, or `s3://bucket/prefix`; without a slash at its end.
    var root: String { get }
    /// Whether `root` is a folder of this machine, in which objects are files under their keys.
    var isLocal: Bool { get }
    /// Rings at each attempt of a call that fails and is tried again, or that is not answered soon; nil for a store whose calls fail at once.
    var failures: FailureBell? { get }

    /// Ends all calls under way, and all that follow, with an error: nobody wants to wait any longer.
    ///
    /// From any thread; calls to a folder of this machine cannot be ended.
    func giveUp()

    /// The bytes of an object, nil when there is none.
    func read(_ key: String) throws -> [UInt8]?
    /// Opens an object for reading here and there; nil when there is none.
    func open(_ key: String) throws -> (any ObjectContent)?
    /// Whether an object is there.
    func exists(_ key: String) throws -> Bool
    /// Whether any object lies below a folder.
    func hasFolder(_ folder: String) throws -> Bool
    /// Objects and folders directly in a folder, the lake's own for an empty name, in no order; none when there is no such folder.
    func list(_ folder: String) throws -> [ObjectEntry]
    /// Removes an object; one that is gone already is no error.
    func remove(_ key: String) throws
    /// Removes a folder with all that is in it; one that is gone already is no error.
    ///
    /// For folders of random names that nobody else puts objects into.
    func removeFolder(_ folder: String) throws

    /// Stores an object unless one of this name is there.
    ///
    /// - Returns: Whether the object was created; false leaves the other one untouched and durable.
    /// - Throws: `StorageError`; the object is then absent or whole, never torn.
    func putIfAbsent(_ key: String, _ bytes: [UInt8]) throws -> Bool
    /// Stores an object over any other of its name: for hints, whose loss costs time but nothing else.
    func replace(_ key: String, _ bytes: [UInt8]) throws
    /// Starts an object of a random name, which others learn through a later commit.
    func writer(_ key: String) throws -> any ObjectWriter
    /// Starts an object that appears whole when it is finished, unless its name is taken then.
    ///
    /// For content that is the same whoever writes it: a store without a conditional put of several parts may let the later
    /// writer win.
    func publisher(_ key: String) throws -> any ObjectWriter
    /// Makes sure that an object that was seen stays: who made it may have been killed before that was so.
    func makeDurable(_ key: String) throws
}

extension ObjectStore {
    /// What an object is called in words, and what other programs reach it by.
    package func path(_ key: String) -> String { "\(root)/\(key)" }

    /// Calls fail at once.
    package var failures: FailureBell? { nil }

    /// Nothing is waited for.
    package func giveUp() {}
}

/// What a listing says of an object, or of a folder.
package struct ObjectEntry: Hashable, Sendable {
    /// The name inside the folder.
    package var name: String
    /// Size in bytes; 0 for a folder.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC; 0 for a folder.
    package var modified: Int64
    /// Whether it is a folder.
    package var isFolder: Bool

    /// Creates an entry.
    package init(name: String, byteCount: UInt64 = 0, modified: Int64 = 0, isFolder: Bool = false) {
        self.name = name
        self.byteCount = byteCount
        self.modified = modified
        self.isFolder = isFolder
    }
}

/// An object that is open for reading.
///
/// May be used from several threads.
package protocol ObjectContent: AnyObject, Sendable {
    /// Size in bytes.
    var byteCount: UInt64 { get }
    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// An object under way: bytes in order, then `finish` or `abandon`.
///
/// Belongs to one thread at a time.
package protocol ObjectWriter: AnyObject {
    /// Bytes written so far.
    var byteCount: Int { get }
    /// Appends bytes.
    func write(_ bytes: UnsafeRawBufferPointer) throws
    /// Makes the object durable under its name.
    ///
    /// - Returns: Whether the name was free; true for a random one.
    @discardableResult
    func finish() throws -> Bool
    /// Gives the object up and removes what was written of it, as far as that is possible.
    func abandon()
}
