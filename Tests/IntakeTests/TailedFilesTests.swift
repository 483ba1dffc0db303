import BatchProtocol
import Foundation
import Glibc
import Intake
import ObjectStorage
import Testing

/// Which files are closed, what is said about them, and what a look costs.
@Suite struct TailedFilesTests {
    private let folder: LogFolder
    private let tailer: Tailer

    init() throws {
        folder = try LogFolder()
        tailer = Tailer(folder, ["*.csv", "*.csv.1"])
    }

    private func text(_ name: String, _ count: Int = 200) -> String { LogFolder.lines(name, count) }

    // MARK: Closed

    @Test("a file is closed when a later one that is not empty exists")
    func closed() throws {
        try folder.write("a", "a.csv")
        #expect(try tailer.unread() == ["a.csv new 0+1"])
        try folder.write("", "b.csv")
        #expect(try tailer.unread() == ["a.csv new 0+1"])
        try folder.append("bb", "b.csv")
        #expect(try tailer.unread() == ["a.csv new 0+1 closed", "b.csv new 0+2"])
        try folder.append("aa", "a.csv")
        #expect(try tailer.unread().contains("b.csv new 0+2 closed"))
    }

    @Test("a file that has changed since the last look is not closed; at the first look it may be")
    func closedAtRest() throws {
        try folder.write("a", "a.csv", second: 1)
        try folder.write("bb", "b.csv", second: 9)
        #expect(try tailer.unread() == ["a.csv new 0+1 closed", "b.csv new 0+2"])
        try folder.append("a", "a.csv")
        try folder.touch("a.csv", second: 2)
        #expect(try tailer.unread() == ["a.csv new 0+2", "b.csv new 0+2"])
        #expect(try tailer.unread() == ["a.csv new 0+2 closed", "b.csv new 0+2"])
        try folder.touch("a.csv", second: 3)
        #expect(try tailer.unread() == ["a.csv new 0+2", "b.csv new 0+2"])
        try folder.write("cc!", "c.csv", second: 4)
        #expect(try tailer.unread() == ["a.csv new 0+2 closed", "c.csv new 0+3", "b.csv new 0+2"])
    }

    @Test("the live file under a new name is open until there is a successor")
    func renamedIsOpen() throws {
        try folder.write("a", "a.csv")
        _ = try tailer.look()
        try folder.move("a.csv", "a.csv.1")
        #expect(try tailer.unread() == ["a.csv.1 new 0+1"])
        try folder.write("", "a.csv")
        #expect(try tailer.unread() == ["a.csv.1 new 0+1"])
        try folder.append("new", "a.csv")
        #expect(try tailer.unread() == ["a.csv.1 new 0+1 closed", "a.csv new 0+3"])
    }

    @Test("a copy that is being made closes nothing, nor does a finished one")
    func copyClosesNothing() throws {
        try folder.write(text("a"), "a.csv")
        try folder.copy("a.csv", "a.csv.1", upTo: 50)
        let size = text("a").utf8.count
        #expect(try tailer.unread() == ["a.csv new 0+\(size)"])
        try folder.copy("a.csv", "a.csv.1")
        #expect(try tailer.unread() == ["a.csv new 0+\(size)"])
        try folder.append("late", "a.csv")
        try tailer.read()
        try folder.overwrite("a.csv", "new")
        try folder.touch("a.csv.1", second: 5_000_000)
        #expect(try tailer.unread() == ["a.csv new 0+3"])
        #expect(try tailer.unread() == ["a.csv new 0+3"])
    }

    @Test("a compressed file is closed")
    func compressedIsClosed() throws {
        try folder.write("a", "a.csv")
        try folder.compress("a.csv")
        #expect(try tailer.unread() == ["a.csv.gz new 0+1 closed"])
    }

    // MARK: current_logfiles

    @Test("files that current_logfiles names are open, whatever is later", arguments: [false, true])
    func currentLogfiles(isAbsolute: Bool) throws {
        try folder.makeFolder("log")
        try folder.write("a", "log/a.csv")
        try folder.write("b", "log/b.csv")
        let path = isAbsolute ? folder.path("log/a.csv") : "log/a.csv"
        try folder.write("stderr log/a.log\ncsvlog \(path)\n", "current_logfiles")
        let tailer = Tailer(folder, ["log/*.csv"], currentLogfiles: "current_logfiles")
        #expect(try tailer.unread() == ["log/a.csv new 0+1", "log/b.csv new 0+1"])
        try folder.write("stderr log/a.log\ncsvlog log/b.csv\n", "current_logfiles")
        #expect(try tailer.unread() == ["log/a.csv new 0+1 closed", "log/b.csv new 0+1"])
    }

