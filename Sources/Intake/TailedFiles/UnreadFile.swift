import BatchProtocol
import ObjectStorage

/// Bytes of a file that no batch has yet.
package struct UnreadFile {
    /// The file on disk; a file that was removed is here under its last name, a copy in the spool under that of its file.
    package var found: FoundFile
    /// What is known of it from earlier batches; nil for a file never read before.
    package var tracked: TrackedFile?
    /// Whether nothing will be appended any more: what is no whole record at its end never becomes one.
    package var isClosed: Bool
    /// The device, and the inode in all its bits.
    package let id: FileID
    /// The file when it is still open.
    let reader: FileReader?
    /// Its first bytes when it was found.
    let head: [UInt8]
    /// Its last change, in nanoseconds since 1970-01-01 UTC.
    let modified: Int64
    /// Where its bytes are.
    private let place: String
    /// What the spool says of it when it is a copy there.
    package let copied: SpooledFile?

    init(_ file: KnownFile, tracked: TrackedFile?, isClosed: Bool) {
        found = FoundFile(
            path: file.copied?.path ?? file.path,
            byteCount: file.byteCount,
            modified: file.status.modified / 1_000,
            inode: file.copied?.inode ?? file.id.inode
        )
        modified = file.status.modified
        place = file.path
        copied = file.copied
        self.tracked = tracked
        self.isClosed = isClosed
        id = file.id
        reader = file.reader
        head = file.head ?? []
    }

    /// Offset of the first unread byte.
    package var offset: UInt64 { tracked?.offset ?? 0 }
    /// Unread bytes when the file was found.
    package var unreadByteCount: UInt64 { found.byteCount - offset }

    /// The file, to be read on; it stays readable when it is renamed or removed.
    ///
    /// - Returns: nil when its name has gone to another file since it was found, or its bytes have changed.
    /// - Throws: `StorageError`.
    package func open() throws -> FileReader? {
        guard let open = try reader ?? FileReader.openIfThere(place),
            try open.file.status(path: place).id == id
        else { return nil }
        let reader = copied.map { FileReader(open, standingFor: $0) } ?? open
        return try holdsTracked(reader) ? reader : nil
    }

    /// Whether the file still begins with the bytes that were found, and has the same bytes before the offset.
    ///
    /// To be asked once more when all is read and tracked: a file that was truncated and written anew while it was read has given
    /// bytes of two files. Nothing of it may be kept then; the next look knows what became of it.
    ///
    /// - Throws: `StorageError`.
    package func isIntact(_ reader: FileReader) throws -> Bool {
        // Nobody truncates a compressed file, and going back in it would cost more than the reading.
        guard reader.stream == nil else { return true }
        return try reader.bytes(at: 0, count: head.count) == head && holdsTracked(reader)
    }

    private func holdsTracked(_ reader: FileReader) throws -> Bool {
        guard let tracked else { return true }
        let tail = tracked.offset - UInt64(tracked.tailByteCount)
        return try reader.hash(from: tail, byteCount: tracked.tailByteCount) == tracked.tailHash
    }
}

/// Nobody wants the look any longer.
struct LookCalledOff: Error {}

/// What has become of a file that was seen at another time.
package struct Sighting: Hashable, Sendable {
    /// Whether batches have all its bytes; else those are in a file.
    package var isRead: Bool
    /// The file that holds them now; nil for one that was open when it was read and is gone.
    package var file: FileID?
}

/// What lies at the patterns of a source, seen beside what earlier batches have read.
package struct Look {
    /// The files with unread bytes, oldest first.
    package var files: [UnreadFile] = []
    /// Copies of files that were read further and truncated since: nothing of them is wanted.
    ///
    /// A range without bytes, up to their size, keeps them in mind; otherwise they are read after a restart.
    package var finishedCopies: [UnreadFile] = []
    /// What a person should know.
    package var remarks: [TailedFileSource.Remark] = []
    /// Files that are there and cannot be read; the others are looked at nevertheless.
    package var unreadable: [StorageError] = []
    /// Files, folders and patterns that could not be looked at now, and may hold what seems to be gone.
    ///
    /// What can never be read is not among them, such as a damaged compressed file, nor a place where nothing is.
    package var hidden: [String] = []
    /// Copies in the spool of which batches have all bytes that they had when they were listed.
    package var readCopies: [SpooledCopy] = []
    /// Ids of files whose copies in the spool are gone or shorter than they were.
    package var damagedCopies: Set<String> = []
    /// What has become of the files that were looked for, by id; none for one whose bytes are in no file now.
    package var sightings: [String: Sighting] = [:]
    /// Ids of tracked files that are nowhere now.
    ///
    /// Empty when not all could be looked at: a folder is missing, nothing is there
    /// at all, a file cannot be read, or a compressed file is not whole.
    package var absent: [String] = []
}
