/// The name of a file in `_delta_log`.
///
/// Source: protocol sections "Delta Log Entries" and "Checkpoint Naming Scheme".
package enum LogFileName: Hashable, Sendable {
    /// The commit of a version: `<version>.json`.
    case commit(version: Int64)
    /// A checkpoint in one file: `<version>.checkpoint.parquet`.
    case checkpoint(version: Int64)
    /// One file of a checkpoint in several, from 1: `<version>.checkpoint.<part>.<parts>.parquet`.
    case checkpointPart(version: Int64, part: Int64, parts: Int64)
    /// Checksum of a version: `<version>.crc`.
    case checksum(version: Int64)
    /// The hint: `_last_checkpoint`.
    case lastCheckpoint

    /// Folder of the log below the table's root.
    package static let folder = "_delta_log"

    /// Reads a name without its folder; nil for any other file.
    package init?(_ name: some StringProtocol) {
        if name == "_last_checkpoint" {
            self = .lastCheckpoint
            return
        }
        let parts = String(name).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let version = Self.number(parts[0], digits: 20) else { return nil }
        switch Array(parts[1...]) {
        case ["json"]: self = .commit(version: version)
        case ["crc"]: self = .checksum(version: version)
        case ["checkpoint", "parquet"]: self = .checkpoint(version: version)
        case let rest where rest.count == 4 && rest[0] == "checkpoint" && rest[3] == "parquet":
            guard let part = Self.number(rest[1], digits: 10), let count = Self.number(rest[2], digits: 10),
                1...max(count, 1) ~= part
            else { return nil }
            self = .checkpointPart(version: version, part: part, parts: count)
        default: return nil
        }
    }

    /// The name without its folder.
    package var name: String {
        switch self {
        case .commit(let version): padded(version, 20) + ".json"
        case .checkpoint(let version): padded(version, 20) + ".checkpoint.parquet"
        case .checkpointPart(let version, let part, let parts):
            padded(version, 20) + ".checkpoint." + padded(part, 10) + "." + padded(parts, 10) + ".parquet"
        case .checksum(let version): padded(version, 20) + ".crc"
        case .lastCheckpoint: "_last_checkpoint"
        }
    }

    /// The path below the table's root.
    package var path: String {
        Self.folder + "/" + name
    }

    /// Version in the name, unless it is the hint.
    package var version: Int64? {
        switch self {
        case .commit(let version), .checkpoint(let version), .checkpointPart(let version, _, _),
            .checksum(let version):
            version
        case .lastCheckpoint: nil
        }
    }

    private static func number(_ text: some StringProtocol, digits: Int) -> Int64? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int64(text)
    }
}
