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
}
