import BatchProtocol
import FoundationEssentials

/// What a spool holds of one log file.
///
/// The copy has the file's bytes at their own offsets: its first 4096, those just before `from`, by which the file is told
/// apart, and all from `from` up to `end`. What lies between is a hole. Bytes behind `end` are torn and mean nothing.
package struct SpooledFile: Codable, Hashable, Sendable {
    /// What was seen of a file and not copied.
    package struct Refused: Codable, Hashable, Sendable {
        /// The file up to the last byte that was seen.
        package var file: TrackedFile
        /// Its first bytes, at most 4096.
        package var head: Data
    }

    /// The id that batches gave the file, or one of the spool's own.
    package var id: String
    /// Where the file was last seen.
    package var path: String
    /// Its inode there.
    package var inode: UInt64
    /// Its last change, in nanoseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// The copy's name in the spool's folder; nil when there is none.
    package var copy: String?
    /// Offset of the first byte that was copied for its own sake.
    package var from: UInt64
    /// Offset one past the last byte that was copied.
    package var end: UInt64
    /// Bytes that the copy takes on the disk.
    package var byteCount: UInt64 = 0
    /// The file up to `end`; nil for one of which nothing was ever read or copied.
    package var tracked: TrackedFile?
    /// How long the file was at the first look of a process that knew no position; nil for one that came later.
    package var startsAt: UInt64?
    /// What lies behind `end`; nil when all that was seen was copied.
    package var refused: Refused?

    /// The file up to the last byte that was seen.
    var seen: TrackedFile? { refused?.file ?? tracked }

    /// From here on the copy has no hole.
    var solidFrom: UInt64 { Self.solidFrom(from) }

    /// The first of the bytes that are copied along when a copy begins at an offset.
    static func solidFrom(_ from: UInt64) -> UInt64 {
        let hashed = UInt64(TailedFileSource.hashedByteCount)
        // Head and tail meet.
        return from <= 2 * hashed ? 0 : from - hashed
    }

    /// Bytes that were seen and not copied.
    package var refusedByteCount: UInt64 { refused.map { $0.file.offset - min(end, $0.file.offset) } ?? 0 }
}

extension SpooledFile {
    /// A file of which nothing was copied.
    init(_ file: UnreadFile, id: String) {
        self.init(
            id: id,
            path: file.found.path,
            inode: file.found.inode,
            modified: file.modified,
            from: file.offset,
            end: file.offset,
            tracked: file.tracked
        )
    }

    /// What was copied and lies behind the end that the file has now; nil for nothing.
    func cutOff(of file: UnreadFile) -> Refused? {
        guard let tracked, tracked.offset > file.found.byteCount else { return nil }
        return Refused(file: tracked, head: Data(file.head))
    }

    /// Gives the copy up: another one begins where the file is unread.
    mutating func beginAnew(_ file: UnreadFile) {
        copy = nil
        byteCount = 0
        from = file.offset
        end = file.offset
        tracked = file.tracked
    }
}

/// A copy as it was at one moment.
package struct SpooledCopy: Hashable, Sendable {
    /// Its name in the spool's folder.
    package var name: String
    /// Offset one past its last byte.
    package var end: UInt64
}

/// What a spool holds, as it is stored: replaced whole with each change.
package struct SpoolManifest: Codable, Hashable, Sendable {
    /// The format that this release writes.
    static let currentFormat = 1

    /// Version of this format.
    var format = SpoolManifest.currentFormat
    /// When the lake was lost, in microseconds since 1970-01-01 UTC.
    package var since: Int64
    /// What the lake failed with.
    package var reason: String
    /// Whether the lake is still down, as far as the process knew that wrote this.
    package var isOpen = true
    /// Whether the first look is over, when the process that began knew no position; nil when it knew some.
    var isStartOver: Bool?
    /// Counts ids and copies.
    var next = 0
    /// The files.
    package var files: [SpooledFile] = []

    /// Begins with nothing.
    init(since: Int64, reason: String) {
        self.since = since
        self.reason = reason
    }

    /// Takes in what is held of a file, in the place of what was.
    mutating func set(_ file: SpooledFile) {
        if let index = files.firstIndex(where: { $0.id == file.id }) {
            files[index] = file
        } else {
            files.append(file)
        }
    }

    /// Whether the process that began knew no position: perhaps no batch was ever made.
    package var isFromStart: Bool { isStartOver != nil }

    /// Bytes of all copies.
    package var byteCount: UInt64 { files.reduce(0) { $0 + $1.byteCount } }
    /// Bytes that were seen and not copied.
    package var refusedByteCount: UInt64 { files.reduce(0) { $0 + $1.refusedByteCount } }

    /// The manifest of a spool.
    ///
    /// - Returns: nil when nothing is spooled.
    /// - Throws: `StorageError`.
    package static func read(_ folder: String) throws -> SpoolManifest? {
        try SpoolDisk.read(SpoolManifest.self, "\(folder)/\(name)")
    }

    static let name = "spool.json"
}
