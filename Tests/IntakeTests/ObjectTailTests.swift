import BatchProtocol
import Foundation
import Intake
import SeededRandom
import Testing

/// Files that somebody is still writing: the last line has no newline yet.
@Suite struct ObjectTailTests {
    private let folder: LogFolder
    /// Seconds of `LogFolder`.
    private final class Time {
        var second = 0
    }
    private let time = Time()
    private let collector: ObjectCollector

    init() throws {
        folder = try LogFolder()
        collector = ObjectCollector(
            ObjectSource(patterns: [folder.path("**")]),
            clock: { [time] in (1_700_000_000 + Int64(time.second)) * 1_000_000_000 }
        )
    }

    private func lines(_ name: String) -> [String] { collector.lines(folder.path(name)) }

    private func append(_ text: String, _ name: String) throws {
        time.second += 1
        try folder.append(text, name)
        try folder.touch(name, second: time.second)
    }

    @Test("a half line waits, is looked at once for each version, and comes when it is finished")
    func halfLine() throws {
        try append("{\"a\":0}\n{\"a\":", "a.json")
        let ranges = try collector.batch()
        #expect(lines("a.json") == ["{\"a\":0}"])
        #expect(ranges.map(\.to) == [8] && ranges.map(\.isWhole) == [false])
        #expect(collector.drops.pending == [folder.path("a.json"): 5])
        #expect(try collector.batch().isEmpty && !collector.foundSome)
        try append("1", "a.json")
        #expect(try collector.batch().isEmpty && collector.foundSome)
        #expect(try collector.batch().isEmpty && !collector.foundSome)
        #expect(collector.drops.pending == [folder.path("a.json"): 6])
        try append("}\n{\"a\":2}\n", "a.json")
        try collector.drain()
        #expect(lines("a.json") == (0...2).map { "{\"a\":\($0)}" })
        #expect(collector.drops.pending.isEmpty && collector.changed.isEmpty)
        #expect(collector.plans.count == 2)
    }

    @Test("a new process leaves no batch behind for a line that waits")
    func restarted() throws {
        try append("{\"a\":", "a.json")
        for _ in 0..<3 {
            #expect(try collector.batch().isEmpty && collector.foundSome)
            collector.restart()
        }
        #expect(collector.plans.isEmpty)
    }

    @Test("a line that waits keeps no other object from being read")
    func others() throws {
        try append("{\"a\":", "a.json")
        try append("{\"b\":0}\n", "b.json")
        try append("{\"c\":0}\n", "c.json")
        try collector.drain(limit: 1)
        #expect(collector.lines.map(\.line) == ["{\"b\":0}", "{\"c\":0}"])
    }

    @Test("a line that is whole without its newline comes at once, and what follows on new lines later")
    func wholeLine() throws {
        try append("{\"a\":0}", "a.json")
        #expect(try collector.batch().map(\.isWhole) == [true])
        try append("\n{\"a\":1}\n", "a.json")
        try collector.drain()
        #expect(lines("a.json") == ["{\"a\":0}", "{\"a\":1}"])
        #expect(collector.changed.isEmpty)
    }

    @Test("what continues a line that was whole is a line of its own, and keeps no later one from being read")
    func continuedLine() throws {
        try append("{\"a\":0}", "a.json")
        try collector.drain()
        try append("  {\"a\":1}\n{\"a\":2}\n", "a.json")
        try collector.drain()
        #expect(lines("a.json") == ["{\"a\":0}", "  {\"a\":1}", "{\"a\":2}"])
        #expect(collector.changed.isEmpty)
    }

    @Test("a half line that nobody has continued for a minute comes as it is", arguments: [true, false])
    func quiet(isRestarted: Bool) throws {
        try append("{\"a\":0}\n{\"a\":", "a.json")
        try collector.drain()
        time.second += 59
        if isRestarted { collector.restart() }
        try collector.drain()
        #expect(lines("a.json") == ["{\"a\":0}"])
        time.second += 1
        if isRestarted { collector.restart() }
        let ranges = try collector.batch()
        #expect(lines("a.json") == ["{\"a\":0}", "{\"a\":"])
        #expect(ranges.map(\.isWhole) == [true])
        #expect(collector.drops.pending.isEmpty)
    }

    @Test("a time that lies ahead does not keep a half line for ever")
    func timeAhead() throws {
        try folder.write("{\"a\":", "a.json", second: 2_000_000_000)
        let later = ObjectCollector(
            collector.source,
            clock: { TailedFiles.kernelClock() + 61_000_000_000 }
        )
        try later.drain()
        #expect(later.lines.map(\.line) == ["{\"a\":"])
    }

    @Test("lines of a batch that was lost come again, though the line behind them waits")
    func lost() throws {
        try append("{\"a\":0}\n{\"a\":", "a.json")
        try collector.batch(isLost: true)
        try collector.drain()
        #expect(lines("a.json") == ["{\"a\":0}"])
    }

    @Test("compressed objects and those of a bucket are whole, whenever they were written")
    func whole() throws {
        time.second = 1
        try folder.write(
            bytes: LogFolder.compressed(Data("{\"a\":".utf8), "gzip"),
            "a.json.gz",
            second: time.second
        )
        try collector.drain()
        #expect(lines("a.json.gz") == ["{\"a\":"])
        let bucket = MemoryPlace()
        bucket.put("s3://bucket/a", "{\"a\":")
        let inBucket = ObjectCollector(ObjectSource(patterns: []), clock: { 0 }, place: { bucket })
        try inBucket.drain()
        #expect(inBucket.lines.map(\.line) == ["{\"a\":"])
    }

    @Test("lines that are written in pieces at random come once, and no batch is empty", arguments: 0..<12)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let names = ["a.json", "b.json", "c.json"]
        var unwritten: [String: String] = [:]
        for name in names {
            unwritten[name] = (0..<30).map { "{\"\(name)\":{\"n\":\($0)}}\n" }.joined()
        }
        let expected = unwritten
        while let name = names.filter({ unwritten[$0] != "" }).randomElement(using: &random) {
            let rest = unwritten[name] ?? ""
            let piece = rest.prefix(Int.random(in: 1...60, using: &random))
            time.second += Int.random(in: 0...15, using: &random)
            try append(String(piece), name)
            unwritten[name] = String(rest.dropFirst(piece.count))
            // Nobody is silent amid a line for as long as a minute.
            for other in names where unwritten[other] != expected[other] {
                try folder.touch(other, second: time.second)
            }
            if Int.random(in: 0..<4, using: &random) == 0 { collector.restart() }
            try collector.batch(
                limit: Int.random(in: 1...3, using: &random),
                budget: Int.random(in: 1...200, using: &random),
                window: Int.random(in: 1...100, using: &random),
                isLost: Int.random(in: 0..<5, using: &random) == 0
            )
        }
        try collector.drain()
        for name in names { #expect(lines(name).map { $0 + "\n" }.joined() == expected[name]) }
        #expect(collector.changed.isEmpty)
        let isEmpty = collector.plans.contains { $0.byteCount == 0 }
        #expect(!isEmpty)
    }
}
