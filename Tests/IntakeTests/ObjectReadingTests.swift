import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// Objects that grow, are overwritten, shrink or are touched.
@Suite struct ObjectReadingTests {
    private let folder: LogFolder
    private static let suffixes = ["", ".gz", ".zst"]

    init() throws { folder = try LogFolder() }

    private func collector(
        verify: ObjectSource.VerifiedPrefix = .tail,
        onChange: ObjectSource.ChangePolicy = .report
    ) -> ObjectCollector {
        ObjectCollector(
            ObjectSource(patterns: [folder.path("**")], verifyPrefix: verify, onChange: onChange)
        )
    }

    /// Delivers an object under its name, compressed as the name says.
    private func deliver(_ text: String, _ name: String) throws {
        let bytes = Data(text.utf8)
        let stored =
            name.hasSuffix(".gz")
            ? try LogFolder.compressed(bytes, "gzip")
            : name.hasSuffix(".zst") ? try LogFolder.compressed(bytes, "zstd") : bytes
        if let slash = name.lastIndex(of: "/") { try folder.makeFolder(String(name[..<slash])) }
        try folder.write(bytes: stored, name)
    }

    private func lines(_ tag: String, _ range: Range<Int>) -> String {
        range.map { "{\"\(tag)\":\($0)}\n" }.joined()
    }

    private func expected(_ tag: String, _ range: Range<Int>) -> [String] {
        range.map { "{\"\(tag)\":\($0)}" }
    }

    @Test("an object that is overwritten with more lines gives only the new ones", arguments: suffixes)
    func overwritten(suffix: String) throws {
        let name = "workspaceId=1/date=2026-11-21/auditlogs_1.json\(suffix)"
        let collector = collector()
        // Up to more than two pieces of the chain.
        var count = 0
        for next in [1, 2, 1_000, 80_000, 200_000, 200_001] {
            try deliver(lines("a", 0..<next), name)
            let ranges = try collector.batch()
            #expect(ranges.count == 1 && ranges[0].from == UInt64(lines("a", 0..<count).utf8.count))
            count = next
            #expect(collector.lines(folder.path(name)).count == count)
            #expect(try collector.batch().isEmpty)
        }
        #expect(collector.lines(folder.path(name)) == expected("a", 0..<count))
        #expect(collector.changed.isEmpty)
    }

    @Test("a file that is overwritten in place, without another inode, gives only the new lines")
    func overwrittenInPlace() throws {
        try deliver(lines("a", 0..<10), "a.json")
        let collector = collector()
        try collector.drain()
        try folder.overwrite("a.json", lines("a", 0..<12))
        try collector.drain()
        #expect(collector.lines(folder.path("a.json")) == expected("a", 0..<12))
    }

    /// Trap 7 of the facts sheet: what comes late for a day, or on the day itself, is not dropped at its border.
    @Test("trap 7: an object for a day that has passed is found in its old folder, one of today at once")
    func trap7LateArrival() throws {
        try deliver(lines("today", 0..<2), "workspaceId=1/date=2026-11-21/auditlogs_1.json")
        let collector = collector()
        try collector.drain()
        let late = "workspaceId=1/date=2026-11-03/auditlogs_9.json"
        try deliver(lines("late", 0..<3), late)
        // Also with the time of its day, as a copying tool keeps it.
        let older = "workspaceId=1/date=2026-11-03/auditlogs_8.json"
        try folder.write(lines("older", 0..<3), older, second: -1_000_000)
        try collector.drain()
        #expect(collector.lines(folder.path(late)) == expected("late", 0..<3))
        #expect(collector.lines(folder.path(older)) == expected("older", 0..<3))
    }

