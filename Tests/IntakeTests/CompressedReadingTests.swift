import CCompression
import Foundation
import Intake
import ObjectStorage
import SeededRandom
import Testing

/// A compressed file reads like the plain one, in whatever order.
@Suite struct CompressedReadingTests {
    private let folder: LogFolder
    /// Half a megabyte, so that reads go beyond what is kept in memory.
    private static let text = LogFolder.lines("a", 10_000)

    init() throws { folder = try LogFolder() }

    private static let forms = [("gzip", ".gz"), ("zstd", ".zst"), ("zstd", ".zstd")]

    private func reader(_ bytes: Data, _ suffix: String) throws -> FileReader {
        try folder.write(bytes: bytes, "a\(suffix)")
        return try FileReader(path: folder.path("a\(suffix)"))
    }

    private func read(_ reader: FileReader, from: Int, count: Int) throws -> String {
        var bytes = [UInt8](repeating: 0, count: count)
        let filled = try bytes.withUnsafeMutableBytes { try reader.read(at: UInt64(from), into: $0) }
        return String(decoding: bytes[..<filled], as: UTF8.self)
    }

    @Test("forward, backward, beyond the end", arguments: forms)
    func anyOrder(tool: String, suffix: String) throws {
        let bytes = Array(Self.text.utf8)
        let reader = try reader(LogFolder.compressed(Data(bytes), tool), suffix)
        let size = bytes.count
        let places = [
            (0, 10), (0, 4_096), (4_000, 200), (300_000, 100_000), (399_000, 5_000), (100_000, 300_000),
            (5, 10),
            (size - 10, 20), (size, 10), (size + 100, 10), (0, size + 1), (size / 2, 1), (3_000, 3_000),
            (0, 1),
        ]
        for (from, count) in places {
            let expected = String(decoding: bytes.dropFirst(from).prefix(count), as: UTF8.self)
            #expect(try read(reader, from: from, count: count) == expected, "\(from) \(count)")
        }
    }

    @Test("random reads", arguments: forms)
    func randomReads(tool: String, suffix: String) throws {
        let bytes = Array(Self.text.utf8)
        let reader = try reader(LogFolder.compressed(Data(bytes), tool), suffix)
        var random = SeededGenerator(seed: 7)
        for _ in 0..<60 {
            let from = Int.random(in: 0..<bytes.count, using: &random)
            let count = Int.random(in: 1...(Bool.random(using: &random) ? 5_000 : 200_000), using: &random)
            let expected = String(decoding: bytes.dropFirst(from).prefix(count), as: UTF8.self)
            #expect(try read(reader, from: from, count: count) == expected, "\(from) \(count)")
        }
    }

    @Test("several members or frames, one after the other, are one text", arguments: forms)
    func members(tool: String, suffix: String) throws {
        let parts = ["first\n", "", Self.text, "last\n"]
        let bytes = try parts.map { try LogFolder.compressed(Data($0.utf8), tool) }.reduce(Data(), +)
        let text = parts.joined()
        #expect(try read(reader(bytes, suffix), from: 0, count: text.utf8.count + 1) == text)
        // Every cut that is not between two parts is one.
        let tailer = Tailer(folder, ["a"])
        let first = try LogFolder.compressed(Data("first\n".utf8), tool).count
        for count in [0, 1, 5, first - 1, first, first + 1, bytes.count - 1] {
            try folder.write(bytes: bytes.prefix(count), "a\(suffix)")
            let isCut = try tailer.look().remarks.contains(.endsTooEarly(path: folder.path("a\(suffix)")))
            // An empty file is no news: its writer has not begun.
            #expect(isCut == (count != first && count != 0), "\(count)")
        }
    }

    @Test("zeros behind a gzip file are padding")
    func padding() throws {
        let bytes = try LogFolder.compressed(Data("text".utf8), "gzip") + Data(repeating: 0, count: 512)
        try folder.write(bytes: bytes, "a.gz")
        #expect(try Tailer(folder, ["a"]).read() == "text")
    }

    @Test("a tracked description is that of the plain file", arguments: forms)
    func track(tool: String, suffix: String) throws {
        let compressed = try reader(LogFolder.compressed(Data(Self.text.utf8), tool), suffix)
        try folder.write(Self.text, "a")
        let plain = try FileReader(path: folder.path("a"))
        for offset in [1, 5_000, 400_000] as [UInt64] {
            var one = try compressed.track(id: "1-0", host: "", upTo: offset)
            let other = try plain.track(id: "1-0", host: "", upTo: offset)
            #expect(one.inode != other.inode)
            one.inode = other.inode
            one.path = other.path
            #expect(one == other)
        }
    }

    @Test("damaged bytes are an error for who reads them")
    func damaged() throws {
        var bytes = try LogFolder.compressed(Data(Self.text.utf8), "gzip")
        bytes[bytes.count - 6] ^= 1
        let reader = try reader(bytes, ".gz")
        #expect(throws: StorageError.self) { try read(reader, from: 0, count: 1 << 20) }
    }
}
