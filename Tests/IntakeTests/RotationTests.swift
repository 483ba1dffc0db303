import BatchProtocol
import Foundation
import Intake
import Testing

/// Each rotation scheme step by step: a look after every step, and every byte is read once.
@Suite struct RotationTests {
    private let folder: LogFolder
    private let tailer: Tailer

    init() throws {
        folder = try LogFolder()
        tailer = Tailer(folder, ["*.csv", "*.csv.[0-9]"])
    }

    private func text(_ name: String, _ count: Int = 200) -> String { LogFolder.lines(name, count) }

    /// Runs with one tailer, with one that begins anew at every step, and with small and large files.
    static let ways: [(restarts: Bool, lines: Int)] = [(false, 200), (true, 200), (false, 3), (true, 3)]

    private func read(_ restarts: Bool) throws -> String {
        if restarts { tailer.restart() }
        return try tailer.read()
    }

    @Test("by size and time: a new name for each file", arguments: ways)
    func newNames(restarts: Bool, count: Int) throws {
        try folder.write(text("a", count), "1.csv")
        #expect(try read(restarts) == text("a", count))
        try folder.append("a end\n", "1.csv")
        try folder.write(text("b", count), "2.csv")
        #expect(try read(restarts) == "a end\n" + text("b", count))
        try folder.append("b end\n", "2.csv")
        #expect(try read(restarts) == "b end\n")
        #expect(try read(restarts) == "")
    }

    @Test(
        "logrotate create: renamed, the writer goes on for a while, then takes the new file",
        arguments: ways
    )
    func create(restarts: Bool, count: Int) throws {
        try folder.write(text("a", count), "a.csv")
        #expect(try read(restarts) == text("a", count))
        try folder.append("1\n", "a.csv")
        try folder.move("a.csv", "a.csv.1")
        #expect(try read(restarts) == "1\n")
        try folder.write("", "a.csv")
        #expect(try read(restarts) == "")
        try folder.append("2\n", "a.csv.1")
        #expect(try read(restarts) == "2\n")
        try folder.append(text("b", count), "a.csv")
        #expect(try read(restarts) == text("b", count))
        try folder.move("a.csv.1", "a.csv.2")
        try folder.move("a.csv", "a.csv.1")
        try folder.write(text("c", count), "a.csv")
        #expect(try read(restarts) == text("c", count))
    }

    @Test("truncated in place: the names of a week begin anew with the same inode", arguments: ways)
    func weekdays(restarts: Bool, count: Int) throws {
        try folder.write(text("week 1", count), "postgresql-Mon.csv")
        #expect(try read(restarts) == text("week 1", count))
        try folder.write(text("Tue", count), "postgresql-Tue.csv")
        #expect(try read(restarts) == text("Tue", count))
        try folder.overwrite("postgresql-Mon.csv", "short\n")
        #expect(try read(restarts) == "short\n")
        try folder.overwrite("postgresql-Mon.csv", text("week 3, longer", count * 2))
        #expect(try read(restarts) == text("week 3, longer", count * 2))
    }

    @Test("copytruncate, seen at every stage", arguments: ways)
    func copytruncate(restarts: Bool, count: Int) throws {
        try folder.write(text("a", count), "a.csv")
        #expect(try tailer.read(atMost: 100) == text("a", count).prefix(100))
        try folder.copy("a.csv", "a.csv.1", upTo: 120)
        #expect(try read(restarts) == text("a", count).dropFirst(100))
        try folder.copy("a.csv", "a.csv.1")
        #expect(try read(restarts) == "")
        try folder.append("late\n", "a.csv")
        try folder.copy("a.csv", "a.csv.1")
        try folder.overwrite("a.csv", "")
        #expect(try read(restarts) == "late\n")
        try folder.append(text("b", count), "a.csv")
        #expect(try read(restarts) == text("b", count))
        #expect(try read(restarts) == "")
    }

