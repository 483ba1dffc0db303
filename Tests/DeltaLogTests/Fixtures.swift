import FoundationEssentials

@testable import DeltaLog

/// A file of the folder `Golden` beside this file.
func golden(_ path: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    return Array(try Data(contentsOf: folder.appending(path: path)))
}

/// Names in a folder of `Golden`.
func goldenNames(_ folder: String) throws -> [String] {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/" + folder).path
    return try FileManager.default.contentsOfDirectory(atPath: path)
}

let eventSchema = TableSchema([SchemaField("id", .long), SchemaField("name", .string)])

func metadata(
    _ schema: TableSchema = eventSchema,
    id: String = "table",
    partitionColumns: [String] = [],
    configuration: [String: String] = [:]
) -> TableMetadata {
    TableMetadata(
        id: id,
        schema: schema,
        partitionColumns: partitionColumns,
        configuration: configuration,
        createdTime: 1
    )
}

func add(_ path: String, size: Int64 = 10, dataChange: Bool = true) -> Action {
    .add(AddFile(path: DataFilePath(path), size: size, modificationTime: 5, dataChange: dataChange))
}

func remove(_ path: String, at time: Int64 = 6, dataChange: Bool = true) -> Action {
    .remove(RemoveFile(path: DataFilePath(path), deletionTimestamp: time, dataChange: dataChange))
}

func creation(_ actions: [Action] = [], _ table: TableMetadata = metadata()) throws -> Commit {
    try Commit(version: 0, actions: [.protocol(.current), .metaData(table)] + actions)
}

func info(_ txnId: String) -> CommitInfo {
    CommitInfo(timestamp: 7, operation: "WRITE", txnId: txnId)
}

extension Snapshot {
    /// Paths of live files, sorted.
    var paths: [String] {
        files.keys.map(\.decoded).sorted()
    }
}
