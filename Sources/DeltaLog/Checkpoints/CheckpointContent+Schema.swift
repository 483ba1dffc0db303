extension CheckpointContent {
    /// Columns of the Parquet file: one struct per kind of action.
    package static let schema = TableSchema([
        SchemaField("txn", .structure(transactionFields)),
        SchemaField("add", .structure(addFields)),
        SchemaField("remove", .structure(removeFields)),
        SchemaField("metaData", .structure(metadataFields)),
        SchemaField("protocol", .structure(protocolFields)),
    ])

    private static let stringMap = DataType.map(key: .string, value: .string, valueContainsNull: true)

    private static let transactionFields = TableSchema([
        SchemaField("appId", .string),
        SchemaField("version", .long),
        SchemaField("lastUpdated", .long),
    ])

    private static let addFields = TableSchema([
        SchemaField("path", .string),
        SchemaField("partitionValues", stringMap),
        SchemaField("size", .long),
        SchemaField("modificationTime", .long),
        SchemaField("dataChange", .boolean),
        SchemaField("stats", .string),
        SchemaField("tags", stringMap),
    ])

    private static let removeFields = TableSchema([
        SchemaField("path", .string),
        SchemaField("deletionTimestamp", .long),
        SchemaField("dataChange", .boolean),
        SchemaField("extendedFileMetadata", .boolean),
        SchemaField("partitionValues", stringMap),
        SchemaField("size", .long),
    ])

    private static let metadataFields = TableSchema([
        SchemaField("id", .string),
        SchemaField("name", .string),
        SchemaField("description", .string),
        SchemaField(
            "format",
            .structure(TableSchema([SchemaField("provider", .string), SchemaField("options", stringMap)]))
        ),
        SchemaField("schemaString", .string),
        SchemaField("partitionColumns", .array(element: .string, containsNull: true)),
        SchemaField("configuration", stringMap),
        SchemaField("createdTime", .long),
    ])

    private static let protocolFields = TableSchema([
        SchemaField("minReaderVersion", .integer),
        SchemaField("minWriterVersion", .integer),
    ])
}
