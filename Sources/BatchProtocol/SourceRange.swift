/// A file that is read as it grows, as its content tells it apart from others.
///
/// Names change by rotation and inodes are used again, so neither is trusted alone.
package struct TrackedFile: Codable, Hashable, Sendable {
    /// Given at first sight: `<batch>-<ordinal in the batch>`.
    package var id: String
    /// Where it was last seen.
    package var path: String
    /// The machine that read it, for people.
    package var host: String
    /// Its inode when it was last seen.
    package var inode: UInt64
    /// Bytes that `headHash` covers: at most 4096.
    package var headByteCount: Int
    /// Hash of the first bytes.
    package var headHash: String
    /// Bytes read and committed, from the start.
    package var offset: UInt64
    /// Bytes that `tailHash` covers: at most 4096.
    package var tailByteCount: Int
    /// Hash of the bytes just before `offset`.
    package var tailHash: String
    /// The format of its records; nil in plans of format 1, whose files were all csvlog.
    package var format: String?
    /// Time of the last batch that read it, in microseconds since 1970-01-01 UTC; nil in plans of format 1.
    package var readAt: Int64?

    /// Creates a description of a file.
    package init(
        id: String,
        path: String,
        host: String,
        inode: UInt64,
        headByteCount: Int,
        headHash: String,
        offset: UInt64,
        tailByteCount: Int,
        tailHash: String,
        format: String? = nil,
        readAt: Int64? = nil
    ) {
        self.id = id
        self.path = path
        self.host = host
        self.inode = inode
        self.headByteCount = headByteCount
        self.headHash = headHash
        self.offset = offset
        self.tailByteCount = tailByteCount
        self.tailHash = tailHash
        self.format = format
        self.readAt = readAt
    }
}

/// Bytes of one file that belong to a batch: the half-open range from `from` to `file.offset`.
///
/// All of them belong to it: what is no whole record at the end of the range is a fault. A range without bytes says that
/// the file is known up to its offset and that nothing before it is wanted.
package struct SourceRange: Codable, Hashable, Sendable {
    /// The file after the batch.
    package var file: TrackedFile
    /// Offset of the first byte.
    package var from: UInt64
    /// Hash of the bytes of the range.
    package var hash: String

    /// Creates a range.
    package init(file: TrackedFile, from: UInt64, hash: String) {
        self.file = file
        self.from = from
        self.hash = hash
    }

    /// The number of bytes.
    package var byteCount: UInt64 { file.offset - from }
}
