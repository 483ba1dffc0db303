import JSONText

/// What a table's head was when somebody had it open, so that the next one need not replay the log.
///
/// Never trusted alone: it counts only while the log still has the commit that it was taken at, byte for byte.
package struct TableHint: Hashable, Sendable {
    /// The version.
    package var version: Int64
    /// The newest checkpoint that was seen; -1 for none.
    package var checkpointVersion: Int64
    /// Hash of the commit file of that version.
    package var commitHash: UInt64
    /// The actions that make the head, one JSON line each.
    package var actions: String

    package init(version: Int64, checkpointVersion: Int64, commitHash: UInt64, actions: String) {
        self.version = version
        self.checkpointVersion = checkpointVersion
        self.commitHash = commitHash
        self.actions = actions
    }
}

extension TableHint {
    /// Reads the hints of several tables, by name.
    ///
    /// - Returns: nil when the text is damaged: a reader then asks each log.
    package static func decode(_ bytes: [UInt8]) -> [String: TableHint]? {
        try? JSONReader.read(bytes) { reader in try reader.members { try TableHint(&$0) } }
    }

    private init(_ reader: inout JSONReader) throws {
        var version: Int64?
        var checkpointVersion: Int64?
        var commitHash: UInt64?
        var actions: String?
        try reader.object { reader, name in
            switch name {
            case "version": version = try reader.integer()
            case "checkpointVersion": checkpointVersion = try reader.integer()
            case "commitHash": commitHash = UInt64(bitPattern: try reader.integer())
            case "actions": actions = try reader.string()
            default: try reader.skip()
            }
        }
        self.init(
            version: try version.member("version"),
            checkpointVersion: try checkpointVersion.member("checkpointVersion"),
            commitHash: try commitHash.member("commitHash"),
            actions: try actions.member("actions")
        )
    }

    /// The text that ``decode(_:)`` reads, UTF-8; equal hints give equal bytes.
    package static func encode(_ hints: [String: TableHint]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for (name, hint) in hints.sorted(by: { utf8Precedes($0.key, $1.key) }) {
                writer.key(name)
                writer.object { writer in
                    writer.member("version", hint.version)
                    writer.member("checkpointVersion", hint.checkpointVersion)
                    writer.member("commitHash", Int64(bitPattern: hint.commitHash))
                    writer.member("actions", hint.actions)
                }
            }
        }
        return writer.bytes
    }
}
