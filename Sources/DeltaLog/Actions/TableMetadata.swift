import JSONText

/// The `metaData` action: identity, schema, partitioning and properties of the table.
///
/// Source: protocol section "Change Metadata".
package struct TableMetadata: Hashable, Sendable {
    /// How data files are encoded.
    package struct Format: Hashable, Sendable {
        /// Parquet, the only format of the protocol.
        package static let parquet = Format(provider: "parquet", options: [:])

        /// Name of the encoding.
        package var provider: String
        /// Options of the encoding.
        package var options: [String: String]

        package init(provider: String, options: [String: String]) {
            self.provider = provider
            self.options = options
        }
    }

    /// Identity of the table, a uuid.
    package var id: String
    /// Name for people.
    package var name: String?
    /// Description for people.
    package var comment: String?
    /// Encoding of the data files.
    package var format: Format
    /// The schema as it stands in the log; ``schema()`` reads it.
    package var schemaString: String
    /// Partition columns, outermost first.
    package var partitionColumns: [String]
    /// Table properties.
    package var configuration: [String: String]
    /// Time of creation in milliseconds since 1970.
    package var createdTime: Int64?

    package init(
        id: String,
        name: String? = nil,
        comment: String? = nil,
        schema: TableSchema,
        partitionColumns: [String] = [],
        configuration: [String: String] = [:],
        createdTime: Int64?
    ) {
        self.id = id
        self.name = name
        self.comment = comment
        format = .parquet
        schemaString = schema.schemaString
        self.partitionColumns = partitionColumns
        self.configuration = configuration
        self.createdTime = createdTime
    }

    /// Reads the schema.
    ///
    /// - Throws: `DeltaLogError` with `malformedSchema`, `unsupportedType` or `columnNameClash`.
    /// - Complexity: O(length of the schema string): keep the result.
    package func schema() throws(DeltaLogError) -> TableSchema {
        try TableSchema(schemaString: schemaString)
    }

    /// Whether rows may be added but never changed or removed (protocol section "Append-only Tables").
    package var isAppendOnly: Bool {
        configuration["delta.appendOnly"]?.lowercased() == "true"
    }
}

extension TableMetadata {
    init(_ reader: inout JSONReader) throws {
        var id: String?
        var name: String?
        var comment: String?
        var format: Format?
        var schemaString: String?
        var partitionColumns: [String]?
        var configuration: [String: String]?
        var createdTime: Int64?
        try reader.object { reader, member in
            switch member {
            case "id": id = try reader.string()
            case "name": name = try reader.optional { try $0.string() }
            case "description": comment = try reader.optional { try $0.string() }
            case "format": format = try Format(&reader)
            case "schemaString": schemaString = try reader.string()
            case "partitionColumns": partitionColumns = try reader.elements { try $0.string() }
            case "configuration":
                configuration = try reader.optional { try $0.members { try $0.string() } }
            case "createdTime": createdTime = try reader.optional { try $0.integer() }
            default: try reader.skip()
            }
        }
        self.init(
            id: try id.member("id"),
            name: name,
            comment: comment,
            schema: TableSchema([]),
            partitionColumns: try partitionColumns.member("partitionColumns"),
            configuration: configuration ?? [:],
            createdTime: createdTime
        )
        self.format = try format.member("format")
        self.schemaString = try schemaString.member("schemaString")
    }
}

extension TableMetadata.Format {
    fileprivate init(_ reader: inout JSONReader) throws {
        var provider: String?
        var options: [String: String]?
        try reader.object { reader, name in
            switch name {
            case "provider": provider = try reader.string()
            case "options": options = try reader.members { try $0.string() }
            default: try reader.skip()
            }
        }
        self.init(provider: try provider.member("provider"), options: try options.member("options"))
    }
}

extension JSONWriter {
    mutating func value(_ action: TableMetadata) {
        object { writer in
            writer.member("id", action.id)
            writer.member("name", action.name)
            writer.member("description", action.comment)
            writer.key("format")
            writer.object { writer in
                writer.member("provider", action.format.provider)
                writer.member("options", action.format.options.mapValues(Optional.some))
            }
            writer.member("schemaString", action.schemaString)
            writer.member("partitionColumns", action.partitionColumns)
            writer.member("configuration", action.configuration.mapValues(Optional.some))
            writer.member("createdTime", action.createdTime)
        }
    }
}
