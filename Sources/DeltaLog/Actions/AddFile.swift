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

extension AddFile: Decodable {
    private enum Key: String, CodingKey {
        case path
        case partitionValues
        case size
        case modificationTime
        case dataChange
        case stats
        case tags
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        path = try DataFilePath(encoded: container.decode(String.self, forKey: .path))
        partitionValues = try container.decode([String: String?].self, forKey: .partitionValues)
        size = try container.decode(Int64.self, forKey: .size)
        modificationTime = try container.decode(Int64.self, forKey: .modificationTime)
        dataChange = try container.decode(Bool.self, forKey: .dataChange)
        stats = try container.decodeIfPresent(String.self, forKey: .stats)
        tags = try container.decodeIfPresent([String: String?].self, forKey: .tags)
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
