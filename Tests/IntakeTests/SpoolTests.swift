import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// Log files that come and go while nobody can read them, and a reader that comes later.
@Suite struct SpoolTests {
    let folder: LogFolder
    let tailer: Tailer
    static let roomy = Spool.Limits(byteCount: 1 << 30, diskFloor: 0)

    init() throws {
        folder = try LogFolder()
        tailer = Tailer(folder, ["*.csv", "*.csv.[0-9]"], spool: "spool")
    }

    func text(_ name: String, _ count: Int = 200) -> String { LogFolder.lines(name, count) }

    var place: String { folder.path("spool") }

    func spool(
        _ limits: Spool.Limits = roomy,
        free: @escaping @Sendable (String) throws -> UInt64 = { _ in 1 << 40 }
    ) throws -> Spool {
        try #require(try Spool.open(place, limits: limits, isMade: true, freeByteCount: free))
    }

    func session(_ spool: Spool, after positions: [TrackedFile]? = nil) throws -> SpoolSession {
        try SpoolSession(
            spool,
            source: tailer.files.source,
            after: positions ?? tailer.state.files,
            reason: "gone",
            now: 1
        )
    }

    func lost() throws -> [SourceGap] {
        let manifest = try #require(try SpoolManifest.read(place))
        let look = try tailer.look(for: manifest.seen)
        return manifest.reckoning(after: tailer.state, beside: look).lost.map(\.gap)
    }

    /// Reads all, and expects that nothing but copies that were read is left.
    func readAll() throws -> String {
        let read = try tailer.read()
        #expect(try tailer.look().files.isEmpty)
        return read
    }

    // MARK: Rotation

    @Test("what is appended, then removed", arguments: [1, 3, 60, 90, 200, 2_000])
    func removed(count: Int) throws {
        try folder.write(text("a", count), "a.csv")
        try tailer.read()
        let session = try session(spool())
        try folder.append("more\n", "a.csv")
        _ = try session.step()
        try folder.append("and more\n", "a.csv")
        let report = try session.step()
        #expect(report.refusal == nil && report.errors.isEmpty && report.refusedByteCount == 0)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == "more\nand more\n")
        #expect(try tailer.look().readCopies.count == 1)
    }

    @Test func aCopyTakesLittleOfWhatWasRead() throws {
        try folder.write(text("a", 10_000), "a.csv")
        try tailer.read()
        try folder.append("more\n", "a.csv")
        #expect(try session(spool()).step().byteCount == 2 * 4096 + 5)
    }

