import JSONText

/// The `add` action: a data file that belongs to the table from this version on.
///
/// Source: protocol section "Add File and Remove File".
package struct AddFile: Hashable, Sendable {
    /// Where the file lies.
    package var path: DataFilePath
    /// Partition value by column name, serialized as in section "Partition Value Serialization"; nil is null.
    package var partitionValues: [String: String?]
    /// Size in bytes.
    package var size: Int64
    /// Time of creation in milliseconds since 1970.
    package var modificationTime: Int64
    /// False when the rows were in the table before, in files this commit removes.
    package var dataChange: Bool
    /// Statistics as a JSON text; ``FileStatistics`` makes it.
    package var stats: String?
    /// What writers keep about the file.
    package var tags: [String: String?]?

    package init(
        path: DataFilePath,
        partitionValues: [String: String?] = [:],
        size: Int64,
        modificationTime: Int64,
        dataChange: Bool,
        stats: String? = nil,
        tags: [String: String?]? = nil
    ) {
        self.path = path
        self.partitionValues = partitionValues
        self.size = size
        self.modificationTime = modificationTime
        self.dataChange = dataChange
        self.stats = stats
        self.tags = tags
    }

    /// The `remove` action that takes this file out of the table.
    ///
    /// - Parameters:
    ///   - deletionTimestamp: Time of the removal in milliseconds since 1970.
    ///   - dataChange: False when the same commit adds files that hold the same rows.
    /// - Returns: The action, with extended file metadata.
    package func removed(deletionTimestamp: Int64, dataChange: Bool) -> RemoveFile {
        RemoveFile(
            path: path,
            deletionTimestamp: deletionTimestamp,
            dataChange: dataChange,
            extendedFileMetadata: true,
            partitionValues: partitionValues,
            size: size,
            tags: tags
        )
    }
}

extension AddFile {
    init(_ reader: inout JSONReader) throws {
        var path: DataFilePath?
        var partitionValues: [String: String?]?
        var size: Int64?
        var modificationTime: Int64?
        var dataChange: Bool?
        var stats: String?
        var tags: [String: String?]?
        try reader.object { reader, name in
            switch name {
            case "path": path = try DataFilePath(encoded: reader.string())
            case "partitionValues": partitionValues = try reader.map()
            case "size": size = try reader.integer()
            case "modificationTime": modificationTime = try reader.integer()
            case "dataChange": dataChange = try reader.boolean()
            case "stats": stats = try reader.optional { try $0.string() }
            case "tags": tags = try reader.optional { try $0.map() }
            default: try reader.skip()
            }
        }
        self.init(
            path: try path.member("path"),
            partitionValues: try partitionValues.member("partitionValues"),
            size: try size.member("size"),
            modificationTime: try modificationTime.member("modificationTime"),
            dataChange: try dataChange.member("dataChange"),
            stats: stats,
            tags: tags
        )
    }
}

extension JSONWriter {
    mutating func value(_ action: AddFile) {
        object { writer in
            writer.member("path", action.path.encoded)
            writer.member("partitionValues", action.partitionValues)
            writer.member("size", action.size)
            writer.member("modificationTime", action.modificationTime)
            writer.member("dataChange", action.dataChange)
            writer.member("stats", action.stats)
            writer.member("tags", action.tags)
        }
    }
}
