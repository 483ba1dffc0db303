import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// Files are told apart by what they hold, whatever becomes of their names and inodes.
@Suite final class TailedFileSourceTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "intake-\(UUID().uuidString)"
    ).path
    private let source: TailedFileSource

    init() throws {
        source = TailedFileSource(patterns: ["\(folder)/*.csv", "\(folder)/*.csv.[0-9]"], host: "pg1")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// Lines that differ from file to file and are longer than the hashed part.
    private func lines(_ name: String, _ count: Int = 200) -> String {
        (0..<count).map { "\($0),\(name),a line of the log that goes on for a while\n" }.joined()
    }

    /// Writes a new file, a second after the ones before.
    private func write(_ text: String, _ name: String, second: Int = 0) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
        let time = timespec(tv_sec: 1_700_000_000 + second, tv_nsec: 0)
        try #require(utimensat(AT_FDCWD, path(name), [time, time], 0) == 0)
    }

    /// Changes a file without giving it another inode.
    private func overwrite(_ name: String, _ text: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private func append(_ text: String, _ name: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    private func move(_ name: String, _ target: String) throws {
        try FileManager.default.moveItem(atPath: path(name), toPath: path(target))
    }

    private func copy(_ name: String, _ target: String) throws {
        try Data(contentsOf: URL(filePath: path(name))).write(to: URL(filePath: path(target)))
    }

    /// The file as a batch that read it up to an offset, or its end, tracks it.
    private func track(_ name: String, id: String = "1-0", upTo offset: UInt64? = nil) throws -> TrackedFile {
        let end = try #require(try PosixFileSystem().status(path(name))).byteCount
        return try FileReader(path: path(name)).track(id: id, host: "pg1", upTo: offset ?? end)
    }

    /// What is unread, as name, id of the tracked file and first unread byte.
    private func unread(_ files: TrackedFile...) throws -> [String] {
        try TailedFiles(source: source).look(after: ShardState(files: files)).files.map { file in
            let name = file.found.path.dropFirst(folder.count + 1)
            return "\(name) \(file.tracked?.id ?? "new") \(file.offset)+\(file.unreadByteCount)"
        }
    }

    // MARK: Finding

    @Test("files come oldest first, those of one time by name, each once")
    func order() throws {
        try write("a", "b.csv", second: 1)
        try write("a", "c.csv", second: 2)
        try write("a", "a.csv", second: 2)
        try write("a", "z.csv.1", second: 0)
        let twice = TailedFileSource(patterns: source.patterns + source.patterns, host: "pg1")
        let names = try twice.find().files.map { $0.path.dropFirst(folder.count + 1) }
        #expect(names == ["z.csv.1", "b.csv", "a.csv", "c.csv"])
    }

    @Test("a pattern without a match, a folder and an empty file are no errors")
    func remarks() throws {
        try FileManager.default.createDirectory(atPath: path("d.csv"), withIntermediateDirectories: true)
        try write("", "empty.csv")
        let look = try TailedFiles(source: source).look(after: ShardState())
        #expect(look.files.isEmpty)
        #expect(
            Set(look.remarks) == [
                .isFolder(path: path("d.csv")), .nothingMatches(pattern: "\(folder)/*.csv.[0-9]"),
            ]
        )
    }

    @Test("braces stand for alternatives")
    func braces() throws {
        try write("a", "x.csv")
        try write("b", "x.json")
        let source = TailedFileSource(patterns: ["\(folder)/*.{csv,json}"], host: "pg1")
        #expect(try source.find().files.count == 2)
    }

    // MARK: Reading on

    @Test("a file never read is read from its start")
    func new() throws {
        try write("12345", "a.csv")
        #expect(try unread() == ["a.csv new 0+5"])
    }

    @Test(
        "a file that has grown goes on where the last batch ended; one that has not is not there",
        arguments: [3, 500]
    )
    func grown(count: Int) throws {
        try write(lines("a", count), "a.csv")
        let tracked = try track("a.csv")
        #expect(try unread(tracked) == [])
        try append("more", "a.csv")
        #expect(try unread(tracked) == ["a.csv 1-0 \(tracked.offset)+4"])
    }

    @Test("a renamed file goes on under its new name while a new one takes the old")
    func renamed() throws {
        try write(lines("a"), "a.csv")
        let tracked = try track("a.csv")
        try append("rest", "a.csv")
        try move("a.csv", "a.csv.1")
        try write(lines("b"), "a.csv", second: 5)
        let size = UInt64(lines("b").utf8.count)
        #expect(Set(try unread(tracked)) == ["a.csv.1 1-0 \(tracked.offset)+4", "a.csv new 0+\(size)"])
    }

    @Test("a copy beside the original is not read, before and after it", arguments: ["0.csv", "z.csv"])
    func copied(name: String) throws {
        try write(lines("a"), "a.csv", second: 5)
        let tracked = try track("a.csv")
        try copy("a.csv", name)
        try append("rest", "a.csv")
        #expect(try unread(tracked) == ["a.csv 1-0 \(tracked.offset)+4"])
    }

    @Test("copied away and truncated: the copy is the file that was read, the emptied one starts anew")
    func copiedAndTruncated() throws {
        try write(lines("a"), "a.csv")
        let tracked = try track("a.csv", upTo: 1_000)
        try copy("a.csv", "a.csv.1")
        try overwrite("a.csv", "fresh")
        let rest = UInt64(lines("a").utf8.count) - 1_000
        #expect(Set(try unread(tracked)) == ["a.csv.1 1-0 1000+\(rest)", "a.csv new 0+5"])
    }

    @Test("truncated in place: starts anew and says so")
    func truncated() throws {
        try write(lines("a"), "a.csv")
        let tracked = try track("a.csv")
        try overwrite("a.csv", "short")
        #expect(try unread(tracked) == ["a.csv new 0+5"])
        let remarks = try TailedFiles(source: source).look(after: ShardState(files: [tracked])).remarks
        #expect(remarks.contains(.startsAnew(path: path("a.csv"))))
    }

    @Test("an inode with other content, longer than what was read, starts anew and says so")
    func inodeReused() throws {
        try write(lines("a", 10), "a.csv")
        let tracked = try track("a.csv")
        try overwrite("a.csv", lines("b", 500))
        #expect(try unread(tracked) == ["a.csv new 0+\(lines("b", 500).utf8.count)"])
        let remarks = try TailedFiles(source: source).look(after: ShardState(files: [tracked])).remarks
        #expect(remarks.contains(.startsAnew(path: path("a.csv"))))
    }

    @Test("content that changed only before the offset, behind the first bytes, is noticed")
    func changedTail() throws {
        let text = lines("a", 500)
        try write(text, "a.csv")
        let tracked = try track("a.csv")
        try overwrite("a.csv", String(text.dropLast(10)) + "otherline\nmore")
        #expect(try unread(tracked) == ["a.csv new 0+\(text.utf8.count + 4)"])
    }

    @Test("two files with equal first lines stay two, whichever was read")
    func equalStarts() throws {
        let start = lines("same", 300)
        try write(start + lines("a"), "a.csv")
        try write(start + lines("b"), "b.csv", second: 5)
        let first = try track("a.csv", id: "1-0", upTo: UInt64(start.utf8.count))
        let second = try track("b.csv", id: "1-1", upTo: UInt64(start.utf8.count))
        let rest = lines("a").utf8.count
        let both = ["a.csv 1-0 \(start.utf8.count)+\(rest)", "b.csv 1-1 \(start.utf8.count)+\(rest)"]
        #expect(try unread(first, second) == both)
        #expect(try unread(second, first) == both)
        let whole = try track("a.csv")
        #expect(try unread(whole) == ["b.csv new 0+\(start.utf8.count + rest)"])
    }

    @Test("two rotations at once keep each file's place")
    func rotatedTwice() throws {
        try write(lines("a"), "a.csv.1")
        try write(lines("b"), "a.csv", second: 5)
        let old = try track("a.csv.1", id: "1-0")
        let current = try track("a.csv", id: "1-1")
        try append("x", "a.csv")
        try move("a.csv.1", "a.csv.2")
        try move("a.csv", "a.csv.1")
        #expect(try unread(old, current) == ["a.csv.1 1-1 \(current.offset)+1"])
    }

    @Test("a file that is gone is no error")
    func removed() throws {
        try write(lines("a"), "a.csv")
        let tracked = try track("a.csv")
        try FileManager.default.removeItem(atPath: path("a.csv"))
        #expect(try unread(tracked) == [])
    }

    @Test("a link to a log beside it is the same file, not a second one")
    func link() throws {
        try write(lines("a"), "a.csv")
        try FileManager.default.createSymbolicLink(
            atPath: path("current.csv"),
            withDestinationPath: path("a.csv")
        )
        #expect(try unread().count == 1)
    }

    // MARK: Reading again

    private func range(_ name: String, from: UInt64, upTo: UInt64) throws -> SourceRange {
        let hash = try FileReader(path: path(name)).hash(from: from, byteCount: Int(upTo - from))
        return SourceRange(file: try track(name, upTo: upTo), from: from, hash: hash)
    }

    private func bytes(_ reader: FileReader, _ range: SourceRange) throws -> String {
        var bytes = [UInt8](repeating: 0, count: Int(range.byteCount))
        let count = try bytes.withUnsafeMutableBytes { try reader.read(at: range.from, into: $0) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test("a planned range is found at its path, after a rename, and in a copy")
    func locate() throws {
        let text = lines("a")
        try write(text, "a.csv")
        let range = try range("a.csv", from: 100, upTo: 5_000)
        let expected = String(text.dropFirst(100).prefix(4_900))
        #expect(try bytes(try #require(try TailedFiles(source: source).locate(range)), range) == expected)
        try move("a.csv", "a.csv.1")
        try write(lines("b"), "a.csv")
        let moved = try #require(try TailedFiles(source: source).locate(range))
        #expect(moved.path == path("a.csv.1"))
        #expect(try bytes(moved, range) == expected)
        try copy("a.csv.1", "a.csv.2")
        try FileManager.default.removeItem(atPath: path("a.csv.1"))
        #expect(try TailedFiles(source: source).locate(range)?.path == path("a.csv.2"))
    }

    @Test("changed, shortened or missing bytes are refused; bytes outside the range do not matter")
    func locateChanged() throws {
        let text = lines("a")
        try write(text, "a.csv")
        let range = try range("a.csv", from: 100, upTo: 5_000)
        try overwrite("a.csv", "#" + text.dropFirst() + "more")
        #expect(try TailedFiles(source: source).locate(range) != nil)
        try overwrite("a.csv", String(text.prefix(4_999)) + "#" + text.dropFirst(5_000))
        #expect(try TailedFiles(source: source).locate(range) == nil)
        try overwrite("a.csv", String(text.prefix(4_999)))
        #expect(try TailedFiles(source: source).locate(range) == nil)
        try FileManager.default.removeItem(atPath: path("a.csv"))
        #expect(try TailedFiles(source: source).locate(range) == nil)
    }

    @Test("a reader keeps the bytes of a file that is renamed or removed")
    func readerKeepsBytes() throws {
        try write("0123456789", "a.csv")
        let range = try range("a.csv", from: 2, upTo: 6)
        let reader = try #require(try TailedFiles(source: source).locate(range))
        try FileManager.default.removeItem(atPath: path("a.csv"))
        #expect(try bytes(reader, range) == "2345")
    }

    @Test(
        "a tracked file is described by its first bytes and those before the offset, 4096 at most",
        arguments: [1, 4_096, 4_097, 9_000]
    )
    func tracked(offset: UInt64) throws {
        try write(lines("a"), "a.csv")
        let tracked = try track("a.csv", upTo: offset)
        let reader = try FileReader(path: path("a.csv"))
        let count = min(Int(offset), 4_096)
        let hashes = try [0, offset - UInt64(count)].map { try reader.hash(from: $0, byteCount: count) }
        let status = try #require(try PosixFileSystem().status(path("a.csv")))
        #expect(tracked.offset == offset)
        #expect(tracked.headByteCount == count)
        #expect(tracked.tailByteCount == count)
        #expect([tracked.headHash, tracked.tailHash] == hashes)
        #expect(tracked.inode == status.inode)
    }

    @Test("a hash is XXH3 of 128 bits, however the bytes come")
    func hash() throws {
        let hasher = RangeHasher()
        #expect(hasher.digest == "99aa06d3014798d86001c324468d497f")
        let bytes = Array(lines("a").utf8)
        let whole = RangeHasher()
        bytes.withUnsafeBytes { whole.update($0) }
        for start in stride(from: 0, to: bytes.count, by: 77) {
            bytes[start..<min(start + 77, bytes.count)].withUnsafeBytes { hasher.update($0) }
        }
        #expect(hasher.digest == whole.digest)
    }
}
