import BatchProtocol
import Glibc
import ObjectStorage

/// What is known of one file's bytes, so that they are not read again while it does not change.
final class KnownFile {
    /// A hash that was asked for.
    private struct HashedRange: Hashable {
        var from: UInt64
        var byteCount: Int
    }

    let id: FileID
    let compression: Compression?
    /// What the spool says of it when it is a copy there.
    private(set) var copied: SpooledFile?
    private(set) var path: String
    private(set) var status: LogFileStatus
    /// The open file; closed when others need the descriptor more.
    var reader: FileReader?
    /// Whether it was found at the last look; otherwise it is read through its descriptor.
    var isFound = true
    /// The file that it was taken for at the last look.
    var claim: String?

    /// The first bytes, at most as many as are hashed; nil when they have to be read.
    private(set) var head: [UInt8]?
    private var headHashes: [Int: String] = [:]
    private var hashes: [HashedRange: String] = [:]
    private var measure: (byteCount: UInt64, end: CompressedStream.End)?
    /// Whether the status was taken so long after the last change that a further change must show in it.
    private var isSettled = false

    init(_ file: ListedFile) {
        id = file.status.id
        path = file.path
        status = file.status
        copied = file.copied
        compression = file.copied == nil ? Compression(path: file.path) : nil
    }

    /// Takes in the status of a new look, which was taken after `now` in nanoseconds since 1970-01-01 UTC.
    func update(_ file: ListedFile, now: Int64) {
        if file.path != path {
            reader = reader.map { FileReader($0, path: file.path) }
            path = file.path
        }
        copied = file.copied
        let isUnchanged = file.status == status && (isSettled || compression != nil)
        isSettled = file.status.changed < now - Self.clockTick
        status = file.status
        guard !isUnchanged else { return }
        head = nil
        headHashes = [:]
        hashes = [:]
        if compression != nil {
            measure = nil
            reader = nil
        }
    }

    /// More than a tick of the clock that the kernel stamps files with, in nanoseconds.
    private static let clockTick: Int64 = 50_000_000

    /// From here on it has no hole, but for its first bytes.
    var solidFrom: UInt64 { copied?.solidFrom ?? 0 }

    /// Whether its bytes are those of the last look for certain.
    var isUnchangedForCertain: Bool { head != nil && (isSettled || compression != nil) }

    /// Its size in bytes, decompressed; `inspect` comes first.
    var byteCount: UInt64 { measure?.byteCount ?? status.byteCount }

    /// How a compressed file ends; `inspect` comes first.
    var end: CompressedStream.End { measure?.end ?? .whole }

    /// The hash of its first bytes, nil when it has not as many; `inspect` comes first.
    func headHash(_ byteCount: Int) -> String? {
        guard let head, byteCount <= head.count else { return nil }
        if let hash = headHashes[byteCount] { return hash }
        let hasher = RangeHasher()
        head.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) }
        headHashes[byteCount] = hasher.digest
        return headHashes[byteCount]
    }

    /// Whether it may be a tracked file, by its first bytes.
    func begins(like tracked: TrackedFile) -> Bool { headHash(tracked.headByteCount) == tracked.headHash }

    /// Reads what is needed of it to tell it apart.
    ///
    /// - Parameters:
    ///   - readers: Keeps it open.
    ///   - tracked: The files that it may be: their hashes come with the one pass over a compressed file.
    ///   - isCalledOff: Ends it soon.
    /// - Returns: false when it is gone.
    /// - Throws: `StorageError`, `LookCalledOff`.
    func inspect(
        _ readers: OpenReaders,
        tracked: [TrackedFile],
        unless isCalledOff: () -> Bool
    ) throws -> Bool {
        guard head == nil || (compression != nil && measure == nil) else { return true }
        guard let reader = try readers.reader(of: self) else { return false }
        do {
            let first = try reader.bytes(at: 0, count: TailedFileSource.hashedByteCount)
            // What came after the status was taken belongs to the next look.
            head = compression == nil ? Array(first.prefix(Int(clamping: status.byteCount))) : first
            guard let stream = reader.stream else { return true }
            for candidate in tracked.filter(begins).sorted(by: { $0.offset < $1.offset }) {
                _ = try hash(before: candidate, reader)
            }
            measure = try stream.measure(unless: isCalledOff)
            // At its end it is of no use any more.
            readers.close(self)
        } catch let error as StorageError where error.code == .other(EBADMSG) {
            head = head ?? []
            measure = (0, .damaged)
        }
        return true
    }

    /// Whether it holds what was read of a tracked file; false also when it is gone.
    func holds(_ tracked: TrackedFile, _ readers: OpenReaders) throws -> Bool {
        guard tracked.offset <= byteCount, begins(like: tracked) else { return false }
        // What lies before is no part of the copy.
        if let copied, copied.solidFrom > 0, tracked.offset < copied.from { return false }
        let range = HashedRange(
            from: tracked.offset - UInt64(tracked.tailByteCount),
            byteCount: tracked.tailByteCount
        )
        if let known = hashes[range] { return known == tracked.tailHash }
        guard let reader = try readers.reader(of: self) else { return false }
        return try hash(before: tracked, reader) == tracked.tailHash
    }

    private func hash(before tracked: TrackedFile, _ reader: FileReader) throws -> String {
        let from = tracked.offset - UInt64(tracked.tailByteCount)
        let hash = try reader.hash(from: from, byteCount: tracked.tailByteCount)
        hashes[HashedRange(from: from, byteCount: tracked.tailByteCount)] = hash
        return hash
    }
}

/// The open files of a source: at most so many, the ones used longest ago are closed first.
final class OpenReaders {
    /// Descriptors that stay open between two looks.
    static let limit = 16

    private var files: [KnownFile] = []

    /// The reader of a file, opened when it is not; nil when its name has gone to another file.
    func reader(of file: KnownFile) throws -> FileReader? {
        if let reader = file.reader {
            if files.last !== file {
                files.removeAll { $0 === file }
                files.append(file)
            }
            return reader
        }
        guard file.isFound, let reader = try FileReader.openIfThere(file.path),
            try reader.file.status(path: file.path).id == file.id
        else { return nil }
        file.reader = reader
        files.removeAll { $0 === file }
        files.append(file)
        // A file that has no name any more cannot be opened again.
        while files.count > Self.limit, let index = files.firstIndex(where: { $0.isFound && $0 !== file }) {
            files.remove(at: index).reader = nil
        }
        return reader
    }

    /// Closes a file.
    func close(_ file: KnownFile) {
        files.removeAll { $0 === file }
        file.reader = nil
    }

    /// Closes all but these; of too many the first ones.
    func keep(_ kept: [KnownFile]) {
        let kept = kept.suffix(Self.limit)
        let ids = Set(kept.map(ObjectIdentifier.init))
        for file in files where !ids.contains(ObjectIdentifier(file)) { file.reader = nil }
        files = files.filter { $0.reader != nil }
    }
}
