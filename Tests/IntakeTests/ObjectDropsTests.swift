import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// What a look finds, and in which order.
@Suite struct ObjectDropsTests {
    private let folder: LogFolder

    init() throws { folder = try LogFolder() }

    private func look(_ patterns: String..., limit: Int = 1_000) throws -> ObjectLook {
        let source = ObjectSource(patterns: patterns.map { folder.path($0) })
        return try ObjectDrops(source: source).look(after: ObjectLedger(), limit: limit)
    }

    private func names(_ look: ObjectLook) -> [String] {
        look.objects.map { String($0.key.dropFirst(folder.root.count + 1)) }
    }

    private func fill(_ paths: String...) throws {
        for path in paths {
            if let slash = path.lastIndex(of: "/") { try folder.makeFolder(String(path[..<slash])) }
            try folder.write("{}\n", path)
        }
    }

    @Test(
        "patterns: one folder, several, any depth, braces, a plain folder, one file",
        arguments: [
            ("d/*.json", ["d/a.json"]),
            ("d/**/*.json", ["d/a.json", "d/x/b.json", "d/x/y/c.json"]),
            ("d/**", ["d/a.json", "d/x/b.json", "d/x/y/c.json", "d/x/y/d.txt"]),
            ("d", ["d/a.json", "d/x/b.json", "d/x/y/c.json", "d/x/y/d.txt"]),
            ("d/", ["d/a.json", "d/x/b.json", "d/x/y/c.json", "d/x/y/d.txt"]),
            ("**/y/*", ["d/x/y/c.json", "d/x/y/d.txt"]),
            ("**/x/**/c.json", ["d/x/y/c.json"]),
            ("d/?/*", ["d/x/b.json"]),
            ("d/[w-x]/*/*.{json,txt}", ["d/x/y/c.json", "d/x/y/d.txt"]),
            ("d/a.json", ["d/a.json"]),
            ("d/x/**/**/b*", ["d/x/b.json"]),
            ("d/x/y/d.json", []),
            ("none/**", []),
        ]
    )
    func patterns(pattern: String, expected: [String]) throws {
        let all = ["d/a.json", "d/x/b.json", "d/x/y/c.json", "d/x/y/d.txt"]
        for path in all { try fill(path) }
        let look = try look(pattern)
        #expect(names(look) == expected)
        let drops = ObjectDrops(source: ObjectSource(patterns: [folder.path(pattern)]))
        #expect(try all.filter { try drops.means(folder.path($0)) } == expected)
        let isMissed = look.remarks.contains { if case .nothingMatches = $0 { true } else { false } }
        #expect(isMissed == expected.isEmpty)
    }

    @Test("objects that several patterns mean come once")
    func overlap() throws {
        try fill("d/a.json", "d/x/b.json")
        #expect(try names(look("d/**", "d/*.json", "{d,d/x}/*")) == ["d/a.json", "d/x/b.json"])
    }

    @Test("hidden files and folders are passed over unless they are named, empty files always")
    func hidden() throws {
        try fill("d/.a.json", "d/_SUCCESS", "d/_delta_log/0.json", "d/.x/b.json", "d/c.json")
        try folder.write("", "d/empty.json")
        #expect(try names(look("d/**")) == ["d/c.json"])
        #expect(try names(look("d/*")) == ["d/c.json"])
        #expect(try names(look("d/_delta_log/*", "d/.x/**")) == ["d/_delta_log/0.json", "d/.x/b.json"])
        #expect(try names(look("d/_*")) == ["d/_SUCCESS"])
    }

    @Test("order of arrival, those of one time by key, whatever the day of their folder")
    func order() throws {
        for (name, second) in [("date=2026-11-21/b", 7), ("date=2026-11-21/a", 7), ("date=2026-11-20/c", 9)] {
            try folder.makeFolder(String(name.dropLast(2)))
            try folder.write("{}\n", name, second: second)
        }
        let look = try look("**")
        #expect(names(look) == ["date=2026-11-21/a", "date=2026-11-21/b", "date=2026-11-20/c"])
        #expect(look.objects.map(\.modified) == [7, 7, 9].map { (1_700_000_000 + $0) * 1_000_000 })
        #expect(look.objects.map(\.byteCount) == [3, 3, 3] && look.objects.allSatisfy { $0.from == 0 })
    }

    @Test("a loop of links ends; what is reached by several names comes once, by its own")
    func links() throws {
        try fill("d/x/a.json", "outside/b.json")
        try folder.link("d/loop", to: "d")
        try folder.link("d/x/up", to: "d/x")
        try folder.link("d/a0", to: "d/x")
        try folder.link("d/latest.json", to: "d/x/a.json")
        try folder.link("d/self", to: "d/self")
        try folder.link("d/nowhere", to: "d/missing")
        #expect(try names(look("d/**")) == ["d/x/a.json"])
        try folder.link("d/elsewhere", to: "outside")
        try folder.link("d/linked.json", to: "outside/b.json")
        #expect(try names(look("d/**")) == ["d/x/a.json", "d/elsewhere/b.json"])
        #expect(try names(look("d/elsewhere/*.json")) == ["d/elsewhere/b.json"])
    }

    @Test("a name that is no text is told and not read")
    func noText() throws {
        try fill("d/a.json")
        let path = folder.path("d/").utf8CString.dropLast() + [CChar(bitPattern: 0xff), 0]
        let handle = Array(path).withUnsafeBufferPointer { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
        try #require(handle >= 0 && write(handle, "x\n", 2) == 2 && close(handle) == 0)
        let look = try look("d/**")
        #expect(names(look) == ["d/a.json"])
        #expect(look.remarks == [.nameIsNotText(path: folder.path("d/\u{fffd}"))])
    }

    @Test("more than the limit come in the next looks, in order, and what arrives meanwhile after them")
    func limit() throws {
        try fill("a", "b", "c", "d", "e")
        let collector = ObjectCollector(ObjectSource(patterns: [folder.root]))
        let drops = collector.drops
        #expect(try drops.look(after: collector.state.objects, limit: 2).hasMore)
        #expect(try collector.batch(limit: 2).map(\.key) == [folder.path("a"), folder.path("b")])
        try folder.write("{}\n", "new", second: -5)
        #expect(try collector.batch(limit: 2).map(\.key) == [folder.path("c"), folder.path("d")])
        try folder.remove("e")
        try collector.batch(limit: 2)
        #expect(try collector.batch(limit: 2).map(\.key) == [folder.path("new")])
        #expect(try collector.batch().isEmpty)
        #expect(try !drops.look(after: collector.state.objects, limit: 2).hasMore)
    }

    @Test("an object that vanished since it was listed is passed over")
    func vanished() throws {
        try fill("a", "b")
        let drops = ObjectDrops(source: ObjectSource(patterns: [folder.root]))
        let look = try drops.look(after: ObjectLedger(), limit: 10)
        try folder.remove("a")
        guard case .nothing = try drops.open(look.objects[0]) else { throw Unexpected() }
        #expect(try names(drops.look(after: ObjectLedger(), limit: 10)) == ["b"])
    }

    private struct Unexpected: Error {}
}
