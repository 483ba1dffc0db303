import BatchProtocol
import CByteScan
import Glibc
import ObjectStorage

/// A file as it lies on disk now.
package struct FoundFile: Hashable, Sendable {
    /// Its absolute path.
    package var path: String
    /// Size in bytes.
    package var byteCount: UInt64
    /// Last modification, in microseconds since 1970-01-01 UTC.
    package var modified: Int64
    /// The inode number.
    package var inode: UInt64
}

/// Bytes of a file that no batch has yet.
package struct UnreadFile: Hashable, Sendable {
    /// The file on disk.
    package var found: FoundFile
    /// What is known of it from earlier batches; nil for a file never read before.
    package var tracked: TrackedFile?
    /// Offset of the first unread byte.
    package var offset: UInt64 { tracked?.offset ?? 0 }
    /// Unread bytes when the file was found.
    package var unreadByteCount: UInt64 { found.byteCount - offset }

    /// Opens the file once more to read on; nil when its name has gone to another file since it was found.
    ///
    /// - Throws: `StorageError`.
    package func open() throws -> FileReader? {
        guard let reader = try FileReader.openIfThere(found.path), try reader.inode() == found.inode else {
            return nil
        }
        guard let tracked else { return reader }
        let tail = tracked.offset - UInt64(tracked.tailByteCount)
        return try reader.hash(from: tail, byteCount: tracked.tailByteCount) == tracked.tailHash
            ? reader : nil
    }
}

