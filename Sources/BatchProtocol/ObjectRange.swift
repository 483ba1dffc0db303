/// Bytes of one object that belong to a batch: the half-open range from `from` to `to`.
///
/// All of them belong to it: what is no whole record at the end of the range is a fault. A range without bytes says that
/// this version of the object is known and that nothing more of it is wanted.
///
/// Offsets are those of the decompressed bytes. An object may be replaced by one that begins with the same bytes and has
/// more of them; `chain` and `rest` tell whether it does.
package struct ObjectRange: Codable, Hashable, Sendable {
    /// Bytes of a piece of the chain.
    package static let pieceByteCount = 1 << 20

    /// The absolute path, or the URL.
    package var key: String
    /// What the store tells this content of the key by: an etag; of a file `<mtime in ns>-<size>-<inode>`.
    package var version: String
    /// Size of the object as it is stored, in bytes.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// Offset of the first byte.
    package var from: UInt64
    /// Offset one past the last byte.
    package var to: UInt64
    /// Hash of the bytes of the range.
    package var hash: String
    /// Hash chain over the whole pieces of the object below `to`.
    package var chain: String
    /// Hash of the bytes from the last border of a piece up to `to`.
    package var rest: String
    /// Whether nothing more of this version is wanted; false when a later batch reads on.
    package var isWhole: Bool
    /// Whether the object was read before with other bytes below `to`: the rows of those bytes are in earlier batches.
    package var isCorrection: Bool
    /// Whether the object has other bytes below `to` than those that were read, and is left alone; nil stands for no.
    package var isLeftAlone: Bool?

    /// Creates a range.
    package init(
        key: String,
        version: String,
        byteCount: UInt64,
        modified: Int64,
        from: UInt64,
        to: UInt64,
        hash: String,
        chain: String,
        rest: String,
        isWhole: Bool,
        isCorrection: Bool = false
    ) {
        self.key = key
        self.version = version
        self.byteCount = byteCount
        self.modified = modified
        self.from = from
        self.to = to
        self.hash = hash
        self.chain = chain
        self.rest = rest
        self.isWhole = isWhole
        self.isCorrection = isCorrection
    }

    /// The number of bytes of the range.
    package var rangeByteCount: UInt64 { to - from }
}
