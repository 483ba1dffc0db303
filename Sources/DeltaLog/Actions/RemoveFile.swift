import JSONText

/// The `remove` action: a data file that belongs to the table no more; kept as a tombstone until it expires.
///
/// Source: protocol section "Add File and Remove File".
package struct RemoveFile: Hashable, Sendable {
    /// Where the file lies.
    package var path: DataFilePath
    /// Time of the removal in milliseconds since 1970; nil counts as 1970.
    package var deletionTimestamp: Int64?
    /// False when the same commit adds files that hold the same rows.
    package var dataChange: Bool
    /// Whether the fields below are given.
    package var extendedFileMetadata: Bool?
    /// Partition value by column name; nil is null.
    package var partitionValues: [String: String?]?
    /// Size in bytes.
    package var size: Int64?
    /// What writers keep about the file.
    package var tags: [String: String?]?

    package init(
        path: DataFilePath,
        deletionTimestamp: Int64?,
        dataChange: Bool,
        extendedFileMetadata: Bool? = nil,
        partitionValues: [String: String?]? = nil,
        size: Int64? = nil,
        tags: [String: String?]? = nil
    ) {
        self.path = path
        self.deletionTimestamp = deletionTimestamp
        self.dataChange = dataChange
        self.extendedFileMetadata = extendedFileMetadata
        self.partitionValues = partitionValues
        self.size = size
        self.tags = tags
    }
}

extension RemoveFile {
    init(_ reader: inout JSONReader) throws {
        var path: DataFilePath?
        var deletionTimestamp: Int64?
        var dataChange: Bool?
        var extendedFileMetadata: Bool?
        var partitionValues: [String: String?]?
        var size: Int64?
        var tags: [String: String?]?
        try reader.object { reader, name in
            switch name {
            case "path": path = try DataFilePath(encoded: reader.string())
            case "deletionTimestamp": deletionTimestamp = try reader.optional { try $0.integer() }
            case "dataChange": dataChange = try reader.boolean()
            case "extendedFileMetadata": extendedFileMetadata = try reader.optional { try $0.boolean() }
            case "partitionValues": partitionValues = try reader.optional { try $0.map() }
            case "size": size = try reader.optional { try $0.integer() }
            case "tags": tags = try reader.optional { try $0.map() }
            default: try reader.skip()
            }
        }
        self.init(
            path: try path.member("path"),
            deletionTimestamp: deletionTimestamp,
            dataChange: try dataChange.member("dataChange"),
            extendedFileMetadata: extendedFileMetadata,
            partitionValues: partitionValues,
            size: size,
            tags: tags
        )
    }
}

extension JSONWriter {
    mutating func value(_ action: RemoveFile) {
        object { writer in
            writer.member("path", action.path.encoded)
            writer.member("deletionTimestamp", action.deletionTimestamp)
            writer.member("dataChange", action.dataChange)
            writer.member("extendedFileMetadata", action.extendedFileMetadata)
            writer.member("partitionValues", action.partitionValues)
            writer.member("size", action.size)
            writer.member("tags", action.tags)
        }
    }
}
