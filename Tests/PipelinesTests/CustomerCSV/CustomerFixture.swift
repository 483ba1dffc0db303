import AuditFormats
import BatchProtocol
import Catalog
import Foundation
import Glibc
import Intake
import ObjectStorage
import ParquetFiles
import Pipelines
import Testing

/// A folder with customers' CSV files and a lake, and the pipeline between them.
struct CustomerFixture {
    let root: String
    var settings: CustomerCSVPipelineSettings
    /// Microseconds since 1970-01-01 UTC that every run sees.
    var now: Int64 = 1_795_000_000_000_000
    let disk: VolatileDisk

    /// Runs `body` over empty folders, which are gone afterwards.
    static func with<Result>(_ body: (inout CustomerFixture) throws -> Result) throws -> Result {
        var fixture = try CustomerFixture()
        defer { try? FileManager.default.removeItem(atPath: fixture.root) }
        return try body(&fixture)
    }

    private init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "customers-\(UUID().uuidString)").path
        for folder in ["csv", "graves"] {
            let path = "\(root)/\(folder)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        disk = VolatileDisk(graveyard: "\(root)/graves")
        settings = CustomerCSVPipelineSettings(
            name: "wau",
            source: ObjectSource(patterns: ["\(root)/csv"], verifyPrefix: .full, onChange: .reingest),
            table: TableName(catalog: "main", schema: "wau", table: "events"),
            decoding: CustomerCSVSettings()
        )
        settings.decoding.customerColumn = "customer"
    }

    var lakePath: String { "\(root)/lake" }
    var lake: Lake { Lake(store: LocalStore(root: lakePath, fileSystem: disk)) }
    let shard = ShardPath(pipeline: "wau", shard: 0)

    // MARK: Deliveries

    static let header = "customer,event_time,action,details\n"

    /// A record, with its line end; of one day unless told otherwise.
    static func record(_ number: Int, customer: String = "acme", day: Int = 1, details: String = "") -> String
    {
        let time = "2026-11-0\(day)T10:00:\(number < 10 ? "0" : "")\(number).000Z"
        return "\(customer),\(time),act-\(number),\(details)\n"
    }

    /// Puts a file, over one that is there; it was written long ago.
    func deliver(_ text: String, to name: String = "a.csv") throws {
        let path = "\(root)/csv/\(name)"
        let folder = URL(filePath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
        let time = timespec(tv_sec: Int(now / 1_000_000 - 3_600), tv_nsec: 0)
        try #require(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
    }

    func deliver(_ records: [String], to name: String = "a.csv") throws {
        try deliver(Self.header + records.joined(), to: name)
    }

    // MARK: Runs

    /// Runs the pipeline until nothing is left.
    @discardableResult
    func run() throws -> RunSummary {
        let now = now
        return try PipelineSettings.customerCSV(settings).runOnce(lake: lake, clock: { now })
    }

    // MARK: What is in the lake

    func plan(_ batch: UInt64) throws -> BatchPlan {
        let bytes = try Data(contentsOf: URL(filePath: "\(lakePath)/\(shard.plan(batch))"))
        return try JSONDecoder().decode(BatchPlan.self, from: bytes)
    }

    /// The names of the table's columns.
    func columns() throws -> [String] {
        try lake.table(settings.table)?.head.metadata.schema().fields.map(\.name) ?? []
    }

    /// One text column of all rows of a table, sorted; without missing values.
    func texts(_ column: String, of table: TableName? = nil) throws -> [String] {
        try rows(of: table ?? settings.table) { rows in
            let view = rows.field(column)
            return (0..<rows.count).compactMap { view?.string($0) }
        }.sorted()
    }

    /// The same of a column of whole numbers.
    func numbers(_ column: String) throws -> [Int64] {
        try rows(of: settings.table) { rows in
            let view = rows.field(column)
            return (0..<rows.count).compactMap { view?.int64($0) }
        }.sorted()
    }

    private func rows<Value>(of table: TableName, _ body: (ArrowView) -> [Value]) throws -> [Value] {
        guard let delta = try lake.table(table) else { return [] }
        return try delta.snapshot().files.values.flatMap { file in
            let reader = try ParquetReader(path: delta.path(of: file.path))
            return try (0..<reader.rowGroupCount).flatMap { group in
                try reader.withRowGroup(group) { body($0) }
            }
        }
    }

    /// Every byte of every file below the lake.
    func lakeBytes() throws -> [Data] {
        let files = FileManager.default.enumerator(atPath: lakePath)
        return try (files?.allObjects as? [String] ?? []).compactMap { name in
            let path = "\(lakePath)/\(name)"
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue
            else { return nil }
            return try Data(contentsOf: URL(filePath: path))
        }
    }
}
