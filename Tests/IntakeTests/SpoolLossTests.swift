import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// What is called lost of files that were seen while the lake was down, and what is not.
@Suite struct SpoolLossTests {
    private let folder: LogFolder
    private let tailer: Tailer

    init() throws {
        folder = try LogFolder()
        tailer = Tailer(folder, ["*.csv", "*.csv.[0-9]"], spool: "spool")
    }

    private func text(_ name: String, _ count: Int = 200) -> String { LogFolder.lines(name, count) }

    // MARK: What cannot be looked at

    @Test func whatIsDamagedOrWasCutLongAgoHidesNothing() throws {
        try folder.write(bytes: Data("no gzip".utf8), "a.csv.gz")
        let whole = try LogFolder.compressed(Data(text("b").utf8), "gzip")
        try folder.write(bytes: whole.dropLast(9), "b.csv.gz")
        let look = try tailer.look()
        #expect(look.hidden.isEmpty)
        #expect(look.absent.isEmpty)
        let remarks: [TailedFileSource.Remark] = [
            .isDamaged(path: folder.path("a.csv.gz")), .endsTooEarly(path: folder.path("b.csv.gz")),
        ]
        #expect(remarks.allSatisfy(look.remarks.contains))
    }

    @Test func whatIsOnItsWayHides() throws {
        let whole = try LogFolder.compressed(Data(text("b").utf8), "gzip")
        try folder.write(bytes: whole.dropLast(9), "b.csv.gz", second: 1)
        let written: Int64 = 1_700_000_001_000_000_000
        for (minutes, isHiding) in [(9, true), (11, false)] as [(Int64, Bool)] {
            let now = written + minutes * 60_000_000_000
            let look = try Tailer(folder, ["*.csv"], clock: { now }).look()
            #expect(look.hidden == (isHiding ? [folder.path("b.csv.gz")] : []))
        }
    }

    @Test func aPlaceWithoutLogsHidesNothing() throws {
        #expect(try tailer.look().hidden.isEmpty)
        #expect(try Tailer(folder, ["gone/*.csv"]).look().hidden.isEmpty)
        try folder.write("", "file")
        #expect(try Tailer(folder, ["file/*.csv"]).look().hidden.isEmpty)
    }

    @Test func aLinkThatLeadsNowhereHidesNothing() throws {
        try folder.link("gone", to: "b.csv")
        #expect(try PosixFileSystem().status(folder.path("gone")) == nil)
        #expect(try tailer.look().hidden.isEmpty)
    }

    @Test func aFolderThatCannotBeListedHides() throws {
        // A link to itself: nobody can list it, whatever his rights.
        try folder.link("loop", to: "loop")
        try folder.write(text("a"), "a.csv")
        let pattern = folder.path("loop/*.csv")
        let look = try Tailer(folder, ["a.csv", "loop/*.csv"]).look()
        #expect(look.files.count == 1)
        #expect(look.hidden.first == pattern)
        #expect(look.remarks.contains(.cannotBeListed(pattern: pattern)))
    }

    // MARK: Whose bytes are there