    @Test(
        "without patterns the folder of the named files is read",
        arguments: [("csvlog", "csv"), ("jsonlog", "json")]
    )
    func derivedPattern(destination: String, ending: String) throws {
        try folder.makeFolder("log")
        try folder.write("a", "log/a.\(ending)")
        try folder.write("bb", "log/b.\(ending)")
        try folder.write("none", "log/b.log")
        try folder.write("stderr log/b.log\n\(destination) log/b.\(ending)\n", "current_logfiles")
        let tailer = Tailer(folder, [], currentLogfiles: "current_logfiles")
        #expect(try tailer.unread() == ["log/a.\(ending) new 0+1 closed", "log/b.\(ending) new 0+2"])
        // The folder stays known while the file is away.
        try folder.remove("current_logfiles")
        let look = try tailer.look()
        #expect(look.files.count == 2)
        #expect(look.remarks == [.namesNoLog(path: folder.path("current_logfiles"))])
    }

    @Test(
        "a current_logfiles that is missing, cut or without a log is a remark",
        arguments: [
            nil, "", "csvlog log/a.c", "stderr log/a.log\n", "csvlog \n", "csvlog\n",
        ]
    )
    func unusableCurrentLogfiles(content: String?) throws {
        if let content { try folder.write(content, "current_logfiles") }
        let look = try Tailer(folder, [], currentLogfiles: "current_logfiles").look()
        #expect(look.remarks == [.namesNoLog(path: folder.path("current_logfiles"))])
        #expect(look.files.isEmpty)
    }

    // MARK: Removed files

    @Test("a file that is removed is read to its end and then let go")
    func removed() throws {
        try folder.write(text("a"), "a.csv")
        #expect(try tailer.read(atMost: 5_000) == text("a").prefix(5_000))
        try folder.remove("a.csv")
        try folder.write("b", "b.csv")
        let rest = text("a").utf8.count - 5_000
        #expect(try tailer.unread() == ["a.csv 1-0 5000+\(rest) closed", "b.csv new 0+1"])
        #expect(try tailer.read() == text("a").dropFirst(5_000) + "b")
        #expect(try tailer.look().absent == [])
        _ = try tailer.look()
        #expect(try tailer.look().absent == ["1-0"])
    }