    @Test(
        "other lines than those that were read are told once for each version and left alone",
        arguments: suffixes
    )
    func changedIsReported(suffix: String) throws {
        let name = "a.json\(suffix)"
        let collector = collector()
        try deliver(lines("a", 0..<3), name)
        try collector.drain()
        try deliver(lines("b", 0..<9), name)
        try collector.drain()
        collector.restart()
        try collector.drain()
        #expect(collector.changed == [folder.path(name)])
        try deliver(lines("c", 0..<9), name)
        try collector.drain()
        #expect(collector.changed.count == 2)
        // The lines that were read are back, and more.
        try deliver(lines("a", 0..<5), name)
        try collector.drain()
        #expect(collector.changed.count == 2)
        #expect(collector.lines(folder.path(name)) == expected("a", 0..<5))
    }

    @Test("other lines are read again as a correction where that is set", arguments: suffixes)
    func changedIsReingested(suffix: String) throws {
        let name = "a.json\(suffix)"
        let collector = collector(onChange: .reingest)
        try deliver(lines("a", 0..<3), name)
        try collector.drain()
        try deliver(lines("b", 0..<9), name)
        let ranges = try collector.batch()
        #expect(ranges.map(\.isCorrection) == [true] && ranges[0].from == 0)
        try collector.drain()
        #expect(collector.corrections(folder.path(name)) == expected("b", 0..<9))
        try deliver(lines("b", 0..<10), name)
        try collector.drain()
        #expect(collector.lines(folder.path(name)) == expected("a", 0..<3) + expected("b", 9..<10))
    }

    @Test("an object that shrank is one with other lines", arguments: suffixes)
    func shrunk(suffix: String) throws {
        let name = "a.json\(suffix)"
        let collector = collector()
        try deliver(lines("a", 0..<30_000), name)
        try collector.drain()
        try deliver(lines("a", 0..<29_000), name)
        try collector.drain()
        #expect(collector.changed == [folder.path(name)])
        #expect(collector.lines.count == 30_000)
    }

    @Test(
        "a change before the last piece is seen when all is compared, and where all is read",
        arguments: suffixes
    )
    func verification(suffix: String) throws {
        let name = "a.json\(suffix)"
        let text = lines("a", 0..<150_000)
        let other = "{\"b\":0}\n" + text.dropFirst(8)
        for (verify, isSeen) in [(ObjectSource.VerifiedPrefix.tail, suffix != ""), (.full, true)] {
            try deliver(text, name)
            let collector = collector(verify: verify)
            try collector.drain()
            try deliver(other + "{}\n", name)
            try collector.drain()
            #expect(collector.changed.count == (isSeen ? 1 : 0), "\(verify)")
            #expect(collector.lines.count == (isSeen ? 150_000 : 150_001))
        }
    }

    @Test("an object that ended at the border of two pieces is compared as well")
    func border() throws {
        let text = String(repeating: "{\"a\":\"0123456\"}\n", count: 1 << 16)
        #expect(text.utf8.count == ObjectRange.pieceByteCount)
        let collector = collector()
        try deliver(text, "same")
        try deliver(text, "other")
        try collector.drain()
        try deliver(text + "{}\n", "same")
        try deliver("{\"b\"" + text.dropFirst(4) + "{}\n", "other")
        try collector.drain()
        #expect(collector.lines(folder.path("same")).count == 65_537)
        #expect(collector.lines(folder.path("other")).count == 65_536)
        #expect(collector.changed == [folder.path("other")])
    }

