import Foundation

/// The logs under `Examples/logs`, written by a real server.
enum ShippedLogs {
    /// The bytes of a file, by its path below that folder.
    static func bytes(_ path: String) throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: root.appending(path: "Examples/logs/\(path)")))
    }

    /// The records of a sound csvlog text, each with its newline.
    static func csvRecords(_ bytes: [UInt8]) -> [[UInt8]] {
        var records: [[UInt8]] = [[]]
        var isQuoted = false
        for byte in bytes {
            records[records.count - 1].append(byte)
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: "\n"), !isQuoted { records.append([]) }
        }
        return records.filter { !$0.isEmpty }
    }
}
