import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// Spools whose folder somebody removes while a process has them, and what may happen beside the copying.
extension SpoolTests {
    @Test func aFolderThatIsRemovedIsMadeAnewAndKeepsOn() throws {
        try folder.write(text("a"), "a.csv")
        try folder.write(text("b"), "b.csv")
        try tailer.read(atMost: 5_000)
        let spool = try spool()
        try spool.note(tailer.state.files)
        let session = try session(spool)
        _ = try session.step()
        #expect(try spool.hold() == false)
        try folder.overwrite("a.csv", "")
        try folder.remove("spool")
        try folder.append("more\n", "b.csv")
        #expect(try session.step().errors.isEmpty)
        #expect(try spool.hold() == true)
        #expect(try spool.hold() == false)
        #expect(Spool.isInUse(place))
        #expect(try Spool.positions(in: place) == tailer.state.files)
        // The log that is there was copied anew; the other one is gone with its copy.
        try folder.remove("b.csv")
        tailer.restart()
        #expect(try readAll() == text("b").dropFirst(5_000) + "more\n")
        let all = UInt64(text("a").utf8.count)
        #expect(try lost() == [SourceGap(path: folder.path("a.csv"), from: 5_000, to: all)])
    }

    /// A rotation tool has copied the beginning of a log, whose own copy somebody removed.
    @Test func whatADamagedCopyHeldBehindTheEndOfALogIsNamed() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read(atMost: 5_000)
        let session = try session(spool())
        _ = try session.step()
        let copy = try #require(try PosixFileSystem().list(place).first { $0.name.hasPrefix("copy-") }).name
        try folder.remove("spool/\(copy)")
        try folder.copy("a.csv", "a.csv.1", upTo: 8_000)
        try folder.overwrite("a.csv", "")
        _ = try session.step()
        try folder.remove("a.csv.1")
        tailer.restart()
        #expect(try readAll() == text("a").dropFirst(5_000).prefix(3_000))
        let all = UInt64(text("a").utf8.count)
        #expect(try lost().map { [$0.from, $0.to] } == [[8_000, all]])
    }

    @Test func aManifestThatIsRemovedIsStoredAnew() throws {
        try folder.write(text("a"), "a.csv")
        let session = try session(spool())
        _ = try session.step()
        try folder.remove("spool/spool.json")
        _ = try session.step()
        try folder.remove("a.csv")
        #expect(try readAll() == text("a"))
    }

    @Test func aFolderThatAnotherProcessHasMadeAnewIsLeftToItUntilItEnds() throws {
        try folder.write(text("a"), "a.csv")
        let spool = try spool()
        let session = try session(spool)
        _ = try session.step()
        try folder.remove("a.csv")
        try folder.remove("spool")
        try folder.write(text("b"), "b.csv")
        var other: Spool? = try self.spool()
        _ = try self.session(try #require(other)).step()
        #expect(throws: StorageError.self) { try session.step() }
        #expect(throws: StorageError.self) { try spool.hold() }
        other = nil
        _ = try session.step()
        // What the other one has kept is kept, and what this one had is named.
        try folder.remove("b.csv")
        try folder.write("", "c.csv")
        #expect(try readAll() == text("b"))
        #expect(
            try lost() == [
                SourceGap(path: folder.path("a.csv"), from: 0, to: UInt64(text("a").utf8.count))
            ]
        )
    }

    /// The pipeline asks for the manifest, and removes copies of which batches have all, while a file is copied on.
    @Test func nobodyWaitsForACopyAndItStays() throws {
        try folder.write(text("a"), "a.csv")
        let spool = try spool()
        let session = try session(spool)
        _ = try session.step()
        #expect(try readAll() == text("a"))
        let look = try tailer.look()
        #expect(look.readCopies.count == 1)
        try folder.append(text("b", 60_000), "a.csv")
        var asked = 0
        let report = try session.step {
            asked += 1
            if asked == 3 {
                #expect(spool.manifest?.files.count == 1)
                #expect(throws: Never.self) { try spool.remove(look.readCopies) }
                #expect(throws: Never.self) { try spool.settle(Set(spool.manifest?.seen ?? [])) }
            }
            return false
        }
        #expect(asked > 3 && report.errors.isEmpty)
        try folder.remove("a.csv")
        tailer.restart()
        #expect(try readAll() == text("b", 60_000))
    }

    @Test func anOutageThatEndsWhileAFileIsCopiedLeavesNoCopy() throws {
        try folder.write(text("a", 60_000), "a.csv")
        let spool = try spool()
        let session = try session(spool)
        var asked = 0
        let report = try session.step {
            asked += 1
            if asked == 3 { #expect(throws: Never.self) { try spool.end() } }
            return false
        }
        #expect(asked > 3 && report.byteCount == 0)
        #expect(try PosixFileSystem().list(place).map(\.name) == ["lock"])
    }

    /// What a bad disk has made of the list of copies does not keep later ones from being made.
    @Test func aDamagedManifestIsPutAside() throws {
        try folder.write(text("a"), "a.csv")
        do { _ = try session(spool()).step() }
        let copy = try #require(try SpoolManifest.read(place)?.files.first?.copy)
        try Data("{".utf8).write(to: URL(filePath: "\(place)/spool.json"))
        let spool = try spool()
        #expect(spool.setAside == "\(place)/damaged-1")
        #expect(FileManager.default.contents(atPath: "\(place)/damaged-1/\(copy)") == Data(text("a").utf8))
        #expect(FileManager.default.contents(atPath: "\(place)/damaged-1/spool.json") == Data("{".utf8))
        _ = try session(spool).step()
        try folder.remove("a.csv")
        #expect(try tailer.look().remarks.contains(.spoolIsUnreadable(path: "\(place)/damaged-1")))
        #expect(try readAll() == text("a"))
    }
}