    /// The spool of a process that has no room for anything.
    private func fullSpool(_ byteCount: UInt64 = 1) throws -> (spool: Spool, session: SpoolSession) {
        let limits = Spool.Limits(byteCount: byteCount, diskFloor: 0)
        let place = folder.path("spool")
        let spool = try #require(
            try Spool.open(place, limits: limits, isMade: true, freeByteCount: { _ in 1 << 40 })
        )
        let session = try SpoolSession(
            spool,
            source: tailer.files.source,
            after: tailer.state.files,
            reason: "gone",
            now: 1
        )
        return (spool, session)
    }

    /// What is lost, as `name from-to`, and the number of files that can be forgotten.
    private func reckoning(_ spool: Spool) throws -> (lost: [String], settled: Int) {
        let manifest = try #require(spool.manifest)
        let look = try tailer.look(for: manifest.seen)
        let reckoning = manifest.reckoning(after: tailer.state, beside: look)
        let lost = reckoning.lost.map(\.gap).map { gap in
            "\(gap.path.dropFirst(folder.root.count + 1)) \(gap.from)-\(gap.to)"
        }
        return (lost, reckoning.settled.count)
    }

    @Test func aNewFileOnTheInodeOfALostOneHidesNoLoss() throws {
        let (spool, session) = try fullSpool()
        try folder.write("short\n", "a.csv")
        _ = try session.step()
        try folder.overwrite("a.csv", text("b"))
        #expect(try tailer.read() == text("b"))
        #expect(try reckoning(spool) == (["a.csv 0-6"], 0))
    }

    @Test("a file that grew and was compressed is not lost", arguments: [1, 60, 200])
    func grownAndCompressed(count: Int) throws {
        let (spool, session) = try fullSpool()
        try folder.write(text("a", count), "a.csv")
        _ = try session.step()
        try folder.append(text("b"), "a.csv")
        try folder.compress("a.csv")
        #expect(try reckoning(spool) == ([], 0))
        #expect(try tailer.read() == text("a", count) + text("b"))
        #expect(try reckoning(spool) == ([], 1))
        tailer.restart()
        #expect(try reckoning(spool) == ([], 1))
    }

    @Test func aShortFileThatGrewAndWasReadAndRemovedIsNotLost() throws {
        let (spool, session) = try fullSpool()
        try folder.write("short\n", "a.csv")
        _ = try session.step()
        try folder.append(text("b"), "a.csv")
        #expect(try tailer.read() == "short\n" + text("b"))
        // The batch's receipt is followed by a look, which keeps the first bytes in mind.
        _ = try tailer.look()
        try folder.overwrite("a.csv", text("c"))
        #expect(try reckoning(spool) == ([], 1))
    }

    @Test func aFileThatBeginsAlikeAndEndsOtherwiseIsAnotherOne() throws {
        let (spool, session) = try fullSpool()
        try folder.write(text("a", 200), "a.csv")
        _ = try session.step()
        let count = text("a", 200).utf8.count
        try folder.write(text("a", 100) + text("b", 200), "a.csv")
        // What both begin with is in the table; how far that goes is known to nobody.
        let read = text("a", 100) + text("b", 200)
        #expect(try tailer.read(atMost: 5_000) == read.prefix(5_000))
        #expect(try reckoning(spool) == (["a.csv 5000-\(count)"], 0))
    }

    @Test func whatWasSeenAndIsCutOffIsLost() throws {
        let (spool, session) = try fullSpool()
        try folder.write(text("a", 200), "a.csv")
        _ = try session.step()
        let count = text("a", 200).utf8.count
        #expect(truncate(folder.path("a.csv"), 5_000) == 0)
        #expect(try session.step().refusedByteCount == UInt64(count))
        tailer.restart()
        #expect(try tailer.read().utf8.count == 5_000)
        #expect(try reckoning(spool) == (["a.csv 5000-\(count)"], 0))
    }

    @Test func aSpoolThatIsStillFullInTheNextOutageGoesOnNoting() throws {
        try folder.write("1,a line\n", "a.csv")
        try tailer.read()
        try folder.append("2,a line\n3,a line\n", "a.csv")
        do {
            let (_, session) = try fullSpool(18)
            #expect(try session.step().refusedByteCount == 9)
        }
        try tailer.read()
        let (spool, session) = try fullSpool(18)
        try folder.append("4,a line\n", "a.csv")
        #expect(try session.step().refusal == .isFull)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try reckoning(spool) == (["a.csv 27-36"], 0))
    }

    // MARK: Damaged copies

    /// Removes the only copy, or leaves ten bytes of it.
    private func damageCopy(isRemoved: Bool) throws {
        let names = try PosixFileSystem().list(folder.path("spool")).map(\.name)
        let copy = try #require(names.first { $0.hasPrefix("copy-") })
        if isRemoved { return try folder.remove("spool/\(copy)") }
        try #require(truncate(folder.path("spool/\(copy)"), 10) == 0)
    }

    @Test("the bytes of a copy that somebody removed or cut", arguments: [true, false])
    func damagedCopy(isRemoved: Bool) throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read()
        let read = text("a").utf8.count
        let (spool, session) = try fullSpool(1 << 30)
        try folder.append("more\n", "a.csv")
        _ = try session.step()
        try damageCopy(isRemoved: isRemoved)
        // The log is there.
        #expect(try reckoning(spool) == ([], 0))
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try reckoning(spool) == (["a.csv \(read)-\(read + 5)"], 0))
    }

    @Test func aDamagedCopyOfWhatIsReadIsForgotten() throws {
        let (spool, session) = try fullSpool(1 << 30)
        try folder.write(text("a"), "a.csv")
        _ = try session.step()
        #expect(try tailer.read() == text("a"))
        try damageCopy(isRemoved: false)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try reckoning(spool) == ([], 1))
        let manifest = try #require(spool.manifest)
        try spool.settle(
            manifest.reckoning(after: tailer.state, beside: try tailer.look(for: manifest.seen)).settled
        )
        try spool.end()
        #expect(try PosixFileSystem().list(folder.path("spool")).map(\.name) == ["lock"])
    }

    @Test func anUnreadFileWhoseCopyIsRemovedIsLostFromItsStart() throws {
        let (spool, session) = try fullSpool(1 << 30)
        try folder.write(text("a"), "a.csv")
        _ = try session.step()
        try damageCopy(isRemoved: true)
        try folder.remove("a.csv")
        #expect(try reckoning(spool) == (["a.csv 0-\(text("a").utf8.count)"], 0))
    }
}
