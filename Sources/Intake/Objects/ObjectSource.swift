import BatchProtocol
import ObjectStorage

/// Objects that are delivered whole, named by patterns; one may be overwritten later by one that has more lines.
package struct ObjectSource: Hashable, Sendable {
    /// How much of what was read is compared when an object has a new version.
    package enum VerifiedPrefix: String, Hashable, Sendable, CaseIterable {
        /// The last piece, of one MiB at the most. Compressed objects are compared whole: they are read anyway.
        case tail
        /// All of it.
        case full
    }

    /// What is done with an object whose lines are others than those that were read.
    package enum ChangePolicy: String, Hashable, Sendable, CaseIterable {
        /// It is reported, once for each version, and left alone.
        case report
        /// It is read from its start once more, as a correction.
        case reingest
    }

    /// Absolute paths as the shell expands them (`*`, `?`, `[…]`, `{a,b}`); `**` stands for folders of any depth, a folder
    /// for all that is in it.
    package var patterns: [String]
    /// How much of what was read is compared.
    package var verifyPrefix: VerifiedPrefix
    /// What is done with other lines.
    package var onChange: ChangePolicy

    /// Creates a source.
    package init(
        patterns: [String],
        verifyPrefix: VerifiedPrefix = .tail,
        onChange: ChangePolicy = .report
    ) {
        self.patterns = patterns
        self.verifyPrefix = verifyPrefix
        self.onChange = onChange
    }

    /// Something that a person should know.
    package enum Remark: Hashable, Sendable {
        /// Nothing matches a pattern.
        case nothingMatches(pattern: String)
        /// A compressed object ends in the middle: it is still being written, or was cut. Not read until it is whole. Once
        /// it has been quiet for a minute, it is among the unreadable ones as well.
        case endsTooEarly(key: String)
        /// A compressed object cannot be decompressed; not read, and among the unreadable ones as well.
        case isDamaged(key: String)
        /// A name is no UTF-8; the object is not read.
        case nameIsNotText(path: String)
        /// So many objects were last modified before all that is kept in mind; they are not read. Most were read before they
        /// were forgotten, which cannot be told any more.
        case areTooOld(count: Int)
        /// A message of the queue, by its name, is no notification of an object; it is left there.
        case isNoNotification(message: String)
    }
}

/// An object with bytes that no batch has yet, as it was listed.
package struct FoundObject: Hashable, Sendable {
    /// The absolute path, or the URL.
    package var key: String
    /// Size as it is stored, in bytes.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// What tells this content of the key from others.
    package var version: String
    /// What earlier batches have read under its key; nil for nothing.
    package var seen: SeenObject?
    /// What earlier batches have read under another name that the object may have had, when that is more.
    package var formerlySeen: SeenObject?
    /// What all names of one object have in common.
    var identity: FileID?

    /// Offset of the first unread byte, if the object still begins with what was read.
    package var from: UInt64 { (formerlySeen ?? seen)?.to ?? 0 }
}

/// What lies at the patterns of a source, seen beside what earlier batches have read.
package struct ObjectLook {
    /// Objects to be opened, in order of arrival: by time, those of one time by key.
    package var objects: [FoundObject] = []
    /// Whether there are more than the limit.
    package var hasMore = false
    /// What a person should know.
    package var remarks: [ObjectSource.Remark] = []
    /// Objects and folders that are there and cannot be read; the others are looked at nevertheless.
    package var unreadable: [StorageError] = []
    /// Objects of which nothing is read any more.
    package var leftAlone = LeftAloneObjects()
}
