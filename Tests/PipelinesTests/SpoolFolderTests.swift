import Foundation
import Intake
import Pipelines
import Testing

/// Where spools lie, and which of them nobody reads.
@Suite struct SpoolFolderTests {
    /// Hashes of the published test vectors of FNV-1a with 32 bits.
    @Test(
        "the folder's name ends with a hash of the lake's place",
        arguments: [("", "811c9dc5"), ("a", "e40c292c"), ("foobar", "bf9cf968"), ("foo", "a9f37ed7")]
    )
    func name(lake: String, hash: String) {
        #expect(SpoolSettings.folder(in: "/spool", of: "pg", lake: lake) == "/spool/pg-\(hash)")
    }

    /// The FNV-1a hash of this text begins with zeros.
    @Test func aHashHasAllItsDigits() {
        let folder = SpoolSettings.folder(in: "/spool", of: "pg", lake: "lake-8697")
        #expect(folder == "/spool/pg-000dffcf")
    }

    @Test func whatNobodyReadsIsFound() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "spools-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: "\(root)/logs", withIntermediateDirectories: true)
        try Data("a line\n".utf8).write(to: URL(filePath: "\(root)/logs/a.csv"))
        // Each holds a line, or has nothing to hold it in.
        func fill(_ name: String, byteCount: UInt64 = 1 << 20) throws -> Spool {
            let limits = Spool.Limits(byteCount: byteCount, diskFloor: 0)
            let spool = try #require(try Spool.open("\(root)/\(name)", limits: limits, isMade: true))
            let source = TailedFileSource(patterns: ["\(root)/logs/*.csv"], host: "")
            _ = try SpoolSession(spool, source: source, after: [], reason: "", now: 1).step()
            return spool
        }
        for name in ["spool/pg-1", "spool/old-1", "more/pg-2"] { _ = try fill(name) }
        _ = try fill("spool/full-1", byteCount: 1)
        let open = try fill("spool/other-1")
        let empty = Spool.Limits(byteCount: 1, diskFloor: 0)
        _ = try Spool.open("\(root)/spool/empty-1", limits: empty, isMade: true)
        let found = AbandonedSpool.find(
            in: ["\(root)/spool", "\(root)/more", "\(root)/gone"],
            besides: ["\(root)/spool/pg-1"]
        )
        let names = ["more/pg-2", "spool/full-1", "spool/old-1"]
        #expect(found.map(\.folder) == names.map { "\(root)/\($0)" })
        #expect(found.map(\.byteCount) == [7, 7, 7])
        withExtendedLifetime(open) {}
    }
}
