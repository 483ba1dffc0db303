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
        tailHash: String
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
    }
}

/// Bytes of one file that belong to a batch: the half-open range from `from` to `file.offset`.
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

/// How far a shard has read each of its sources: a function of its plans.
package struct IntakeState: Codable, Hashable, Sendable {
    /// The files, in order of first sight.
    package private(set) var files: [TrackedFile]

    /// Creates a state; the state before the first batch has no files.
    package init(files: [TrackedFile] = []) { self.files = files }

    /// Takes in what a batch has read.
    package mutating func apply(_ plan: BatchPlan) {
        for range in plan.ranges {
            if let index = files.firstIndex(where: { $0.id == range.file.id }) {
                files[index] = range.file
            } else {
                files.append(range.file)
            }
        }
    }
}
