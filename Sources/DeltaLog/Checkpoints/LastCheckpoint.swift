import JSONText

/// The content of `_delta_log/_last_checkpoint`: a hint where the newest checkpoint is, never more than that.
///
/// Source: protocol sections "Last Checkpoint File" and "Last Checkpoint File Schema".
package struct LastCheckpoint: Hashable, Sendable {
    /// Version of the checkpoint.
    package var version: Int64
    /// Number of rows.
    package var size: Int64
    /// Number of files when the checkpoint is in several.
    package var parts: Int64?
    /// Size in bytes.
    package var sizeInBytes: Int64?
    /// Number of `add` rows.
    package var numOfAddFiles: Int64?

    package init(
        version: Int64,
        size: Int64,
        parts: Int64? = nil,
        sizeInBytes: Int64? = nil,
        numOfAddFiles: Int64? = nil
    ) {
        self.version = version
        self.size = size
        self.parts = parts
        self.sizeInBytes = sizeInBytes
        self.numOfAddFiles = numOfAddFiles
    }

    /// Reads the file; unknown members are ignored.
    ///
    /// - Throws: `DeltaLogError` with `malformedLastCheckpoint`: a reader then lists the whole log.
    package init(decoding bytes: some Collection<UInt8>) throws(DeltaLogError) {
        do {
            self = try JSONReader.read(bytes) { try LastCheckpoint(&$0) }
        } catch {
            throw DeltaLogError(
                .malformedLastCheckpoint,
                "_last_checkpoint cannot be read; it is a hint and may be deleted: \(error)"
            )
        }
    }

    private init(_ reader: inout JSONReader) throws {
        var version: Int64?
        var size: Int64?
        var parts: Int64?
        var sizeInBytes: Int64?
        var numOfAddFiles: Int64?
        try reader.object { reader, name in
            switch name {
            case "version": version = try reader.integer()
            case "size": size = try reader.integer()
            case "parts": parts = try reader.optional { try $0.integer() }
            case "sizeInBytes": sizeInBytes = try reader.optional { try $0.integer() }
            case "numOfAddFiles": numOfAddFiles = try reader.optional { try $0.integer() }
            default: try reader.skip()
            }
        }
        self.init(
            version: try version.member("version"),
            size: try size.member("size"),
            parts: parts,
            sizeInBytes: sizeInBytes,
            numOfAddFiles: numOfAddFiles
        )
    }

    /// The content of the file, UTF-8.
    package var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("version", version)
            writer.member("size", size)
            writer.member("parts", parts)
            writer.member("sizeInBytes", sizeInBytes)
            writer.member("numOfAddFiles", numOfAddFiles)
        }
        return writer.bytes
    }
}