/// Log files named by patterns, told apart by what they hold.
package struct TailedFileSource: Sendable {
    /// Bytes at the start and before the offset that tell files apart.
    package static let hashedByteCount = 4096

    /// Patterns as the shell expands them (`*`, `?`, `[…]`, `{a,b}`).
    package let patterns: [String]
    /// The machine's name, for people.
    package let host: String

    /// Names files by patterns with absolute paths.
    package init(patterns: [String], host: String) {
        self.patterns = patterns
        self.host = host
    }

    /// Something at a pattern that cannot be read as a log file.
    package enum Remark: Hashable, Sendable {
        /// Nothing matches a pattern.
        case nothingMatches(pattern: String)
        /// A folder matches.
        case isFolder(path: String)
        /// A file is shorter than what was read of it: truncated or replaced, now read from its start.
        case startsAnew(path: String)
    }

    /// The files that match now, oldest first; one that is reached by several names is there once, by its own.
    ///
    /// - Throws: `StorageError` for a file that is there but may not be looked at.
    package func find() throws -> (files: [FoundFile], remarks: [Remark]) {
        var remarks: [Remark] = []
        var files: [String: FoundFile] = [:]
        for pattern in patterns {
            var results = glob_t()
            defer { globfree(&results) }
            _ = glob(pattern, GLOB_BRACE | GLOB_NOSORT, nil, &results)
            if results.gl_pathc == 0 {
                try checkFolder(of: pattern)
                remarks.append(.nothingMatches(pattern: pattern))
            }
            for index in 0..<Int(results.gl_pathc) {
                guard let name = results.gl_pathv[index] else { continue }
                let path = String(cString: name)
                guard let status = try Self.status(path), let place = Self.place(path) else {
                    continue
                }
                if status.isFolder {
                    remarks.append(.isFolder(path: path))
                } else if files[place] == nil || path == place {
                    files[place] = FoundFile(
                        path: path,
                        byteCount: status.byteCount,
                        modified: status.modified,
                        inode: status.inode
                    )
                }
            }
        }
        return (files.values.sorted { ($0.modified, $0.path) < ($1.modified, $1.path) }, remarks)
    }

    /// The status of an input file; a failure counts as one of reading it.
    private static func status(_ path: String) throws -> FileStatus? {
        do {
            return try PosixFileSystem().status(path)
        } catch let error as StorageError {
            throw StorageError(code: error.code, operation: "read", path: error.path)
        }
    }

    /// The path without links; nil when the file is gone.
    private static func place(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Makes sure that nothing matched because there is nothing, not because the folder may not be listed.
    private func checkFolder(of pattern: String) throws {
        let fixed = pattern.prefix { !"*?[{".contains($0) }
        guard let slash = fixed.lastIndex(of: "/"), slash > fixed.startIndex else { return }
        do {
            _ = try PosixFileSystem().list(String(fixed[..<slash]))
        } catch let error as StorageError where error.code == .permissionDenied {
            throw StorageError(code: error.code, operation: "read", path: error.path)
        } catch is StorageError {
            return
        }
    }

    /// The files with unread bytes, oldest first.
    ///
    /// A file is one that was read before when its first bytes and the bytes before the offset are the same; its inode
    /// only decides between several such. A file that is shorter than its offset, or differs, starts anew.
    ///
    /// - Parameter state: What earlier batches have read.
    /// - Returns: The files, and what a person should know.
    /// - Throws: `StorageError` for a file that cannot be read.
    package func unread(after state: ShardState) throws -> (files: [UnreadFile], remarks: [Remark]) {
        let (found, findings) = try find()
        var remarks = findings
        var claimed: Set<String> = []
        var matches: [String: TrackedFile] = [:]
        // A file that vanishes in between is met again, under its new name, by the next look.
        let contents = found.filter { $0.byteCount > 0 }.map(FileContent.init)
        // Same inode first, so that a copy beside the original does not take its place.
        for usesInode in [true, false] {
            for content in contents where matches[content.file.path] == nil {
                let candidates = state.files.reversed().filter { candidate in
                    !claimed.contains(candidate.id) && (candidate.inode == content.file.inode) == usesInode
                        && candidate.offset <= content.file.byteCount
                }
                guard let match = try candidates.first(where: content.holds) else { continue }
                claimed.insert(match.id)
                matches[content.file.path] = match
            }
        }
        for file in contents.map(\.file) where matches[file.path] == nil {
            let wasRead = state.files.contains { $0.inode == file.inode && !claimed.contains($0.id) }
            if wasRead { remarks.append(.startsAnew(path: file.path)) }
        }
        let unread = contents.map { UnreadFile(found: $0.file, tracked: matches[$0.file.path]) }
        return (unread.filter { $0.unreadByteCount > 0 }, remarks)
    }

    /// Where a planned range can be read now: at its path, or in any file that holds its bytes.
    ///
    /// - Returns: nil when no file that matches the patterns holds them.
    package func locate(_ range: SourceRange) throws -> FileReader? {
        let paths = [range.file.path] + (try find().files.map(\.path).filter { $0 != range.file.path })
        for path in paths {
            guard let status = try Self.status(path), !status.isFolder,
                status.byteCount >= range.file.offset
            else { continue }
            guard let reader = try FileReader.openIfThere(path) else { continue }
            if try reader.hash(from: range.from, byteCount: Int(range.byteCount)) == range.hash {
                return reader
            }
        }
        return nil
    }
}

/// What a file on disk holds, hashed as far as it is asked for.
///
/// Open only while it is read.
private final class FileContent {
    let file: FoundFile
    private var heads: [Int: String] = [:]

    init(_ file: FoundFile) { self.file = file }

    /// Whether the file holds what was read of a tracked one; false when it has gone.
    func holds(_ tracked: TrackedFile) throws -> Bool {
        if let head = heads[tracked.headByteCount], head != tracked.headHash { return false }
        guard let reader = try FileReader.openIfThere(file.path) else { return false }
        let head = try heads[tracked.headByteCount] ?? reader.hash(from: 0, byteCount: tracked.headByteCount)
        heads[tracked.headByteCount] = head
        guard head == tracked.headHash else { return false }
        let tail = tracked.offset - UInt64(tracked.tailByteCount)
        return try reader.hash(from: tail, byteCount: tracked.tailByteCount) == tracked.tailHash
    }
}
