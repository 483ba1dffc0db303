import Foundation
import Intake
import SeededRandom
import Testing

/// A writer that rotates by random schemes, a tailer that looks, reads and begins anew at random: each line is read once.
@Suite struct RotationModelTests {
    @Test("every line once, whatever the order of events", arguments: UInt64(0)..<40)
    func everyLineOnce(seed: UInt64) throws {
        let folder = try LogFolder()
        var model = RotationModel(folder, seed: seed)
        for _ in 0..<60 { try model.step() }
        try model.drain()
        #expect(model.faults == [], "\(model.events.joined(separator: "\n"))")
    }
}

/// The writer, the rotation tools and the tailer, driven by one generator.
private struct RotationModel {
    private let folder: LogFolder
    private let tailer: Tailer
    private var random: SeededGenerator
    private let hasEqualFirstLines: Bool
    private(set) var written: [String] = []
    /// What happened, to follow a failure.
    private(set) var events: [String] = []
    private var live = "0.csv"
    /// Rotated plain files.
    private var rotated: [String] = []
    private var compressed: [String] = []
    private var fileCount = 0
    private var lineCount = 0

    init(_ folder: LogFolder, seed: UInt64) {
        self.folder = folder
        random = SeededGenerator(seed: seed)
        hasEqualFirstLines = seed % 3 == 0
        // Every other run takes all files as changed long ago.
        let clock = seed % 2 == 0 ? Self.farFuture : TailedFiles.kernelClock
        tailer = Tailer(folder, ["*.csv", "*.csv.[0-9]*"], clock: clock)
    }

    private static func farFuture() -> Int64 { .max }

    /// Lines that were read more or less often than they were written.
    var faults: [String] {
        var counts: [Substring: Int] = [:]
        for line in written { counts[line[...], default: 0] -= 1 }
        for stream in tailer.streams.values {
            for line in String(decoding: stream, as: UTF8.self).split(separator: "\n") {
                counts[line, default: 0] += 1
            }
        }
        return counts.filter { $0.value != 0 }.map { "\($0.key): \($0.value)" }.sorted()
    }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &random) == 0 }

    private mutating func name(_ end: String) -> String {
        fileCount += 1
        return "\(fileCount).csv\(end)"
    }

    // MARK: Steps

    mutating func step() throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: try append(live)
        case 4: try rotateToNewName()
        case 5: try rotateByRename()
        case 6: try rotateByCopy()
        case 7: try compress()
        case 8: try removeOrTruncate()
        default: break
        }
        try tail()
        if rotated.count + compressed.count > 10 { try removeOrTruncate() }
    }

    mutating func drain() throws {
        while try !tailer.read().isEmpty {}
    }

    /// Looks and reads, or begins anew, or does nothing.
    private mutating func tail(mayRestart: Bool = true) throws {
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where mayRestart:
            events.append("restart")
            tailer.restart()
        case 1:
            events.append("look \(try tailer.unread())")
        case 2, 3:
            let limit = Int.random(in: 1...9_000, using: &random)
            events.append("read \(limit) of \(try tailer.unread())")
            try tailer.read(atMost: limit)
        case 4:
            events.append("read \(try tailer.unread())")
            try tailer.read()
        default: break
        }
    }

    // MARK: Writing

    private mutating func append(_ name: String) throws {
        let isNew = try !exists(name)
        var lines: [String] = isNew && hasEqualFirstLines ? ["the same first line"] : []
        let count =
            chance(3) ? Int.random(in: 50...300, using: &random) : Int.random(in: 1...4, using: &random)
        for _ in 0..<count {
            lineCount += 1
            lines.append("line \(lineCount) \(String(repeating: "x", count: lineCount % 60))")
        }
        written += lines
        events.append("append \(lines.count) to \(name), up to line \(lineCount)")
        try folder.append(lines.map { $0 + "\n" }.joined(), name)
    }

    // MARK: Rotating

    private mutating func rotateToNewName() throws {
        guard try exists(live) else { return }
        rotated.append(live)
        live = name("")
        try append(live)
    }

    private mutating func rotateByRename() throws {
        guard try exists(live) else { return }
        let target = name(".1")
        try folder.move(live, target)
        events.append("move \(live) \(target)")
        rotated.append(target)
        try tail()
        if chance(2) { try append(target) }
        try tail()
        try folder.write("", live)
    }

    private mutating func rotateByCopy() throws {
        guard try exists(live) else { return }
        let target = name(".1")
        if chance(2) {
            let count = Int.random(in: 0...4_000, using: &random)
            events.append("copy \(count) of \(live) \(target)")
            try folder.copy(live, target, upTo: count)
            try tail()
        }
        try folder.copy(live, target)
        events.append("copy \(live) \(target)")
        try tail()
        var hasShortCopy = false
        if chance(2) {
            // What the copy lacks is lost unless it was read. A short copy is known only while the tailer runs.
            hasShortCopy = try folder.data(live).count < TailedFileSource.hashedByteCount
            try append(live)
            events.append("read all \(try tailer.unread())")
            try drain()
            try tail(mayRestart: !hasShortCopy)
        }
        try folder.overwrite(live, "")
        events.append("truncate \(live)")
        rotated.append(target)
        if hasShortCopy { try tailer.read() }
        if chance(2) { try append(live) }
    }

    private mutating func compress() throws {
        guard !rotated.isEmpty else { return }
        let name = rotated.remove(at: Int.random(in: 0..<rotated.count, using: &random))
        let suffix = [".gz", ".zst", ".zstd"][Int.random(in: 0..<3, using: &random)]
        guard try exists(name) else { return }
        try folder.compress(name, suffix: suffix, keepsPlain: true)
        events.append("compress \(name) \(suffix)")
        let whole = try folder.data(name + suffix)
        try folder.write(bytes: whole.prefix(Int.random(in: 0..<whole.count, using: &random)), name + suffix)
        try tail()
        try folder.write(bytes: whole, name + suffix)
        try tail()
        try folder.remove(name)
        events.append("compressed \(name)")
        compressed.append(name + suffix)
    }

    /// What was not read would be lost: it is read first, or was seen and is still open.
    private mutating func removeOrTruncate() throws {
        if !compressed.isEmpty, chance(2) {
            try drain()
            events.append("read all, remove \(compressed[0])")
            return try folder.remove(compressed.removeFirst())
        }
        guard !rotated.isEmpty else { return }
        let name = rotated.removeFirst()
        guard try exists(name) else { return }
        if chance(2) {
            events.append("look \(try tailer.unread()), remove \(name), read all")
            try folder.remove(name)
            try drain()
        } else {
            try drain()
            events.append("read all, truncate \(name)")
            try folder.overwrite(name, "")
            try append(name)
            rotated.append(name)
        }
    }

    /// Whether a file is there and not empty.
    private func exists(_ name: String) throws -> Bool {
        guard FileManager.default.fileExists(atPath: folder.path(name)) else { return false }
        return try !folder.data(name).isEmpty
    }
}
