import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

/// A temporary folder of log files, changed in the ways that servers and rotation tools do.
final class LogFolder {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(
        "intake-\(UUID().uuidString)"
    ).path
    /// Seconds of the next write; each is later than the ones before.
    private var second = 1_700_000_000

    init() throws {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    /// Lines that differ from file to file and are longer than the hashed part.
    static func lines(_ name: String, _ count: Int = 200) -> String {
        (0..<count).map { "\($0),\(name),a line of the log that goes on for a while\n" }.joined()
    }

    /// Gives a file the time of the next second, or of one that is told.
    func touch(_ name: String, second wanted: Int? = nil) throws {
        second += 1
        let time = timespec(tv_sec: wanted.map { 1_700_000_000 + $0 } ?? second, tv_nsec: 0)
        try #require(utimensat(AT_FDCWD, path(name), [time, time], 0) == 0)
    }

    /// Writes a new file; one of this name is unlinked first.
    func write(_ text: String, _ name: String, second: Int? = nil) throws {
        try write(bytes: Data(text.utf8), name, second: second)
    }

    func write(bytes: Data, _ name: String, second: Int? = nil) throws {
        try? remove(name)
        try bytes.write(to: URL(filePath: path(name)))
        try touch(name, second: second)
    }

    /// Changes a file without giving it another inode.
    func overwrite(_ name: String, _ text: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
        try touch(name)
    }

    func append(_ text: String, _ name: String) throws { try append(bytes: Data(text.utf8), name) }

    func append(bytes: Data, _ name: String) throws {
        if !FileManager.default.fileExists(atPath: path(name)) {
            try Data().write(to: URL(filePath: path(name)))
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: path(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: bytes)
        try handle.close()
        try touch(name)
    }

    /// Renames; the time of the file stays.
    func move(_ name: String, _ target: String) throws {
        try #require(rename(path(name), path(target)) == 0)
    }

    /// Copies the first bytes of a file, or all, into a new one.
    func copy(_ name: String, _ target: String, upTo count: Int? = nil) throws {
        let bytes = try data(name)
        try write(bytes: bytes.prefix(count ?? bytes.count), target)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: path(target))
    }

    // MARK: Compression

    /// What gzip or zstd make of some bytes.
    static func compressed(_ bytes: Data, _ tool: String) throws -> Data {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        let suffix = tool == "gzip" ? ".gz" : ".zst"
        try bytes.write(to: URL(filePath: path))
        defer {
            unlink(path)
            unlink(path + suffix)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(tool), strdup("-qk"), strdup(path), nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        try #require(posix_spawnp(&process, tool, nil, nil, &arguments, environ) == 0)
        var status: Int32 = 0
        try #require(waitpid(process, &status, 0) == process && status == 0)
        return try Data(contentsOf: URL(filePath: path + suffix))
    }

    /// Compresses a file as the tools do: the time stays, the plain file goes.
    func compress(_ name: String, suffix: String = ".gz", keepsPlain: Bool = false) throws {
        let time = try #require(try PosixFileSystem().status(path(name))).modified / 1_000_000
        let tool = suffix == ".gz" ? "gzip" : "zstd"
        let bytes = try Self.compressed(data(name), tool)
        try write(bytes: bytes, name + suffix, second: Int(time) - 1_700_000_000)
        if !keepsPlain { try remove(name) }
    }
}

/// A tailer as a pipeline is: looks, reads what is unread, and remembers it in the state alone.
final class Tailer {
    let folder: LogFolder
    let patterns: [String]
    let currentLogfiles: String?
    let spool: String?
    private(set) var files: TailedFiles
    private(set) var state = ShardState()
    /// What was read, in order of reading.
    private(set) var collected: [UInt8] = []
    /// The same by tracked file.
    private(set) var streams: [String: [UInt8]] = [:]
    private var batch: UInt64 = 0
    private let clock: () -> Int64

    /// With a clock that stands in the future, all files count as changed long ago.
    init(
        _ folder: LogFolder,
        _ patterns: [String],
        currentLogfiles: String? = nil,
        spool: String? = nil,
        clock: @escaping () -> Int64 = TailedFiles.kernelClock
    ) {
        self.clock = clock
        self.folder = folder
        self.patterns = patterns.map(folder.path)
        self.currentLogfiles = currentLogfiles.map(folder.path)
        self.spool = spool.map(folder.path)
        files = TailedFiles(source: TailedFileSource(patterns: [], host: ""))
        restart()
    }

    /// Begins anew with nothing but the state.
    func restart() {
        var source = TailedFileSource(patterns: patterns, host: "pg1", currentLogfiles: currentLogfiles)
        source.spool = spool
        files = TailedFiles(source: source, clock: clock)
    }

    /// Keeps in mind that a file was read.
    func track(_ tracked: TrackedFile...) { state = ShardState(files: state.files + tracked) }

    func look(for seen: [TrackedFile] = []) throws -> Look { try files.look(after: state, for: seen) }

    /// Unread files: name, id of the tracked file, first unread byte and count, `closed` when it is.
    func unread() throws -> [String] {
        try look().files.map { file in
            let name = file.found.path.dropFirst(folder.root.count + 1)
            let id = file.tracked?.id ?? "new"
            return "\(name) \(id) \(file.offset)+\(file.unreadByteCount)\(file.isClosed ? " closed" : "")"
        }
    }

    /// Looks and reads what is there, at most so many bytes of each file.
    ///
    /// - Returns: The bytes read.
    @discardableResult
    func read(atMost limit: Int = .max) throws -> String {
        let look = try look()
        var plan = BatchPlan(
            pipeline: "",
            appID: "",
            batch: batch + 1,
            plannedAt: 0,
            parserVersion: 1,
            stateSnapshot: 0,
            ranges: [],
            tables: []
        )
        let before = collected.count
        for file in look.files {
            guard let reader = try file.open() else { continue }
            let wanted = min(Int(file.unreadByteCount), limit)
            var bytes = [UInt8](repeating: 0, count: wanted)
            let count = try bytes.withUnsafeMutableBytes { try reader.read(at: file.offset, into: $0) }
            guard count > 0 else { continue }
            let id = file.tracked?.id ?? "\(batch + 1)-\(plan.ranges.count)"
            let end = file.offset + UInt64(count)
            let tracked = try reader.track(id: id, host: "pg1", upTo: end)
            guard try file.isIntact(reader) else { continue }
            collected += bytes[..<count]
            streams[id, default: []] += bytes[..<count]
            plan.ranges.append(SourceRange(file: tracked, from: file.offset, hash: ""))
        }
        for copy in look.finishedCopies {
            guard let reader = try copy.open() else { continue }
            let id = "\(batch + 1)-\(plan.ranges.count)"
            let tracked = try reader.track(id: id, host: "pg1", upTo: copy.found.byteCount)
            plan.ranges.append(SourceRange(file: tracked, from: tracked.offset, hash: ""))
        }
        if !plan.ranges.isEmpty {
            batch += 1
            state.apply(plan)
        }
        return String(decoding: collected[before...], as: UTF8.self)
    }
}
