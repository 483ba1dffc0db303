import Glibc
import ObjectStorage

/// The log files that a server says it is writing, by its file `current_logfiles`.
///
/// One line for each: `csvlog log/postgresql.csv`; a relative path counts from the data directory, where the file lies.
/// <https://www.postgresql.org/docs/current/runtime-config-logging.html>
struct CurrentLogfiles {
    /// Absolute paths of the csvlog and jsonlog files that are being written.
    private(set) var paths: [String] = []
    /// The patterns of the files beside them; those of the last time when the file is gone or half written.
    private(set) var patterns: [String] = []
    private var status: LogFileStatus?
    private var isUsable = false

    /// Brings it up to date; the file is read only when it has changed.
    ///
    /// - Returns: false when it is missing, cut, or names no log that can be read. What it names until then is kept.
    /// - Throws: `StorageError` when it may not be read.
    mutating func refresh(_ path: String) throws -> Bool {
        guard let now = try LogFileStatus.at(path), let reader = try FileReader.openIfThere(path) else {
            status = nil
            isUsable = false
            return false
        }
        guard now != status else { return isUsable }
        status = now
        let bytes = try reader.bytes(at: 0, count: Int(min(now.byteCount, 1 << 16)))
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let named = Self.parse(String(decoding: bytes, as: UTF8.self), folder: folder)
        isUsable = !named.isEmpty
        guard isUsable else { return false }
        paths = named.map(\.path)
        patterns = []
        for name in named {
            let slash = name.path.lastIndex(of: "/") ?? name.path.startIndex
            let pattern = "\(name.path[..<slash])/*.\(name.isJSON ? "json" : "csv")"
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
        return true
    }

    /// Its whole lines that name a csvlog or jsonlog file.
    static func parse(_ text: String, folder: String) -> [(path: String, isJSON: Bool)] {
        var named: [(path: String, isJSON: Bool)] = []
        // A last line without its end is half written.
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            guard let space = line.firstIndex(of: " ") else { continue }
            let path = line[line.index(after: space)...]
            guard !path.isEmpty, ["csvlog", "jsonlog"].contains(line[..<space]) else { continue }
            named.append((path.hasPrefix("/") ? String(path) : "\(folder)/\(path)", line.hasPrefix("json")))
        }
        return named
    }
}
