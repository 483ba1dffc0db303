import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// When what was copied counts, and when copying ends.
extension SpoolTests {
    @Test("the manifest is stored once a look, and within one when much is copied", arguments: [false, true])
    func storing(isMuch: Bool) throws {
        let disk = CountingDisk()
        let spool = try #require(
            try Spool.open(
                place,
                limits: Self.roomy,
                isMade: true,
                freeByteCount: { _ in 1 << 40 },
                storedEvery: isMuch ? 1 : 1 << 20,
                disk: disk
            )
        )
        let session = try session(spool)
        #expect(disk.renamedCount == 1)
        for number in 0..<20 { try folder.write(text("\(number)", 3), "\(number).csv") }
        _ = try session.step()
        #expect(disk.renamedCount == (isMuch ? 22 : 2))
        _ = try session.step()
        #expect(disk.renamedCount == (isMuch ? 22 : 2))
        #expect(try SpoolManifest.read(place)?.files.count == 20)
    }

    @Test func whatCannotBeStoredIsStoredByTheNextLook() throws {
        let disk = CountingDisk()
        let spool = try #require(try Spool.open(place, limits: Self.roomy, isMade: true, disk: disk))
        let session = try session(spool)
        try folder.write(text("a"), "a.csv")
        disk.isFull = true
        #expect(try session.step().errors.map(\.code) == [.noSpace])
        #expect(try SpoolManifest.read(place)?.files.isEmpty == true)
        disk.isFull = false
        #expect(try session.step().errors.isEmpty)
        try folder.remove("a.csv")
        #expect(try readAll() == text("a"))
    }

    @Test func aStopEndsTheCopyingOfALargeFile() throws {
        let large = text("a", 60_000)
        try folder.write(large, "a.csv")
        try folder.write(text("b"), "b.csv")
        #expect(large.utf8.count > 2 << 20)
        do {
            let spool = try spool()
            // Asked before each file and each MiB: stopped after the first of them.
            var asked = 0
            let report = try session(spool).step {
                asked += 1
                return asked > 2
            }
            let file = try #require(spool.manifest?.files.first)
            #expect(spool.manifest?.files.count == 1)
            #expect(file.end > 1 << 19 && file.end <= 1 << 20)
            #expect(report.refusal == nil)
            #expect(report.refusedByteCount == UInt64(large.utf8.count) - file.end)
        }
        // The next process goes on.
        #expect(try session(spool()).step().refusedByteCount == 0)
        try folder.remove("a.csv")
        try folder.remove("b.csv")
        #expect(try readAll() == large + text("b"))
    }

    /// A process that is killed in the middle of the copying leaves a note of what was seen.
    @Test func whatIsBeingCopiedIsNoted() throws {
        let large = text("a", 250_000)
        try folder.write(large, "a.csv")
        #expect(large.utf8.count > 8 << 20)
        let spool = try spool()
        var noted: [UInt64] = []
        _ = try session(spool).step {
            if let file = (try? SpoolManifest.read(place))?.files.first, file.copy == nil {
                noted.append(file.refusedByteCount)
            }
            return false
        }
        #expect(Set(noted) == [UInt64(large.utf8.count)])
        #expect(try SpoolManifest.read(place)?.refusedByteCount == 0)
    }

    @Test func whatCannotBeCopiedIsNoted() throws {
        try folder.write(text("a"), "a.csv")
        try tailer.read()
        let spool = try spool()
        // Where the copy is to lie there is something else.
        try folder.makeFolder("spool/copy-0")
        try folder.append("more\n", "a.csv")
        let report = try session(spool).step()
        #expect(report.errors.count == 1)
        #expect(report.refusedByteCount == 5)
        try folder.remove("a.csv")
        tailer.restart()
        let read = UInt64(text("a").utf8.count)
        #expect(try lost() == [SourceGap(path: folder.path("a.csv"), from: read, to: read + 5)])
    }

    @Test func aStopEndsTheFirstLookAtALargeCompressedFile() throws {
        let large = text("a", 60_000)
        try folder.write(large, "a.csv")
        try folder.compress("a.csv")
        let spool = try spool()
        let session = try session(spool)
        var asked = 0
        let report = try session.step {
            asked += 1
            return asked > 3
        }
        #expect(asked == 4)
        #expect(report.byteCount == 0 && report.errors.isEmpty)
        #expect(spool.manifest?.files.isEmpty == true)
        #expect(try session.step().byteCount == UInt64(large.utf8.count))
        try folder.remove("a.csv.gz")
        #expect(try readAll() == large)
    }
}
