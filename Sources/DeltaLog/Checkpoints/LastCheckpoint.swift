import FoundationEssentials

/// The content of `_delta_log/_last_checkpoint`: a hint where the newest checkpoint is, never more than that.
///
/// Source: protocol sections "Last Checkpoint File" and "Last Checkpoint File Schema".
package struct LastCheckpoint: Hashable, Sendable, Decodable {
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
            self = try JSONDecoder().decode(LastCheckpoint.self, from: Data(bytes))
        } catch {
            throw DeltaLogError(
                .malformedLastCheckpoint,
                "_last_checkpoint cannot be read; it is a hint and may be deleted: \(error)"
            )
        }
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
