import Glibc
import ObjectStorage

/// A file as it lies on disk now.
package struct FoundFile: Hashable, Sendable {
    /// Its absolute path.
    package var path: String
    /// Size in bytes; in a `Look` that of a compressed file is the decompressed one.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// The inode number.
    package var inode: UInt64
}

/// Log files named by patterns, and by the file in which the server names its own.
package struct TailedFileSource: Sendable {
    /// Bytes at the start and before the offset that tell files apart.
    package static let hashedByteCount = 4096

    /// Patterns as the shell expands them (`*`, `?`, `[…]`, `{a,b}`).
    package let patterns: [String]
    /// The machine's name, for people.
    package let host: String
    /// Path of the server's `current_logfiles`, in its data directory; nil when it is not looked at.
    package let currentLogfiles: String?
    /// The folder of the spool that may hold copies of them; nil for none.
    package var spool: String?

    /// Names files by patterns with absolute paths; without any, the pattern is derived from `current_logfiles`.
    package init(patterns: [String], host: String, currentLogfiles: String? = nil) {
        self.patterns = patterns
        self.host = host
        self.currentLogfiles = currentLogfiles
    }

    /// Something at a pattern that a person should know.
    package enum Remark: Hashable, Sendable {
        /// Nothing matches a pattern, nor any compressed file beside it.
        case nothingMatches(pattern: String)
        /// A folder matches.
        case isFolder(path: String)
        /// A file is shorter than what was read of it: truncated or replaced, now read from its start.
        case startsAnew(path: String)
        /// A compressed file ends in the middle: it is still being written, or was cut. Not read until it is whole.
        case endsTooEarly(path: String)
        /// A compressed file cannot be decompressed; not read.
        case isDamaged(path: String)
        /// `current_logfiles` is not there, or names no csvlog or jsonlog file.
        case namesNoLog(path: String)
        /// A copy in the spool begins behind what batches have read: the lake is not the one that it was made beside.
        case copyDoesNotFit(path: String)
        /// A copy in the spool is gone or shorter than it was; not read.
        case copyIsDamaged(path: String, original: String)
        /// The spool's folder or manifest cannot be read.
        case spoolIsUnreadable(path: String)
        /// A folder on the way of a pattern is there and cannot be listed.
        case cannotBeListed(pattern: String)
        /// Something that cannot be looked at now may hold what was seen while the lake was down and is nowhere else.
        case hidesLosses(path: String)
    }

    /// The files that match now, oldest first, with their sizes on disk; one that is reached by several names is there once,
    /// by its own.
    ///
    /// - Throws: `StorageError` for a file that is there but may not be looked at.
    package func find() throws -> (files: [FoundFile], remarks: [Remark]) {
        var current = CurrentLogfiles()
        var own = self
        own.spool = nil
        let listing = try FileListing(of: own, current: &current)
        return (listing.files.map { $0.found }, listing.remarks)
    }
}
