import AuditFormats
import BatchProtocol
import Catalog
import DeltaTables
import Foundation
import Glibc
import Intake
import ObjectStorage
import ParquetFiles
import Pipelines
import Testing

/// A folder with delivered events and a lake, and the pipeline between them.
struct DatabricksFixture {
    let root: String
    var settings: DatabricksPipelineSettings
    /// Microseconds since 1970-01-01 UTC that every run sees.
    var now: Int64 = 1_795_000_000_000_000
    let disk: VolatileDisk

    /// Runs `body` over empty folders, which are gone afterwards.
    static func with<Result>(_ body: (inout DatabricksFixture) throws -> Result) throws -> Result {
        var fixture = try DatabricksFixture()
        defer { try? FileManager.default.removeItem(atPath: fixture.root) }
        return try body(&fixture)
    }

    /// The same for a body that waits.
    static func with<Result>(_ body: (inout DatabricksFixture) async throws -> Result) async throws -> Result
    {
        var fixture = try DatabricksFixture()
        defer { try? FileManager.default.removeItem(atPath: fixture.root) }
        return try await body(&fixture)
    }

    private init() throws {
        root =
            FileManager.default.temporaryDirectory.appending(path: "databricks-\(UUID().uuidString)").path
        for folder in ["drops", "graves"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(folder)",
                withIntermediateDirectories: true
            )
        }
        disk = VolatileDisk(graveyard: "\(root)/graves")
        settings = DatabricksPipelineSettings(
            name: "dbx",
            source: ObjectSource(patterns: ["\(root)/drops"]),
            catalog: "main",
            schema: "audit"
        )
    }

    var lakePath: String { "\(root)/lake" }
    var lake: Lake { Lake(store: LocalStore(root: lakePath, fileSystem: disk)) }
    let shard = ShardPath(pipeline: "dbx", shard: 0)

    // MARK: Deliveries

    /// An event of a service, with its line end.
    static func event(
        _ number: Int,
        service: String = "jobs",
        parameters: String = #"{"job_id":"1"}"#,
        day: Int = 0
    ) -> String {
        let milliseconds = 1_793_491_200_000 + day * 86_400_000 + number
        return
            #"{"version":"2.0","timestamp":\#(milliseconds),"workspaceId":"12","sourceIPAddress":"10.0.0.1","#
            + #""userAgent":"a","sessionId":"s","userIdentity":{"email":"e@x.org","subjectName":null},"#
            + #""serviceName":"\#(service)","actionName":"act","requestId":"r-\#(number)","#
            + #""requestParams":\#(parameters),"response":{"statusCode":200,"errorMessage":null,"result":null},"#
            + #""auditLevel":"WORKSPACE_LEVEL"}"# + "\n"
    }

    /// Puts an object, over one that is there; as delivery does, whole.
    func deliver(_ lines: [String], to name: String = "a.json") throws {
        try Data(lines.joined().utf8).write(to: URL(filePath: "\(root)/drops/\(name)"))
    }

    /// The same, last changed so many seconds before `now`.
    func deliver(_ lines: [String], to name: String = "a.json", age: Int64) throws {
        try deliver(Data(lines.joined().utf8), to: name, age: age)
    }

    func deliver(_ bytes: Data, to name: String, age: Int64) throws {
        let path = "\(root)/drops/\(name)"
        try bytes.write(to: URL(filePath: path))
        let time = timespec(tv_sec: Int(now / 1_000_000 - age), tv_nsec: 0)
        try #require(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
    }

    /// Moves the folder of deliveries, and has it read from there.
    mutating func move(_ folder: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: "\(root)/\(folder)", toPath: "\(root)/\(other)")
        settings.objects.source.patterns = ["\(root)/\(other)"]
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(root)/drops/\(name)")
    }

    // MARK: Runs

    /// Runs the pipeline until nothing is left.
    @discardableResult
    func run(_ layers: DatabricksPipelineSettings.Layers = .all) throws -> RunSummary {
        let now = now
        var settings = settings
        settings.layers = layers
        return try PipelineSettings.databricks(settings).runOnce(lake: lake, clock: { now })
    }

    /// Runs the pipeline until the process dies before a change; starts a new process then.
    func runUntil(_ matches: @escaping @Sendable (VolatileDisk.Change) -> Bool) throws {
        disk.fail(.death) { _, change in matches(change) }
        #expect(throws: VolatileDisk.FaultError.self) { try run() }
        disk.revive()
    }

    // MARK: What is in the lake

    func plan(_ batch: UInt64) throws -> BatchPlan {
        let bytes = try Data(contentsOf: URL(filePath: "\(lakePath)/\(shard.plan(batch))"))
        return try JSONDecoder().decode(BatchPlan.self, from: bytes)
    }

    func gold(_ table: String) -> TableName { TableName(catalog: "main", schema: "audit_gold", table: table) }

    /// The names of the gold tables.
    func goldTables() throws -> [String] {
        try lake.tables().filter { $0.schema == "audit_gold" }.map(\.table)
    }

    /// One text column of all rows of a table, sorted.
    func texts(_ column: String, of table: TableName) throws -> [String] {
        guard let delta = try lake.table(table) else { return [] }
        return try delta.snapshot().files.values.flatMap { file in
            let reader = try ParquetReader(path: delta.path(of: file.path), fields: [column])
            return try (0..<reader.rowGroupCount).flatMap { group in
                try reader.withRowGroup(group) { rows in
                    let view = try #require(rows.field(column))
                    return (0..<rows.count).compactMap { view.string($0) }
                }
            }
        }.sorted()
    }

    /// A field of `requestParams` of all rows of a gold table; rows of files without it are missing.
    func parameters(_ field: String, of table: String) throws -> [String] {
        guard let delta = try lake.table(gold(table)) else { return [] }
        return try delta.snapshot().files.values.flatMap { file in
            let reader = try ParquetReader(path: delta.path(of: file.path), fields: ["requestParams"])
            return try (0..<reader.rowGroupCount).flatMap { group in
                try reader.withRowGroup(group) { rows in
                    guard let view = rows.field("requestParams")?.field(field) else { return [] as [String] }
                    return (0..<rows.count).compactMap { view.string($0) }
                }
            }
        }.sorted()
    }

    /// Expects every line in bronze once, and every event in silver and in its service's table once.
    func expectExact(
        _ lines: [String],
        quarantined: [String] = [],
        _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = (lines + quarantined).map { $0.trimmingCharacters(in: .newlines) }.sorted()
        #expect(try texts("raw", of: settings.bronze) == expected, comment, sourceLocation: sourceLocation)
        let requests = try lines.map { try Self.field("requestId", of: $0) }.sorted()
        #expect(
            try texts("requestId", of: settings.silver) == requests,
            comment,
            sourceLocation: sourceLocation
        )
        let services = Dictionary(grouping: lines) { (try? Self.field("serviceName", of: $0)) ?? "" }
        for (service, lines) in services {
            let table = service.replacingOccurrences(of: "-", with: "_")
            #expect(
                try texts("requestId", of: gold(table))
                    == lines.map { try Self.field("requestId", of: $0) }.sorted(),
                comment,
                sourceLocation: sourceLocation
            )
        }
        let rest = try goldTables().filter { name in
            !services.keys.contains { $0.replacingOccurrences(of: "-", with: "_") == name }
        }
        for table in rest {
            #expect(try texts("requestId", of: gold(table)) == [], comment, sourceLocation: sourceLocation)
        }
        #expect(
            try texts("raw", of: settings.quarantine)
                == quarantined.map { $0.trimmingCharacters(in: .newlines) }.sorted(),
            comment,
            sourceLocation: sourceLocation
        )
    }

    private static func field(_ name: String, of line: String) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?[name] as? String)
    }
}
