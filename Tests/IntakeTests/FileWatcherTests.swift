import CFileSystem
import Foundation
import Glibc
import Testing

@testable import Intake

/// Whatever happens to a log file ends the wait; nothing else does.
@Suite struct FileWatcherTests {
    private let folder: LogFolder
    /// Further than any test takes.
    private var never: ContinuousClock.Instant { .now + .seconds(3_600) }

    init() throws { folder = try LogFolder() }

    private func watcher(_ patterns: String...) -> FileWatcher {
        FileWatcher(patterns: patterns.map(folder.path))
    }

    /// A watcher that may not use inotify.
    private func poller(_ pattern: String) -> FileWatcher {
        let source = TailedFileSource(patterns: [folder.path(pattern)], host: "")
        return FileWatcher(source: source, queue: nil) { _ in false }
    }

    /// Whether something is noticed that has already happened.
    private func hasNews(_ watcher: FileWatcher) -> Bool { watcher.waitForChange(until: .now) }

    @Test("each change of a file is noticed once", arguments: [false, true])
    func changes(isPolled: Bool) throws {
        try folder.write("a", "a.csv")
        let watcher = isPolled ? poller("*.csv") : watcher("*.csv")
        let changes: [() throws -> Void] = [
            { try folder.append("more", "a.csv") },
            { try folder.write("b", "b.csv") },
            { try folder.move("b.csv", "c.csv") },
            { try folder.move("c.csv", "elsewhere") },
            { try folder.move("elsewhere", "d.csv") },
            { try folder.overwrite("a.csv", "") },
            { try folder.compress("a.csv") },
            { try folder.remove("d.csv") },
        ]
        for (index, change) in changes.enumerated() {
            try change()
            #expect(watcher.waitForChange(until: never), "\(index)")
            #expect(!hasNews(watcher), "\(index)")
        }
    }

    @Test("other files in the folder are nobody's business")
    func otherFiles() throws {
        let watcher = watcher("*.csv")
        #expect(watcher.polledPatterns == [])
        try folder.write("a", "a.log")
        try folder.write("a", ".a.csv")
        #expect(!hasNews(watcher))
        try folder.write("a", "a.csv")
        #expect(hasNews(watcher))
    }

    @Test("braces, several patterns, names without wildcards")
    func patterns() throws {
        try folder.makeFolder("x")
        try folder.makeFolder("y")
        let watcher = watcher("{x,y}/*.{csv,json}", "one.csv")
        for name in ["x/a.csv", "x/a.json", "y/a.csv", "y/a.json", "one.csv"] {
            try folder.write("a", name)
            #expect(hasNews(watcher), "\(name)")
        }
        try folder.write("a", "two.csv")
        #expect(!hasNews(watcher))
    }

    @Test("the deadline ends the wait")
    func deadline() throws {
        #expect(!watcher("*.csv").waitForChange(until: .now + .milliseconds(5)))
        #expect(!poller("*.csv").waitForChange(until: .now + .milliseconds(5)))
    }

    @Test("wake() from another thread ends the wait, also when it came before it")
    func wake() throws {
        let watcher = watcher("*.csv")
        watcher.wake()
        watcher.wake()
        #expect(watcher.waitForChange(until: never))
        #expect(!hasNews(watcher))
        let thread = Thread { watcher.wake() }
        thread.start()
        #expect(watcher.waitForChange(until: never))
    }

    @Test("a write from another thread ends the wait that goes on")
    func writeWhileWaiting() throws {
        let watcher = watcher("*.csv")
        let path = folder.path("a.csv")
        let thread = Thread { _ = FileManager.default.createFile(atPath: path, contents: Data("a".utf8)) }
        thread.start()
        #expect(watcher.waitForChange(until: never))
    }

    @Test("folders that match later are watched from then on")
    func newFolders() throws {
        let watcher = watcher("2*/sub/*.csv")
        #expect(watcher.polledPatterns == [])
        for day in ["2026-01-01", "2026-01-02"] {
            try folder.makeFolder(day)
            #expect(hasNews(watcher))
            try folder.makeFolder("\(day)/sub")
            #expect(hasNews(watcher))
            try folder.write("a", "\(day)/sub/a.csv")
            #expect(hasNews(watcher))
            try folder.append("a", "\(day)/sub/a.csv")
            #expect(hasNews(watcher))
        }
        try folder.makeFolder("other")
        #expect(!hasNews(watcher))
    }

    @Test("a folder that does not exist yet is looked at, and watched once it is there")
    func missingFolder() throws {
        let watcher = watcher("later/*.csv")
        #expect(watcher.polledPatterns.count == 1)
        try folder.makeFolder("later")
        try folder.write("a", "later/a.csv")
        #expect(watcher.waitForChange(until: never))
        #expect(watcher.polledPatterns == [])
        try folder.append("a", "later/a.csv")
        #expect(hasNews(watcher))
    }

    @Test("a folder that is removed and made again")
    func replacedFolder() throws {
        try folder.makeFolder("logs")
        let watcher = watcher("logs/*.csv")
        try folder.remove("logs")
        #expect(watcher.waitForChange(until: never))
        try folder.makeFolder("logs")
        try folder.write("a", "logs/a.csv")
        #expect(watcher.waitForChange(until: never))
        while hasNews(watcher) {}
        try folder.append("a", "logs/a.csv")
        #expect(watcher.waitForChange(until: never))
    }

    @Test("a link to a file elsewhere is looked at")
    func link() throws {
        try folder.makeFolder("pods")
        try folder.write("a", "pods/0.log")
        try folder.link("a.csv", to: "pods/0.log")
        let watcher = watcher("*.csv")
        #expect(watcher.polledPatterns.count == 1)
        try folder.append("more", "pods/0.log")
        #expect(watcher.waitForChange(until: never))
        let later = self.watcher("l*.csv")
        try folder.link("later.csv", to: "pods/0.log")
        #expect(later.waitForChange(until: never))
        try folder.append("more", "pods/0.log")
        #expect(later.waitForChange(until: never))
    }

    @Test("what lies on a network file system is looked at")
    func remote() throws {
        let source = TailedFileSource(patterns: [folder.path("*.csv")], host: "")
        let watcher = FileWatcher(source: source, queue: NotifyQueue()) { _ in true }
        #expect(watcher.polledPatterns == source.patterns)
        try folder.write("a", "a.csv")
        #expect(watcher.waitForChange(until: never))
        #expect(fs_is_remote(folder.root) == 0)
    }

    @Test("current_logfiles is watched, and the folder it names")
    func currentLogfiles() throws {
        try folder.makeFolder("log")
        try folder.write("csvlog log/a.csv\n", "current_logfiles")
        let path = folder.path("current_logfiles")
        let watcher = FileWatcher(source: TailedFileSource(patterns: [], host: "", currentLogfiles: path))
        try folder.write("a", "log/a.csv")
        #expect(hasNews(watcher))
        try folder.overwrite("current_logfiles", "csvlog log/b.csv\n")
        #expect(hasNews(watcher))
    }

    @Test("many writes are one change")
    func coalesces() throws {
        let watcher = watcher("*.csv", "*/*.csv")
        for index in 0..<500 { try folder.append("\(index)", "\(index % 3).csv") }
        #expect(watcher.waitForChange(until: never))
        #expect(!hasNews(watcher))
    }
}
