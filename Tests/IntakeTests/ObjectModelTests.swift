import BatchProtocol
import Foundation
import Intake
import SeededRandom
import Testing

/// Objects are delivered, overwritten and replaced at random while they are read: every line comes once, or is told.
@Suite struct ObjectModelTests {
    /// What lies in the folder, by key.
    private final class Model {
        let folder: LogFolder
        var random: SeededGenerator
        var texts: [String: String] = [:]
        let names: [String]
        private var count = 0

        init(_ folder: LogFolder, seed: UInt64) throws {
            self.folder = folder
            random = SeededGenerator(seed: seed)
            names = ["w=0/d=1/a.json", "w=0/d=1/b.json", "w=0/d=2/c.json", "w=1/d=2/d.json.gz", "e.json.zst"]
            for path in ["w=0/d=1", "w=0/d=2", "w=1/d=2"] { try folder.makeFolder(path) }
        }

        private func newLines() -> String {
            // Some are so long that an object has several pieces.
            let length = Int.random(in: 0..<20, using: &random) == 0 ? 300_000 : 20
            var text = ""
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                count += 1
                text += "{\"line\":\(count),\"x\":\"\(String(repeating: "x", count: length))\"}\n"
            }
            if Int.random(in: 0..<4, using: &random) == 0 { text.removeLast() }
            return text
        }

        /// Something happens to one object; with `keepsLines`, nothing that was there is lost.
        func step(keepsLines: Bool) throws {
            let name = names.randomElement(using: &random) ?? ""
            let old = texts[name] ?? ""
            let isChange = !keepsLines && Int.random(in: 0..<4, using: &random) == 0
            var text = isChange ? String(old.prefix(old.count / 2)) : old
            if !text.isEmpty, !isChange, !text.hasSuffix("\n") { text += "\n" }
            if isChange, let newline = text.lastIndex(of: "\n") { text = String(text[...newline]) }
            if Int.random(in: 0..<5, using: &random) > 0 || text.isEmpty { text += newLines() }
            texts[name] = text
            try store(text, old: old, name, isChange: isChange)
        }

        private func store(_ text: String, old: String, _ name: String, isChange: Bool) throws {
            let bytes = Data(text.utf8)
            if name.hasSuffix(".gz") {
                return try folder.write(bytes: LogFolder.compressed(bytes, "gzip"), name)
            }
            if name.hasSuffix(".zst") {
                return try folder.write(bytes: LogFolder.compressed(bytes, "zstd"), name)
            }
            switch Int.random(in: 0..<3, using: &random) {
            case 0 where !isChange && !old.isEmpty: try folder.append(String(text.dropFirst(old.count)), name)
            case 1 where !old.isEmpty: try folder.overwrite(name, text)
            default: try folder.write(bytes: bytes, name)
            }
        }

        func lines(_ name: String) -> [String] {
            (texts[name] ?? "").split(separator: "\n").map(String.init)
        }
    }

    /// Lets a model and a collector go on side by side, then reads the rest.
    private func run(_ model: Model, _ collector: ObjectCollector, keepsLines: Bool) throws {
        collector.onRead = { _ in
            guard Int.random(in: 0..<10, using: &model.random) == 0 else { return }
            try model.step(keepsLines: true)
        }
        for _ in 0..<50 {
            switch Int.random(in: 0..<8, using: &model.random) {
            case 0..<4: try model.step(keepsLines: keepsLines)
            case 4: collector.restart()
            case let kind:
                let isLost = kind == 5
                let ranges = try collector.batch(
                    limit: Int.random(in: 1...4, using: &model.random),
                    budget: [50, 500, 500_000, .max].randomElement(using: &model.random) ?? 1,
                    window: [1_000, 100_000, 400_000].randomElement(using: &model.random) ?? 1,
                    isLost: isLost
                )
                // What is lost is read again: the bytes are there as long as no line was lost.
                guard keepsLines else { continue }
                #expect(try ranges.map(collector.again).allSatisfy { $0 != nil })
            }
        }
        collector.onRead = nil
        try collector.drain()
        collector.restart()
        #expect(try collector.batch().isEmpty)
    }

    private func collector(
        _ folder: LogFolder,
        _ onChange: ObjectSource.ChangePolicy,
        seed: UInt64
    ) -> ObjectCollector {
        ObjectCollector(
            ObjectSource(
                patterns: [folder.path("**")],
                verifyPrefix: onChange == .report && seed.isMultiple(of: 2) ? .tail : .full,
                onChange: onChange
            )
        )
    }

    @Test("objects that only grow: every line comes once, in order", arguments: 0..<8)
    func growing(seed: UInt64) throws {
        let folder = try LogFolder()
        let model = try Model(folder, seed: seed)
        let collector = collector(folder, .report, seed: seed)
        try run(model, collector, keepsLines: true)
        for name in model.names {
            let isEqual = collector.lines(folder.path(name)) == model.lines(name)
            #expect(isEqual, "\(name)")
        }
        #expect(collector.changed.isEmpty)
    }

    @Test("objects that lose lines: no line comes twice, and what is missing was told", arguments: 100..<108)
    func changing(seed: UInt64) throws {
        let folder = try LogFolder()
        let model = try Model(folder, seed: seed)
        let collector = collector(folder, .report, seed: seed * 2 + 1)
        try run(model, collector, keepsLines: false)
        for name in model.names {
            let key = folder.path(name)
            let read = collector.lines(key)
            #expect(Set(read).count == read.count)
            let isEqual = read == model.lines(name)
            let isTold = collector.changed.contains(key) && !model.lines(name).starts(with: read)
            #expect(isEqual || isTold, "\(name)")
        }
    }

    @Test("objects that lose lines, read again: what came last is what is there", arguments: 200..<208)
    func corrected(seed: UInt64) throws {
        let folder = try LogFolder()
        let model = try Model(folder, seed: seed)
        let collector = collector(folder, .reingest, seed: seed)
        try run(model, collector, keepsLines: false)
        for name in model.names {
            let key = folder.path(name)
            let expected = model.lines(name)
            let read = collector.lines.filter { $0.key == key }
            let isEqual = read.suffix(expected.count).map(\.line) == expected
            #expect(isEqual, "\(name)")
            // Nothing that is no correction comes twice.
            let plain = read.filter { !$0.isCorrection }.map(\.line)
            #expect(Set(plain).count == plain.count)
        }
        #expect(collector.changed.isEmpty)
    }
}