    @Test("copytruncate of a file that was never read", arguments: ["a.csv.1", "0.csv"], [false, true])
    func copytruncateUnread(copy: String, restarts: Bool) throws {
        try folder.write(text("a"), "a.csv")
        try folder.copy("a.csv", copy)
        #expect(try tailer.read(atMost: 5_000) == text("a").prefix(5_000))
        // Longer than the copy, which may be the one that was read first.
        try folder.append("after the copy\n", "a.csv")
        #expect(try read(restarts) == text("a").dropFirst(5_000) + "after the copy\n")
        try folder.overwrite("a.csv", "b\n")
        #expect(try read(restarts) == "b\n")
    }

    @Test(
        "copytruncate, read beyond the copy's end before the truncation",
        arguments: [(false, 3), (false, 200), (true, 200)]
    )
    func copyEndsBefore(restarts: Bool, count: Int) throws {
        try folder.write(text("a", count), "a.csv")
        try folder.copy("a.csv", "a.csv.1")
        try folder.append("lost to the copy\n", "a.csv")
        #expect(try read(restarts) == text("a", count) + "lost to the copy\n")
        try folder.overwrite("a.csv", text("b", count))
        #expect(try read(restarts) == text("b", count))
        // A short copy is kept in mind by itself, a long one by what it was made of.
        #expect(try tailer.look().absent == (count == 3 ? ["1-0"] : []))
        try folder.compress("a.csv.1")
        #expect(try read(true) == "")
    }

    @Test("compressed after rotation", arguments: [".gz", ".zst", ".zstd"], [false, true])
    func compressed(suffix: String, restarts: Bool) throws {
        try folder.write(text("a"), "a.csv")
        #expect(try tailer.read(atMost: 3_000) == text("a").prefix(3_000))
        try folder.move("a.csv", "a.csv.1")
        try folder.write(text("b"), "a.csv")
        try folder.compress("a.csv.1", suffix: suffix, keepsPlain: true)
        #expect(
            try tailer.read(atMost: 3_000) == text("a").dropFirst(3_000).prefix(3_000)
                + text("b").prefix(3_000)
        )
        try folder.remove("a.csv.1")
        #expect(try read(restarts) == text("a").dropFirst(6_000) + text("b").dropFirst(3_000))
        try folder.move("a.csv.1\(suffix)", "a.csv.2\(suffix)")
        #expect(try read(restarts) == "")
        #expect(try tailer.look().absent == [])
    }

    @Test("files that come, are compressed and go while the tailer is stopped")
    func whileStopped() throws {
        try folder.write(text("a"), "a.csv.1")
        try folder.write(text("b"), "a.csv")
        #expect(try read(true) == text("a") + text("b"))
        try folder.append("b end\n", "a.csv")
        try folder.remove("a.csv.1")
        try folder.compress("a.csv")
        try folder.move("a.csv.gz", "a.csv.3.gz")
        try folder.write(text("c"), "a.csv.2")
        try folder.compress("a.csv.2", suffix: ".zst")
        try folder.write(text("d"), "a.csv.1")
        try folder.write(text("e"), "a.csv")
        #expect(try read(true) == "b end\n" + text("c") + text("d") + text("e"))
        #expect(try tailer.look().absent == ["1-0"])
    }

    @Test("an inode that is used again is a new file", arguments: [false, true])
    func reusedInode(restarts: Bool) throws {
        try folder.write(text("a"), "a.csv")
        #expect(try read(restarts) == text("a"))
        // What a removal and a new file on the same inode look like from the outside.
        try folder.overwrite("a.csv", text("b", 400))
        try folder.move("a.csv", "b.csv")
        #expect(try read(restarts) == text("b", 400))
    }

    @Test("a first line that is equal in all files", arguments: [false, true])
    func equalFirstLine(restarts: Bool) throws {
        let first = "the same first line in every file\n"
        try folder.write(first + "a\n", "1.csv")
        #expect(try read(restarts) == first + "a\n")
        try folder.write(first + "b\n", "2.csv")
        #expect(try read(restarts) == first + "b\n")
        try folder.write(first, "3.csv")
        // Not to be told from a copy as long as it holds nothing else.
        #expect(try read(restarts) == "")
        try folder.append("c\n", "3.csv")
        #expect(try read(restarts) == first + "c\n")
        try folder.compress("1.csv")
        try folder.move("2.csv", "0.csv")
        #expect(try read(restarts) == "")
        #expect(try tailer.look().absent == [])
    }
}
