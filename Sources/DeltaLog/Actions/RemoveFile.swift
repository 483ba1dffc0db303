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

extension RemoveFile: Decodable {
    private enum Key: String, CodingKey {
        case path
        case deletionTimestamp
        case dataChange
        case extendedFileMetadata
        case partitionValues
        case size
        case tags
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        path = try DataFilePath(encoded: container.decode(String.self, forKey: .path))
        deletionTimestamp = try container.decodeIfPresent(Int64.self, forKey: .deletionTimestamp)
        dataChange = try container.decode(Bool.self, forKey: .dataChange)
        extendedFileMetadata = try container.decodeIfPresent(Bool.self, forKey: .extendedFileMetadata)
        partitionValues = try container.decodeIfPresent([String: String?].self, forKey: .partitionValues)
        size = try container.decodeIfPresent(Int64.self, forKey: .size)
        tags = try container.decodeIfPresent([String: String?].self, forKey: .tags)
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