    @Test func bytesBehindTheReadOnesAreThoseOfTheFileOnceOnly() throws {
        try folder.write(text("a", 1_000), "a.csv")
        try tailer.read()
        let session = try session(spool())
        try folder.append(text("b"), "a.csv")
        _ = try session.step()
        // The file is there, and longer: it is read, not the copy.
        try folder.append("late\n", "a.csv")
        #expect(
            try tailer.unread() == [
                "a.csv 1-0 \(text("a", 1_000).utf8.count)+\((text("b") + "late\n").utf8.count)"
            ]
        )
        #expect(try readAll() == text("b") + "late\n")
        #expect(try tailer.look().readCopies.count == 1)
    }

    @Test("renamed, then removed; the name is another file's", arguments: [3, 200])
    func renamed(count: Int) throws {
        try folder.write(text("a", count), "a.csv")
        try tailer.read(atMost: 50)
        let session = try session(spool())
        _ = try session.step()
        try folder.move("a.csv", "a.csv.1")
        try folder.append("end\n", "a.csv.1")
        try folder.write(text("b", count), "a.csv")
        _ = try session.step()
        try folder.remove("a.csv.1")
        try folder.append("b end\n", "a.csv")
        _ = try session.step()
        tailer.restart()
        #expect(try readAll() == text("a", count).dropFirst(50) + "end\n" + text("b", count) + "b end\n")
    }

    @Test("copytruncate, the copy removed or kept", arguments: [true, false])
    func copytruncate(isKept: Bool) throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read()
        let session = try session(spool())
        try folder.append("more\n", "a.csv")
        _ = try session.step()
        try folder.copy("a.csv", "a.csv.1")
        try folder.overwrite("a.csv", text("b"))
        _ = try session.step()
        if !isKept { try folder.remove("a.csv.1") }
        try folder.overwrite("a.csv", text("c"))
        let report = try session.step()
        // What the copy holds is not held twice.
        #expect(report.byteCount < UInt64((text("a") + text("b") + text("c")).utf8.count + 20))
        tailer.restart()
        #expect(try readAll() == "more\n" + text("b") + text("c"))
    }

    @Test func compressedMeanwhile() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read(atMost: 5_000)
        let session = try session(spool())
        _ = try session.step()
        try folder.compress("a.csv")
        _ = try session.step()
        #expect(try #require(try SpoolManifest.read(place)).files.count == 1)
        tailer.restart()
        #expect(try readAll() == text("a").dropFirst(5_000))
    }

    @Test func aCompressedFileIsCopiedUnpacked() throws {
        try folder.write(text("a"), "a.csv")
        try folder.compress("a.csv")
        _ = try session(spool()).step()
        try folder.remove("a.csv.gz")
        #expect(try readAll() == text("a"))
    }

    @Test func aFileThatCameAndWent() throws {
        let session = try session(spool())
        try folder.write(text("a"), "a.csv")
        _ = try session.step()
        try folder.remove("a.csv")
        #expect(try readAll() == text("a"))
    }

    // MARK: Kills

    @Test func anotherProcessGoesOnWithTheCopies() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read()
        do {
            let spool = try spool()
            try spool.note(tailer.state.files)
            try folder.append("1\n", "a.csv")
            _ = try session(spool).step()
        }
        try folder.append("2\n", "a.csv")
        // It cannot ask the lake how far batches have come.
        let spool = try spool()
        let next = try SpoolSession(spool, source: tailer.files.source, after: nil, reason: "", now: 2)
        #expect(try next.step().byteCount == 2 * 4096 + 4)
        #expect(spool.manifest?.since == 1)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == "1\n2\n")
    }

    @Test func aTornCopyIsNotTheFile() throws {
        try folder.write(text("a"), "a.csv")
        do { _ = try session(spool()).step() }
        let manifest = try #require(try SpoolManifest.read(place))
        let copy = try #require(manifest.files.first?.copy)
        // A process was killed while it wrote more: other bytes than those of the file are there.
        let handle = try FileHandle(forWritingTo: URL(filePath: "\(place)/\(copy)"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("torn".utf8))
        try handle.close()
        try Data("torn".utf8).write(to: URL(filePath: "\(place)/copy-2"))
        tailer.restart()
        let before = try tailer.unread()
        #expect(before == ["a.csv new 0+\(text("a").utf8.count)"])
        try folder.append("more\n", "a.csv")
        _ = try session(spool()).step()
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == text("a") + "more\n")
    }

    @Test func positionsThatAreOldCostSpaceAndNothingElse() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read(atMost: 5_000)
        let old = tailer.state.files
        try tailer.read()
        try folder.append("more\n", "a.csv")
        _ = try session(spool(), after: old).step()
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == "more\n")
    }

    @Test func oneProcessAtATimeHasTheSpool() throws {
        let spool = try spool()
        #expect(try Spool.open(place, limits: Self.roomy, isMade: true) == nil)
        withExtendedLifetime(spool) {}
        let mode = try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test func whatIsNotThereIsNotMade() throws {
        #expect(try Spool.open(place, limits: Self.roomy, isMade: false) == nil)
        #expect(!FileManager.default.fileExists(atPath: place))
    }

    // MARK: Bounds

    @Test("the bound and the floor", arguments: [Spool.Refusal.isFull, .diskIsFull])
    func bound(refusal: Spool.Refusal) throws {
        let first = "1,a line\n"
        let limits =
            refusal == .isFull
            ? Spool.Limits(byteCount: 12, diskFloor: 0) : Spool.Limits(byteCount: 99, diskFloor: 88)
        let free = Free()
        free.byteCount = refusal == .isFull ? 1 << 40 : 100
        let spool = try spool(limits) { _ in free.byteCount }
        let session = try session(spool)
        try folder.write(first + "2,a line\n", "a.csv")
        var report = try session.step()
        // Whole lines of it.
        #expect((report.byteCount, report.refusedByteCount) == (9, 9))
        #expect(report.refusal == refusal)
        // Another file, of which there is nothing.
        free.byteCount -= 9
        try folder.write("3,another line\n", "b.csv")
        report = try session.step()
        #expect(report.refusedByteCount == 24)
        try folder.remove("a.csv")
        try folder.remove("b.csv")
        #expect(try readAll() == first)
        try folder.write("", "c.csv")
        #expect(
            try lost() == [
                SourceGap(path: folder.path("a.csv"), from: 9, to: 18),
                SourceGap(path: folder.path("b.csv"), from: 0, to: 15),
            ]
        )
    }

    @Test func whatWasRefusedAndIsStillThereIsNotLost() throws {
        let session = try session(spool(Spool.Limits(byteCount: 1, diskFloor: 0)))
        try folder.write(text("a"), "a.csv")
        try folder.write("new\n", "b.csv")
        #expect(try session.step().refusedByteCount == UInt64(text("a").utf8.count + 4))
        try folder.compress("a.csv")
        #expect(try session.step().refusedByteCount == UInt64(text("a").utf8.count + 4))
        tailer.restart()
        #expect(try tailer.read() == text("a") + "new\n")
        #expect(try lost().isEmpty)
    }

    @Test func whatWaitsForItsEndIsNotLost() throws {
        let session = try session(spool(Spool.Limits(byteCount: 1, diskFloor: 0)))
        try folder.write("1,begun", "a.csv")
        _ = try session.step()
        #expect(try lost().isEmpty)
    }

    @Test func whatIsRefusedIsTakenOnceThereIsRoom() throws {
        let free = Free()
        let spool = try spool(Spool.Limits(byteCount: 1 << 20, diskFloor: 10)) { _ in free.byteCount }
        let session = try session(spool)
        try folder.write(text("a"), "a.csv")
        #expect(try session.step().refusal == .diskIsFull)
        free.byteCount = 1 << 30
        let report = try session.step()
        #expect(report.refusal == nil && report.refusedByteCount == 0)
        try folder.remove("a.csv")
        #expect(try readAll() == text("a"))
    }

    @Test func nothingOfOldCopiesIsLeft() throws {
        try folder.write(text("a"), "a.csv")
        let spool = try spool()
        let session = try session(spool)
        _ = try session.step()
        #expect(try readAll() == text("a"))
        try spool.remove(try tailer.look().readCopies)
        // The outage goes on: a new copy begins behind what was read.
        try folder.append("more\n", "a.csv")
        #expect(try session.step().byteCount < 8_300)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == "more\n")
        try spool.remove(try tailer.look().readCopies)
        try spool.end()
        #expect(try PosixFileSystem().list(place).map(\.name) == ["lock"])
    }

    @Test func aCopyThatGrewSinceItWasListedStays() throws {
        try folder.write(text("a"), "a.csv")
        let spool = try spool()
        let session = try session(spool)
        _ = try session.step()
        #expect(try readAll() == text("a"))
        let look = try tailer.look()
        #expect(look.readCopies.count == 1)
        try folder.append("more\n", "a.csv")
        _ = try session.step()
        try folder.remove("a.csv")
        try spool.remove(look.readCopies)
        tailer.restart()
        #expect(try readAll() == "more\n")
    }

    @Test(
        "a copy that somebody removed or cut is made anew while its log is there",
        arguments: [true, false],
        [true, false]
    )
    func damagedCopy(isRemoved: Bool, hasPosition: Bool) throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read(atMost: hasPosition ? 5_000 : 0)
        let session = try session(spool())
        _ = try session.step()
        let copy = try #require(try PosixFileSystem().list(place).first { $0.name.hasPrefix("copy-") }).name
        if isRemoved {
            try folder.remove("spool/\(copy)")
        } else {
            #expect(truncate("\(place)/\(copy)", 10) == 0)
        }
        let look = try tailer.look()
        #expect(look.remarks.contains { if case .copyIsDamaged = $0 { true } else { false } })
        try folder.append("more\n", "a.csv")
        let report = try session.step()
        #expect(report.refusal == nil && report.errors.isEmpty && report.refusedByteCount == 0)
        #expect(try SpoolManifest.read(place)?.files.count == 1)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == text("a").dropFirst(hasPosition ? 5_000 : 0) + "more\n")
    }

    @Test func whatKilledProcessesLeftIsRemoved() throws {
        try folder.write(text("a"), "a.csv")
        do {
            let session = try session(spool())
            _ = try session.step()
        }
        for name in ["copy-99", "spool.json.new"] { try folder.write("torn", "spool/\(name)") }
        _ = try spool()
        let names = try PosixFileSystem().list(place).map(\.name).sorted()
        #expect(names.count == 3 && names[1...] == ["lock", "spool.json"], "\(names)")
    }

    @Test func aSpoolThatCannotBeReadKeepsNoLogFromBeingRead() throws {
        try folder.makeFolder("spool")
        try folder.write("{", "spool/spool.json")
        try folder.write(text("a"), "a.csv")
        #expect(try tailer.look().remarks.contains(.spoolIsUnreadable(path: place)))
        #expect(try readAll() == text("a"))
    }

    @Test func aCopyMadeBesideAnotherLakeIsLeftAlone() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read()
        let session = try session(spool())
        try folder.append(text("b"), "a.csv")
        // Nothing that was read is in the copy, but for its beginning and end.
        _ = try session.step()
        try folder.remove("a.csv")
        let other = Tailer(folder, ["*.csv"], spool: "spool")
        let look = try other.look()
        #expect(look.files.isEmpty)
        #expect(look.remarks.contains { if case .copyDoesNotFit = $0 { true } else { false } })
    }
}

/// Free bytes of a disk, as a test wants them.
private final class Free: @unchecked Sendable {
    var byteCount: UInt64 = 0
}
