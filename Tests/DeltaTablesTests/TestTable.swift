import Columnar
import DeltaLog
import DeltaTables
import Foundation
import ObjectStorage
import ParquetFiles
import Testing

/// A folder of its own with a table of numbers and texts, partitioned by day.
final class TestTable: Sendable {
    static let columns = [ColumnField("n", .int64), ColumnField("t", .string)]
    static let folder = "main/log/numbers"
    static let appID = "5f0c4b1e-9d5c-4a6e-a1b2-0123456789ab"
    /// 2026-02-01 00:00 UTC in milliseconds.
    static let now: Int64 = 1_769_904_000_000
    static let day: Int64 = 86_400_000

    let store: LocalStore

    init(fileSystem: any FileSystem = FaultyDisk(failing: nil)) {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("delta-\(RandomName.make())")
            .path
        store = LocalStore(root: root, fileSystem: fileSystem)
    }

    deinit { try? FileManager.default.removeItem(atPath: store.root) }

    /// The same folder through another file system.
    func through(_ fileSystem: any FileSystem) -> LocalStore {
        LocalStore(root: store.root, fileSystem: fileSystem)
    }

    static func metadata(
        _ columns: [ColumnField] = columns,
        id: String = "id-1",
        configuration: [String: String] = [:]
    ) -> TableMetadata {
        TableMetadata(
            id: id,
            schema: TableSchema(columns: columns, partitionColumns: [ColumnField("date", .date)]),
            partitionColumns: ["date"],
            configuration: configuration,
            createdTime: now
        )
    }

    func create(configuration: [String: String] = [:]) throws -> DeltaTable {
        try DeltaTable.create(
            store: store,
            folder: Self.folder,
            metadata: Self.metadata(configuration: configuration),
            now: Self.now
        )
    }

    func open(_ other: LocalStore? = nil) throws -> DeltaTable {
        try #require(try DeltaTable.open(store: other ?? store, folder: Self.folder))
    }

    /// A durable data file with these numbers.
    func file(_ numbers: Range<Int64>, date: String = "2026-02-01") throws -> AddFile {
        let writer = try DataFileWriter(
            store: store,
            table: Self.folder,
            schema: Self.columns,
            storage: [],
            partitionValues: [("date", date)]
        )
        let texts = numbers.map { $0 % 10 == 0 ? CellValue.null : .string("row \($0)") }
        let columns = [Column(.int64, values: numbers.map { .int64($0) }), Column(.string, values: texts)]
        try writer.write(RecordBatch(schema: Self.columns, columns: columns, rowCount: numbers.count))
        return try writer.finish(now: Self.now)
    }

    @discardableResult
    func append(
        _ numbers: Range<Int64>,
        to table: DeltaTable,
        batch: UInt64,
        appID: String = appID,
        date: String = "2026-02-01"
    ) throws -> CommitResult {
        try table.append([try file(numbers, date: date)], appID: appID, batch: batch, now: Self.now)
    }

    /// Appends batches of three rows each from the number after the last on.
    func appendBatches(_ batches: ClosedRange<UInt64>, to table: DeltaTable) throws {
        for batch in batches {
            let first = Int64(batch - 1) * 3
            try append(first..<first + 3, to: table, batch: batch, date: "2026-02-0\(1 + batch % 2)")
        }
    }

    /// All numbers of the table, read from its files, sorted.
    func rows() throws -> [Int64] {
        let table = try open()
        return try table.snapshot().files.values.flatMap { try numbers(in: table.path(of: $0.path)) }.sorted()
    }

    /// The numbers in a file, in order.
    func numbers(in path: String) throws -> [Int64] {
        let reader = try ParquetReader(path: path)
        return try (0..<reader.rowGroupCount).flatMap { group in
            try reader.withRowGroup(group) { rows in
                (0..<rows.count).compactMap { rows.field("n")?.int64($0) }
            }
        }
    }

    /// Names in `_delta_log`, sorted.
    func logNames() throws -> [String] { try store.list("\(Self.folder)/_delta_log").map(\.name).sorted() }

    func logPath(_ name: String) -> String { store.path("\(Self.folder)/_delta_log/\(name)") }

    func commit(_ version: Int64) throws -> Commit {
        let bytes = try #require(
            try store.read("\(Self.folder)/\(LogFileName.commit(version: version).path)")
        )
        return try Commit(version: version, decoding: bytes, content: .all)
    }

    /// Data files on disk, relative to the table.
    func dataFiles() throws -> Set<String> {
        let root = store.path(Self.folder)
        let files = try #require(FileManager.default.enumerator(atPath: root))
        return Set(
            files.compactMap { $0 as? String }.filter {
                $0.hasSuffix(".parquet") && !$0.hasPrefix("_delta_log")
            }
        )
    }

    /// Data files that the log knows, live or removed.
    func knownFiles() throws -> Set<String> {
        let snapshot = try open().snapshot()
        return Set((Array(snapshot.files.keys) + Array(snapshot.tombstones.keys)).map(\.decoded))
    }

    /// Sets when a file of the log was last changed.
    func setModified(_ name: String, milliseconds: Int64) throws {
        let time = timespec(tv_sec: Int(milliseconds / 1_000), tv_nsec: Int(milliseconds % 1_000) * 1_000_000)
        try #require(utimensat(AT_FDCWD, logPath(name), [time, time], 0) == 0)
    }
}
