import BatchProtocol
import Foundation
import Glibc
import Intake
import Testing

/// One object under several names, at once or one after the other: every line comes once.
@Suite struct ObjectNameTests {
    private let folder: LogFolder

    init() throws { folder = try LogFolder() }

    private func collector(_ patterns: String...) -> ObjectCollector {
        ObjectCollector(ObjectSource(patterns: patterns.map { "\(folder.root)/\($0)" }))
    }

    private func lines(_ range: Range<Int>, _ tag: String = "a") -> String {
        range.map { "{\"\(tag)\":\($0)}\n" }.joined()
    }

    private func expectLines(_ collector: ObjectCollector, _ range: Range<Int>) {
        #expect(collector.lines.map(\.line) == range.map { "{\"a\":\($0)}" })
        #expect(collector.changed.isEmpty)
    }

    private func hardLink(_ name: String, to target: String) throws {
        try #require(Glibc.link(folder.path(target), folder.path(name)) == 0)
    }

    // MARK: At once

    @Test(
        "a file that patterns reach by several paths comes once",
        arguments: [
            ["d/*.json", "d/../d/a.json"], ["d/../d/*.json", "d/**"], ["link/*.json", "d/*.json"],
            ["d/x/../*", "link/*", "d"], ["latest.json", "d/*"], ["d/*", "latest.json"],
        ]
    )
    func spellings(patterns: [String]) throws {
        try folder.makeFolder("d/x")
        try folder.link("link", to: "d")
        try folder.link("latest.json", to: "d/a.json")
        try folder.write(lines(0..<3), "d/a.json")
        for patterns in [patterns, patterns.reversed()] {
            let source = ObjectSource(patterns: patterns.map { "\(folder.root)/\($0)" })
            let collector = ObjectCollector(source)
            try collector.drain()
            expectLines(collector, 0..<3)
        }
    }

    @Test("hard links of one file come once, also when another one appears that sorts before it")
    func hardLinks() throws {
        let collector = collector("**")
        try folder.write(lines(0..<3), "m.json")
        try hardLink("n.json", to: "m.json")
        try collector.drain()
        try hardLink("a.json", to: "m.json")
        try hardLink("z.json", to: "m.json")
        try folder.append(lines(3..<5), "m.json")
        collector.restart()
        try collector.drain()
        expectLines(collector, 0..<5)
        #expect(Set(collector.lines.map(\.key)).count == 1)
    }

    @Test("a file keeps the name by which it was read, whatever pattern is added before it")
    func addedPattern() throws {
        try folder.makeFolder("d")
        try folder.link("link", to: "d")
        try folder.write(lines(0..<3), "d/a.json")
        let before = collector("link/*")
        try before.drain()
        let after = ObjectCollector(
            ObjectSource(patterns: ["\(folder.root)/d/*", "\(folder.root)/link/*"]),
            state: before.state
        )
        try folder.append(lines(3..<5), "d/a.json")
        try after.drain()
        expectLines(after, 3..<5)
        #expect(after.lines.map(\.key).allSatisfy { $0 == folder.path("link/a.json") })
    }

    // MARK: Compression

    @Test(
        "an object that was compressed or decompressed is the same one: only its new lines come",
        arguments: [
            ("a.json", "a.json.gz"), ("a.json", "a.json.zst"), ("a.json.gz", "a.json"),
            ("a.json.zst", "a.json.gz"),
        ]
    )
    func compressed(names: (String, String)) throws {
        let collector = collector("**")
        try deliver(lines(0..<3), names.0)
        try collector.drain()
        try folder.remove(names.0)
        try deliver(lines(0..<5), names.1)
        collector.restart()
        try collector.drain()
        expectLines(collector, 0..<5)
        try deliver(lines(0..<6), names.1)
        try collector.drain()
        expectLines(collector, 0..<6)
    }

    @Test("an object and its compressed copy, side by side, come once, whichever grows")
    func sideBySide() throws {
        let collector = collector("**")
        try deliver(lines(0..<3), "a.json")
        try folder.compress("a.json", keepsPlain: true)
        try collector.drain()
        expectLines(collector, 0..<3)
        for (count, name) in [
            (5, "a.json"), (5, "a.json.gz"), (7, "a.json.gz"), (7, "a.json"), (9, "a.json"),
        ] {
            try deliver(lines(0..<count), name)
            try collector.drain()
            expectLines(collector, 0..<count)
        }
    }

    @Test("objects whose names differ by the compression only and that begin otherwise are two")
    func unrelated() throws {
        let collector = collector("**")
        try deliver(lines(0..<3), "a.json")
        try deliver(lines(0..<2, "b"), "a.json.gz")
        try collector.drain()
        #expect(
            collector.lines.map(\.line).sorted() == (0..<3).map { "{\"a\":\($0)}" } + [
                "{\"b\":0}", "{\"b\":1}",
            ]
        )
        #expect(collector.changed.isEmpty)
    }

    @Test("a compressed object that takes another's place is compared by all that was read")
    func compressedOther() throws {
        let collector = collector("**")
        try deliver(lines(0..<200_000), "a.json")
        try collector.drain()
        try folder.remove("a.json")
        try deliver("{\"b\":0}\n" + lines(1..<200_001), "a.json.gz")
        try collector.drain()
        #expect(collector.lines.count == 400_001)
    }

    private func deliver(_ text: String, _ name: String) throws {
        let tool = name.hasSuffix(".gz") ? "gzip" : name.hasSuffix(".zst") ? "zstd" : nil
        let bytes = Data(text.utf8)
        try folder.write(bytes: try tool.map { try LogFolder.compressed(bytes, $0) } ?? bytes, name)
    }

    // MARK: Moves

    @Test("objects that were moved with their folder give only their new lines")
    func moved() throws {
        try folder.makeFolder("old/w=1")
        try folder.write(lines(0..<3), "old/w=1/a.json")
        let before = collector("old/**/*.json")
        try before.drain()
        let folders = try before.drops.folders()
        #expect(folders == [folder.path("old/")])
        try folder.move("old", "new")
        try folder.write(lines(0..<5), "new/w=1/a.json")
        try folder.write(lines(0..<2, "b"), "new/w=1/b.json")
        let after = ObjectCollector(
            ObjectSource(patterns: [folder.path("new/**/*.json")]),
            state: before.state
        )
        after.formerFolders = folders
        try after.drain()
        #expect(after.lines.map(\.line) == ["{\"a\":3}", "{\"a\":4}", "{\"b\":0}", "{\"b\":1}"])
        let range = try #require(before.plans.first?.objects?.first)
        #expect(try after.again(range) == lines(0..<3))
    }
}