    @Test("an object of which not all was taken is found again, whether its end was met or not")
    func notAllTaken() throws {
        try deliver("{}\n{}\n", "a")
        let drops = collector().drops
        let object = try #require(try drops.look(after: ObjectLedger(), limit: 1).objects.first)
        guard case .unread(let reader) = try drops.open(object) else { return #expect(Bool(false)) }
        var bytes = [UInt8](repeating: 0, count: 100)
        #expect(try bytes.withUnsafeMutableBytes(reader.read) == 6)
        bytes[..<3].withUnsafeBytes(reader.take)
        #expect(try bytes.withUnsafeMutableBytes(reader.read) == 0)
        #expect(try reader.ending() == .complete && !reader.range.isWhole && reader.range.to == 3)
        bytes[3..<6].withUnsafeBytes(reader.take)
        #expect(reader.range.isWhole && reader.range.to == 6)
    }

    @Test(
        "the same bytes under a new version are compared once, and remembered with the next bytes",
        arguments: suffixes
    )
    func touched(suffix: String) throws {
        let names = ["a.json\(suffix)", "b.json\(suffix)"]
        let collector = collector()
        for name in names { try deliver(lines("a", 0..<9), name) }
        try collector.drain()
        try folder.touch(names[0])
        #expect(try collector.batch().isEmpty && collector.foundSome)
        #expect(try collector.batch().isEmpty && !collector.foundSome)
        collector.restart()
        #expect(try collector.batch().isEmpty && collector.foundSome)
        try deliver(lines("a", 0..<10), names[1])
        let ranges = try collector.batch()
        #expect(ranges.map(\.key) == [names[1], names[0]].map(folder.path))
        #expect(ranges.map(\.rangeByteCount) == [8, 0] && ranges.map(\.from) == [72, 72])
        collector.restart()
        #expect(try collector.batch().isEmpty && !collector.foundSome)
    }

    @Test("a touch of a thousand objects is remembered by one batch")
    func manyTouched() throws {
        for number in 0..<1_000 { try folder.write("{\"a\":\(number)}\n", "\(number).json") }
        let collector = collector()
        try collector.drain()
        for number in 0..<1_000 { try folder.touch("\(number).json") }
        let ranges = try collector.batch()
        #expect(ranges.count == 1_000 && ranges.allSatisfy { $0.rangeByteCount == 0 && $0.isWhole })
        collector.restart()
        #expect(try collector.batch().isEmpty && !collector.foundSome)
    }

    @Test("objects of which much had to be compared are remembered by a batch of their own")
    func largeTouched() throws {
        let line = "{\"a\":\"\(String(repeating: "x", count: 1 << 20))\"}\n"
        try folder.write(String(repeating: line, count: 64), "a.json")
        let collector = collector(verify: .full)
        try collector.drain()
        try folder.touch("a.json")
        #expect(try collector.batch().map(\.rangeByteCount) == [0])
        collector.restart()
        #expect(try collector.batch().isEmpty && !collector.foundSome)
    }

    @Test("a last line without newline is a whole one; what continues it is a line of its own")
    func lastLine() throws {
        let collector = collector()
        try deliver("{\"a\":0}", "unix")
        try deliver("{\"a\":0}", "windows")
        try deliver("{\"a\":0}", "other")
        try collector.drain()
        #expect(collector.lines.count == 3)
        try deliver("{\"a\":0}\n{\"a\":1}", "unix")
        try deliver("{\"a\":0}\r\n{\"a\":1}\r\n", "windows")
        try deliver("{\"a\":0}1", "other")
        try collector.drain()
        #expect(collector.lines(folder.path("unix")) == expected("a", 0..<2))
        #expect(collector.lines(folder.path("windows")) == expected("a", 0..<2))
        #expect(collector.lines(folder.path("other")) == expected("a", 0..<1) + ["1"])
        #expect(collector.changed.isEmpty)
    }

    @Test("a batch may end within an object; the next one goes on there", arguments: suffixes)
    func budget(suffix: String) throws {
        try deliver(lines("a", 0..<2_000), "a.json\(suffix)")
        try deliver(lines("b", 0..<5), "b.json")
        let collector = collector()
        var count = 0
        while try !collector.batch(budget: 3_000, window: 700).isEmpty {
            count += 1
            if count.isMultiple(of: 3) { collector.restart() }
        }
        #expect(count > 5)
        #expect(collector.lines(folder.path("a.json\(suffix)")) == expected("a", 0..<2_000))
        #expect(collector.lines(folder.path("b.json")) == expected("b", 0..<5))
    }

    @Test("a file that is written while it is read gives its whole lines, and the rest when it is finished")
    func beingWritten() throws {
        try deliver(lines("a", 0..<5) + "{\"a\":", "a.json")
        let collector = collector()
        var isWritten = false
        collector.onRead = { [folder] _ in
            guard !isWritten else { return }
            isWritten = true
            // Truncated and begun anew by the writer, not finished yet.
            try folder.append("5", "a.json")
        }
        try collector.batch()
        #expect(collector.lines(folder.path("a.json")) == expected("a", 0..<5))
        try folder.append("}\n" + lines("a", 6..<8), "a.json")
        try collector.drain()
        #expect(collector.lines(folder.path("a.json")) == expected("a", 0..<8))
        #expect(collector.changed.isEmpty)
    }

    @Test(
        "a compressed object that is cut or damaged is told and not read; then all of the whole one is",
        arguments: [("gzip", ".gz"), ("zstd", ".zst")]
    )
    func cutOrDamaged(tool: String, suffix: String) throws {
        let name = "a.json\(suffix)"
        let text = LogFolder.lines("a", 20_000)
        let whole = try LogFolder.compressed(Data(text.utf8), tool)
        var damaged = whole
        damaged[whole.count / 2] ^= 0x55
        var second = 0
        let collector = ObjectCollector(
            ObjectSource(patterns: [folder.path("**")]),
            clock: { (1_700_000_000 + Int64(second)) * 1_000_000_000 }
        )
        let key = folder.path(name)
        func expectUnread(_ remark: ObjectSource.Remark, isFailure: Bool) throws {
            try collector.drain()
            let look = try collector.drops.look(after: collector.state.objects, limit: 1)
            #expect(look.remarks == [remark])
            #expect(look.unreadable.map(\.path) == (isFailure ? [key] : []))
            #expect(look.objects.isEmpty && collector.lines.isEmpty)
        }
        for isCut in [true, false, true] {
            second += 100
            let bytes = isCut ? whole.prefix(whole.count * 3 / 4) : damaged
            try folder.write(bytes: bytes, name, second: second)
            // A cut one may be written on, as long as it has not been left alone for a minute.
            for age in [0, 59, 1] {
                second += age
                try expectUnread(
                    isCut ? .endsTooEarly(key: key) : .isDamaged(key: key),
                    isFailure: !isCut || age == 1
                )
            }
            collector.restart()
            try expectUnread(isCut ? .endsTooEarly(key: key) : .isDamaged(key: key), isFailure: true)
        }
        try folder.write(bytes: whole, name)
        try collector.drain()
        let isEqual = collector.lines.map(\.line) == text.split(separator: "\n").map(String.init)
        #expect(isEqual)
        #expect(collector.remarks.isEmpty && collector.unreadable.isEmpty)
    }

    @Test("a compressed object that is too large for memory reads alike", arguments: ["gzip", "zstd"])
    func large(tool: String) throws {
        let name = tool == "gzip" ? "a.json.gz" : "a.json.zst"
        let text = LogFolder.lines("a", 800_000)
        let collector = collector()
        try deliver(String(text.prefix(36_000_000)), name)
        try collector.batch(budget: 34_500_000, window: 1 << 20)
        collector.restart()
        let ranges = try collector.batch(window: 1 << 20)
        #expect(try collector.again(ranges[0])?.utf8.count == 36_000_000 - Int(ranges[0].from))
        #expect(ranges[0].to == 36_000_000 && collector.changed.isEmpty)
    }

    @Test(
        "a planned range is read again from the object, also when it has grown or was compressed, and from no other"
    )
    func locate() throws {
        let collector = collector()
        try deliver(lines("a", 0..<100), "a.json")
        try collector.drain()
        try deliver(lines("a", 0..<200), "a.json")
        let ranges = try collector.batch()
        #expect(try collector.again(ranges[0]) == lines("a", 100..<200))
        try deliver(lines("a", 0..<300), "a.json")
        #expect(try collector.again(ranges[0]) == lines("a", 100..<200))
        try folder.compress("a.json")
        #expect(try collector.again(ranges[0]) == lines("a", 100..<200))
        try deliver(lines("b", 0..<300), "a.json.gz")
        #expect(try collector.again(ranges[0]) == nil)
        try folder.remove("a.json.gz")
        #expect(try collector.again(ranges[0]) == nil)
    }
}