    @Test("what a server still writes into a removed file is read, until it goes on to another")
    func removedAndWritten() throws {
        try folder.write("a", "a.csv")
        let handle = try FileHandle(forWritingTo: URL(filePath: folder.path("a.csv")))
        #expect(try tailer.read() == "a")
        try folder.remove("a.csv")
        _ = try tailer.look()
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("more".utf8))
        #expect(try tailer.unread() == ["a.csv 1-0 1+4"])
        #expect(try tailer.unread() == ["a.csv 1-0 1+4 closed"])
        #expect(try tailer.read() == "more")
    }

    @Test("a file that is moved away from the patterns is read on")
    func movedAway() throws {
        try folder.write("a", "a.csv")
        _ = try tailer.look()
        try folder.move("a.csv", "elsewhere")
        try folder.append("more", "elsewhere")
        #expect(try tailer.read() == "amore")
    }

    @Test("of many open files the newest 16 are kept")
    func keepsNewest() throws {
        for index in 0..<20 { try folder.write("\(index) file", "\(index).csv") }
        _ = try tailer.look()
        for index in 0..<20 { try folder.remove("\(index).csv") }
        #expect(try tailer.look().files.map(\.unreadByteCount) == (4..<20).map { $0 < 10 ? 6 : 7 })
    }

    @Test("compressed after it was removed, and still open: read once")
    func removedAndCompressed() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read(atMost: 100)
        try folder.compress("a.csv")
        let rest = text("a").utf8.count - 100
        #expect(try tailer.unread() == ["a.csv.gz 1-0 100+\(rest) closed"])
    }

    @Test("a name that goes to another file between look and opening is no error; the file seen is read")
    func replacedBeforeOpening() throws {
        for index in 0..<20 { try folder.write("\(index) file", "\(index).csv") }
        let files = try tailer.look().files
        for index in 0..<20 {
            try folder.move("\(index).csv", "was \(index)")
            try folder.write("other \(index)", "\(index).csv")
        }
        let readers = try files.map { try $0.open() }
        #expect(readers.prefix(4).allSatisfy { $0 == nil })
        #expect(readers.suffix(16).allSatisfy { $0 != nil })
    }

    @Test("a file whose bytes changed between look and opening is not read on")
    func changedBeforeOpening() throws {
        try folder.write("abc", "a.csv")
        try tailer.read()
        try folder.append("def", "a.csv")
        let file = try #require(try tailer.look().files.first)
        try folder.overwrite("a.csv", "xyzdef")
        #expect(try file.open() == nil)
    }

    // MARK: Absent

    @Test("tracked files are absent only when everything could be looked at")
    func absent() throws {
        try folder.write(text("a"), "a.csv")
        try folder.write(text("b"), "b.csv")
        try tailer.read()
        try folder.compress("a.csv")
        let whole = try folder.data("a.csv.gz")
        try folder.write(bytes: whole.dropLast(9), "a.csv.gz")
        tailer.restart()
        #expect(try tailer.look().absent == [])
        try folder.remove("a.csv.gz")
        #expect(try tailer.look().absent == ["1-0"])
        try folder.remove("b.csv")
        tailer.restart()
        // An empty folder may be one that is not mounted.
        #expect(try tailer.look().absent == [])
    }

    // MARK: Compressed siblings

    @Test(
        "a compressed file is not read while it is made; one that is cut or damaged is told of",
        arguments: [".gz", ".zst"]
    )
    func unfinishedCompression(suffix: String) throws {
        try folder.write(text("a"), "a.csv")
        let size = text("a").utf8.count
        try folder.compress("a.csv", suffix: suffix, keepsPlain: true)
        let whole = try folder.data("a.csv\(suffix)")
        try folder.write(bytes: whole.prefix(whole.count / 2), "a.csv\(suffix)")
        #expect(try tailer.unread() == ["a.csv new 0+\(size)"])
        #expect(
            try tailer.look().remarks.contains(.endsTooEarly(path: folder.path("a.csv\(suffix)"))) == false
        )
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try tailer.unread() == [])
        #expect(try tailer.look().remarks.contains(.endsTooEarly(path: folder.path("a.csv\(suffix)"))))
        var damaged = whole
        damaged[whole.count / 2] ^= 0xFF
        try folder.write(bytes: damaged, "a.csv\(suffix)")
        #expect(try tailer.unread() == [])
        #expect(try tailer.look().remarks.contains(.isDamaged(path: folder.path("a.csv\(suffix)"))))
        try folder.write(bytes: whole, "a.csv\(suffix)")
        #expect(try tailer.unread() == ["a.csv\(suffix) new 0+\(size) closed"])
    }

    @Test("last week's compressed file is read though this week's has its name back")
    func sameNameAgain() throws {
        try folder.write(text("week 1"), "Mon.csv")
        try tailer.read(atMost: 4_500)
        try folder.compress("Mon.csv")
        try folder.write(text("week 2"), "Mon.csv")
        tailer.restart()
        #expect(try tailer.read() == text("week 1").dropFirst(4_500) + text("week 2"))
    }

    @Test("a pattern may name compressed files alone")
    func compressedPattern() throws {
        try folder.write(text("a"), "a.csv")
        try folder.compress("a.csv")
        let tailer = Tailer(folder, ["*.csv.gz"])
        #expect(try tailer.read() == text("a"))
        #expect(try tailer.look().remarks == [])
    }

    // MARK: Cost

    @Test("a look at unchanged files opens none")
    func unchangedFilesStayClosed() throws {
        for index in 0..<30 { try folder.write(text("\(index)"), "\(index).csv") }
        try folder.write(text("copy"), "x.csv")
        try folder.copy("x.csv", "y.csv")
        try folder.compress("7.csv", suffix: ".zst")
        // A clock that stands in the future: no file changed just now.
        let tailer = Tailer(folder, ["*.csv"], clock: { .max })
        try tailer.read(atMost: 5_000)
        _ = try tailer.look()
        let notices = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
        defer { close(notices) }
        try #require(inotify_add_watch(notices, folder.root, UInt32(IN_OPEN | IN_ACCESS)) >= 0)
        #expect(try tailer.look().files.count == 31)
        #expect(Self.openedFiles(notices) == [])
        try folder.append("more", "3.csv")
        _ = Self.openedFiles(notices)
        _ = try tailer.look()
        #expect(Self.openedFiles(notices) == ["3.csv"])
    }

    /// The names of files, not folders, that were opened or read.
    private static func openedFiles(_ notices: Int32) -> Set<String> {
        var names: Set<String> = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(notices, &buffer, buffer.count)
            guard count > 0 else { return names }
            buffer.withUnsafeBytes { bytes in
                var at = 0
                while at < count {
                    let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
                    at += MemoryLayout<inotify_event>.size
                    let name = String(
                        decoding: bytes[at..<at + Int(event.len)].prefix { $0 != 0 },
                        as: UTF8.self
                    )
                    if event.mask & UInt32(IN_ISDIR) == 0 { names.insert(name) }
                    at += Int(event.len)
                }
            }
        }
    }

    // MARK: Reading again

    @Test("planned bytes are found in a compressed file and in a removed one")
    func locate() throws {
        try folder.write(text("a"), "a.csv")
        let reader = try FileReader(path: folder.path("a.csv"))
        let tracked = try reader.track(id: "1-0", host: "", upTo: 9_000)
        let range = SourceRange(
            file: tracked,
            from: 5_000,
            hash: try reader.hash(from: 5_000, byteCount: 4_000)
        )
        func located() throws -> String? {
            guard let reader = try tailer.files.locate(range) else { return nil }
            var bytes = [UInt8](repeating: 0, count: 4_000)
            let count = try bytes.withUnsafeMutableBytes { try reader.read(at: 5_000, into: $0) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
        let expected = String(text("a").dropFirst(5_000).prefix(4_000))
        try folder.compress("a.csv", keepsPlain: true)
        try folder.write(text("b"), "a.csv")
        try folder.write("no gzip", "b.csv.gz")
        #expect(try located() == expected)
        try folder.remove("a.csv.gz")
        #expect(try located() == nil)
        try folder.write(text("a"), "c.csv")
        _ = try tailer.look()
        try folder.remove("c.csv")
        #expect(try located() == expected)
    }
}
