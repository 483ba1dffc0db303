import ObjectStorage

/// Where objects lie: a folder tree, or a bucket.
///
/// A caller uses it from one thread.
package protocol ObjectPlace {
    /// Calls `body` with every object that is meant and has bytes; in no order, and one that several patterns mean may come more
    /// than once.
    ///
    /// - Returns: What a person should know, and what cannot be looked at.
    /// - Throws: `StorageError` when the place itself cannot be listed, and what `body` throws.
    func list(_ body: (ListedObject) throws -> Void) throws -> ListingReport

    /// The same for a caller who knows some objects already.
    ///
    /// - Parameters:
    ///   - isKnown: Whether nothing is wanted of a version of an object; gets key and version.
    ///   - body: Gets each object that is there and may be wanted.
    /// - Returns: What a person should know, and what cannot be looked at.
    /// - Throws: `StorageError` when the place itself cannot be listed, and what `body` throws.
    func list(
        unless isKnown: (String, String) -> Bool,
        _ body: (ListedObject) throws -> Void
    ) throws -> ListingReport

    /// Of the objects of the last listing nothing is wanted but of some.
    ///
    /// - Parameters:
    ///   - unread: Objects with unread bytes, which will be read next.
    ///   - failing: Objects that cannot be read.
    /// - Returns: What went wrong meanwhile, and holds up nothing.
    func conclude(unread: [FoundObject], failing: [FoundObject]) -> [StorageError]

    /// Whether another listing may find more at once.
    var hasMore: Bool { get }

    /// The folders below which its objects lie, with a slash at the end: keys begin with one of them. Objects may be moved to
    /// another one, which leaves the rest of their keys as it is.
    ///
    /// - Throws: `StorageError`.
    func folders() throws -> [String]

    /// Whether an object of this key is meant, if it is there.
    ///
    /// - Throws: `StorageError`.
    func means(_ key: String) throws -> Bool

    /// These objects are likely to be opened next, in this order.
    func expect(_ objects: [FoundObject])

    /// Opens an object as it is now.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: `StorageError`.
    func open(_ key: String) throws -> (any ObjectBytes)?
}

extension ObjectPlace {
    /// Where bytes are near there is nothing to do.
    package func expect(_ objects: [FoundObject]) {}

    /// Where a listing costs the same for known objects, it has them all.
    package func list(
        unless isKnown: (String, String) -> Bool,
        _ body: (ListedObject) throws -> Void
    ) throws -> ListingReport {
        try list(body)
    }

    /// Where a listing finds all there is, nothing has to be kept in mind.
    package func conclude(unread: [FoundObject], failing: [FoundObject]) -> [StorageError] { [] }

    package var hasMore: Bool { false }
}

/// One object of a listing; its bytes are valid during the call that it is given to.
package struct ListedObject {
    /// The key, in UTF-8 unless the place holds other names.
    package var key: UnsafeRawBufferPointer
    /// What tells this content of the key from others.
    package var version: UnsafeRawBufferPointer
    /// Size as it is stored, in bytes.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// What all names of one object have in common; nil where each object has one name.
    package var identity: FileID?

    /// Creates an entry.
    package init(
        key: UnsafeRawBufferPointer,
        version: UnsafeRawBufferPointer,
        byteCount: UInt64,
        modified: Int64,
        identity: FileID? = nil
    ) {
        self.key = key
        self.version = version
        self.byteCount = byteCount
        self.modified = modified
        self.identity = identity
    }
}

/// What a listing came to besides the objects.
package struct ListingReport {
    /// What a person should know.
    package var remarks: [ObjectSource.Remark] = []
    /// What is there and cannot be looked at.
    package var unreadable: [StorageError] = []
    /// Whether nobody looked this time whether there is an object of a key; nil when all was looked at.
    package var isLeaptOver: ((String) -> Bool)?

    /// Nothing to report.
    package init() {}
}

/// What a place says of an object.
package struct ObjectStatus: Hashable, Sendable {
    /// Size as it is stored, in bytes.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// What tells this content of the key from others.
    package var version: String

    /// Creates a status.
    package init(byteCount: UInt64, modified: Int64, version: String) {
        self.byteCount = byteCount
        self.modified = modified
        self.version = version
    }
}

/// The decompressed bytes of one object that was opened.
package protocol ObjectBytes: AnyObject {
    /// The object when it was opened.
    var status: ObjectStatus { get }
    /// When somebody may have written to it last, in nanoseconds since 1970-01-01 UTC; nil for an object of a bucket, which
    /// appears whole.
    var lastWrite: Int64? { get }

    /// Whether the bytes can be used; to be asked before they are read.
    ///
    /// - Throws: `StorageError`.
    func check() throws -> ObjectIntegrity

    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end.
    ///
    /// - Throws: `StorageError`; with `EBADMSG` for bytes that cannot be decompressed.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int

    /// Whether the bytes are still those of `status`.
    ///
    /// - Throws: `StorageError`.
    func isUnchanged() throws -> Bool
}

/// Whether an object can be used.
package enum ObjectIntegrity: Hashable, Sendable {
    /// It can.
    case whole
    /// It is compressed and ends in the middle: it is still being written, or was cut.
    case cut
    /// It cannot be decompressed.
    case damaged
}
