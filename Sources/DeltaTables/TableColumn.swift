import DeltaLog

/// A column of a table as commands show it.
package struct TableColumn: Hashable, Sendable {
    /// The name.
    package var name: String
    /// Delta's type, as `map<string,string>`.
    package var type: String
    /// The type's name in DuckDB.
    package var engineType: String
    /// Whether values may be missing.
    package var isNullable: Bool
    /// Whether rows are filed by it.
    package var isPartition: Bool
}

extension DeltaTable {
    /// The table's columns, in order.
    package func columns() throws -> [TableColumn] {
        try Self.columns(of: head.metadata.schema(), partitionColumns: head.metadata.partitionColumns)
    }

    /// The columns of a table of this schema, in order.
    package static func columns(of schema: TableSchema, partitionColumns: [String]) -> [TableColumn] {
        schema.fields.map { field in
            TableColumn(
                name: field.name,
                type: field.type.description,
                engineType: field.type.engineType,
                isNullable: field.nullable,
                isPartition: partitionColumns.contains(field.name)
            )
        }
    }

    /// What happened to the table, newest first: the commits that the log still holds.
    ///
    /// - Parameter limit: The most entries.
    /// - Returns: One entry a commit.
    /// - Throws: `StorageError` or `DeltaLogError`.
    package func history(limit: Int) throws -> [TableEvent] {
        var events: [TableEvent] = []
        var version = head.version
        while version >= 0, events.count < limit, let commit = try readCommit(version, content: .all) {
            var event = TableEvent(
                version: version,
                time: commit.info?.timestamp,
                operation: commit.info?.operation
            )
            for action in commit.actions {
                switch action {
                case .add(let file):
                    event.addedFiles += 1
                    event.addedBytes += file.size
                    if let stats = file.stats {
                        event.addedRows += try FileStatistics.recordCount(in: stats) ?? 0
                    }
                case .remove: event.removedFiles += 1
                case .txn(let txn): event.batch = txn.version
                default: break
                }
            }
            events.append(event)
            version -= 1
        }
        return events
    }

    /// Files, bytes and rows of the present version.
    package func size() throws -> (files: Int, bytes: Int64, rows: Int64) {
        let files = try snapshot().files.values
        let rows = try files.reduce(0 as Int64) { sum, file in
            sum + (try file.stats.flatMap { try FileStatistics.recordCount(in: $0) } ?? 0)
        }
        return (files.count, files.reduce(0) { $0 + $1.size }, rows)
    }
}

/// One commit of a table's history.
package struct TableEvent: Hashable, Sendable {
    /// The version that the commit made.
    package var version: Int64
    /// Milliseconds since 1970-01-01 UTC.
    package var time: Int64?
    /// `WRITE`, `OPTIMIZE`, `CREATE TABLE`.
    package var operation: String?
    /// The batch of the shard that wrote it.
    package var batch: Int64?
    /// Files added.
    package var addedFiles = 0
    /// Rows in the files added.
    package var addedRows: Int64 = 0
    /// Bytes in the files added.
    package var addedBytes: Int64 = 0
    /// Files removed.
    package var removedFiles = 0
}

extension DataType {
    /// The type's name in DuckDB.
    fileprivate var engineType: String {
        switch self {
        case .boolean: "BOOLEAN"
        case .integer: "INTEGER"
        case .long: "BIGINT"
        case .double: "DOUBLE"
        case .date: "DATE"
        case .timestamp: "TIMESTAMP WITH TIME ZONE"
        case .string: "VARCHAR"
        case .binary: "BLOB"
        case .map(let key, let value, _): "MAP(\(key.engineType), \(value.engineType))"
        case .array(let element, _): "\(element.engineType)[]"
        case .structure(let schema):
            "STRUCT("
                + schema.fields.map { field in
                    "\""
                        + field.name.split(separator: "\"", omittingEmptySubsequences: false).joined(
                            separator: "\"\""
                        )
                        + "\" \(field.type.engineType)"
                }.joined(separator: ", ") + ")"
        }
    }
}
