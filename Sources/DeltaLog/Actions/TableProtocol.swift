import JSONText

/// The `protocol` action: what a client must know to read and to write the table.
///
/// Source: protocol section "Protocol Evolution".
package struct TableProtocol: Hashable, Sendable {
    /// The newest reader version this library knows.
    package static let supportedReaderVersion: Int64 = 1
    /// The newest writer version this library knows.
    package static let supportedWriterVersion: Int64 = 2
    /// The protocol of tables that this library creates.
    package static let current = TableProtocol(
        minReaderVersion: supportedReaderVersion,
        minWriterVersion: supportedWriterVersion
    )

    /// Oldest reader version that may read the table.
    package var minReaderVersion: Int64
    /// Oldest writer version that may write the table.
    package var minWriterVersion: Int64
    /// Features a reader must know; only with reader version 3.
    package var readerFeatures: [String]?
    /// Features a writer must know; only with writer version 7.
    package var writerFeatures: [String]?

    package init(
        minReaderVersion: Int64,
        minWriterVersion: Int64,
        readerFeatures: [String]? = nil,
        writerFeatures: [String]? = nil
    ) {
        self.minReaderVersion = minReaderVersion
        self.minWriterVersion = minWriterVersion
        self.readerFeatures = readerFeatures
        self.writerFeatures = writerFeatures
    }

    /// Makes sure that this library may read the table.
    ///
    /// - Parameter version: Table version that carries the action, for the error.
    /// - Throws: `DeltaLogError` with `unsupportedReader`.
    package func requireReadable(version: Int64? = nil) throws(DeltaLogError) {
        guard minReaderVersion > Self.supportedReaderVersion else { return }
        throw DeltaLogError(
            .unsupportedReader,
            "the table asks for reader version \(minReaderVersion)\(Self.list(readerFeatures)), "
                + "this program reads version \(Self.supportedReaderVersion); upgrade auditlake, or drop the "
                + "features in the tool that added them (ALTER TABLE … DROP FEATURE)",
            version: version
        )
    }

    /// Makes sure that this library may write the table.
    ///
    /// - Parameter version: Table version that carries the action, for the error.
    /// - Throws: `DeltaLogError` with `unsupportedReader` or `unsupportedWriter`.
    package func requireWritable(version: Int64? = nil) throws(DeltaLogError) {
        try requireReadable(version: version)
        guard minWriterVersion > Self.supportedWriterVersion else { return }
        throw DeltaLogError(
            .unsupportedWriter,
            "the table asks for writer version \(minWriterVersion)\(Self.list(writerFeatures)), "
                + "this program writes version \(Self.supportedWriterVersion); upgrade auditlake, or drop the "
                + "features in the tool that added them (ALTER TABLE … DROP FEATURE)",
            version: version
        )
    }

    private static func list(_ features: [String]?) -> String {
        guard let features, !features.isEmpty else { return "" }
        return " (\(features.joined(separator: ", ")))"
    }
}

extension TableProtocol {
    init(_ reader: inout JSONReader) throws {
        var minReaderVersion: Int64?
        var minWriterVersion: Int64?
        var readerFeatures: [String]?
        var writerFeatures: [String]?
        try reader.object { reader, name in
            switch name {
            case "minReaderVersion": minReaderVersion = try reader.integer()
            case "minWriterVersion": minWriterVersion = try reader.integer()
            case "readerFeatures":
                readerFeatures = try reader.optional { try $0.elements { try $0.string() } }
            case "writerFeatures":
                writerFeatures = try reader.optional { try $0.elements { try $0.string() } }
            default: try reader.skip()
            }
        }
        self.init(
            minReaderVersion: try minReaderVersion.member("minReaderVersion"),
            minWriterVersion: try minWriterVersion.member("minWriterVersion"),
            readerFeatures: readerFeatures,
            writerFeatures: writerFeatures
        )
    }
}

extension JSONWriter {
    mutating func value(_ action: TableProtocol) {
        object { writer in
            writer.member("minReaderVersion", action.minReaderVersion)
            writer.member("minWriterVersion", action.minWriterVersion)
            if let features = action.readerFeatures {
                writer.member("readerFeatures", features)
            }
            if let features = action.writerFeatures {
                writer.member("writerFeatures", features)
            }
        }
    }
}
