import CSimdJSON

/// What a log file of PostgreSQL holds.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// Records as CSV, of several lines (`log_destination = csvlog`).
    case csvlog
    /// Records as JSON, one a line (`log_destination = jsonlog`), also as CloudWatch Logs wraps them.
    case jsonlog
    /// What the log collector writes on its own account: no records.
    case collector

    /// Whether this machine can read the format: jsonlog needs simdjson's library, which is opened by the first reader.
    package var isReadable: Bool { self != .jsonlog || Self.hasJSONLibrary }

    private static let hasJSONLibrary: Bool = {
        guard let parser = sj_parser_create() else { return false }
        sj_parser_destroy(parser)
        return true
    }()

    /// Tells the format of a file.
    ///
    /// The name decides when it has an ending of a format, below those of compression and rotation (`.csv.1.gz`,
    /// `.json-20261121`); else the first bytes do.
    ///
    /// - Parameters:
    ///   - path: The file's path or the object's key.
    ///   - head: Its first bytes, decompressed; 64 are enough.
    /// - Returns: The format; csvlog when nothing says otherwise.
    package static func detect(path: String, head: UnsafeRawBufferPointer) -> LogFormat {
        if let named = named(path) { return named }
        return head.first == UInt8(ascii: "{") || ExportedLine.prefixLength(head) > 0 ? .jsonlog : .csvlog
    }

    /// The format that a path's ending names; nil when it names none.
    package static func named(_ path: String) -> LogFormat? {
        var name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
        while true {
            guard let ending = name.lastIndex(where: { $0 == "." || $0 == "-" }) else { return nil }
            let word = name[name.index(after: ending)...]
            let isDotted = name[ending] == "."
            switch word {
            case "csv" where isDotted: return .csvlog
            case "json" where isDotted, "ndjson" where isDotted, "jsonl" where isDotted: return .jsonlog
            case "log" where isDotted: return .collector
            case "gz" where isDotted, "zst" where isDotted, "zstd" where isDotted, "old" where isDotted: break
            default: guard isRotation(word) else { return nil }
            }
            name = String(name[..<ending])
        }
    }

    /// What rotation appends: a number, a date, `20261121-1795000000`, `20261121_082336`.
    private static func isRotation(_ word: Substring) -> Bool {
        !word.isEmpty && word.allSatisfy { $0.isASCII && $0.isNumber || $0 == "_" }
    }
}
