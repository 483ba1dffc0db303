import AuditFormats
import BatchProtocol
import Catalog
import DeltaTables
import Foundation
import Intake
import ObjectStorage
import ParquetFiles
import Pipelines
import Testing

/// A folder with log files and a lake, and the pipeline between them.
struct PipelineFixture {
    let root: String
    var settings: PostgresPipelineSettings
    /// Microseconds since 1970-01-01 UTC that every run sees.
    var now: Int64 = 1_795_000_000_000_000
    let disk: VolatileDisk

    static let table = TableName(catalog: "main", schema: "audit", table: "logs")

    /// Runs `body` over empty folders, which are gone afterwards.
    static func with<Result>(_ body: (inout PipelineFixture) throws -> Result) throws -> Result {
        var fixture = try PipelineFixture()
        defer { fixture.remove() }
        return try body(&fixture)
    }

    /// The same for what has to wait.
    static func with<Result>(_ body: (inout PipelineFixture) async throws -> Result) async throws -> Result {
        var fixture = try PipelineFixture()
        defer { fixture.remove() }
        return try await body(&fixture)
    }

    private init() throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "pipeline-\(UUID().uuidString)")
            .path
        for folder in ["logs", "graves"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(folder)",
                withIntermediateDirectories: true
            )
        }
        self.root = root
        disk = VolatileDisk(graveyard: "\(root)/graves")
        settings = PostgresPipelineSettings(
            name: "pg",
            source: TailedFileSource(patterns: ["\(root)/logs/*.csv"], host: "host"),
            table: Self.table,
            decoding: PostgresDecoderSettings(role: "primary", node: "pg1")
        )
    }

    private func remove() { try? FileManager.default.removeItem(atPath: root) }

    var lakePath: String { "\(root)/lake" }
    var lake: Lake { Lake(store: LocalStore(root: lakePath, fileSystem: disk)) }
    let shard = ShardPath(pipeline: "pg", shard: 0)

    // MARK: Logs

    func logPath(_ name: String) -> String { "\(root)/logs/\(name)" }

    /// Appends texts to a log file.
    func append(_ texts: [String], to name: String = "a.csv") throws {
        let path = logPath(name)
        let old = FileManager.default.contents(atPath: path) ?? Data()
        // In place, as the server does: the inode stays.
        if old.isEmpty { try Data().write(to: URL(filePath: path)) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(texts.joined().utf8))
        try file.close()
    }

    /// One audit record of a log, with its line end.
    static func record(_ number: Int, session: String = "6b013888.7c2") -> String {
        "2026-11-21 06:22:00.545 UTC,\"postgres\",\"app\",1986,\"[local]\",\(session),\(number),\"SELECT\","
            + "2026-11-21 06:22:00 UTC,4/404,0,LOG,00000,\"AUDIT: SESSION,\(number),1,READ,SELECT,,,"
            + "\"\"select '\(number)\nx'\"\",<none>\",,,,,,,,,\"psql\",\"client backend\",,0\n"
    }

    static func records(_ numbers: ClosedRange<Int>, session: String = "6b013888.7c2") -> [String] {
        numbers.map { record($0, session: session) }
    }

    /// The same record in jsonlog, with its line end.
    static func jsonRecord(_ number: Int, session: String = "6b013888.7c2") -> String {
        #"{"timestamp":"2026-11-21 06:22:00.545 UTC","user":"postgres","dbname":"app","pid":1986,"#
            + #""remote_host":"[local]","session_id":"\#(session)","line_num":\#(number),"ps":"SELECT","#
            + #""session_start":"2026-11-21 06:22:00 UTC","vxid":"4/404","txid":0,"error_severity":"LOG","#
            + #""message":"AUDIT: SESSION,\#(number),1,READ,SELECT,,,\"select '\#(number)\nx'\",<none>","#
            + #""application_name":"psql","backend_type":"client backend","query_id":0}"# + "\n"
    }

    /// Compresses a log file as a rotation does: the plain file goes.
    func compress(_ name: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip", "-q", logPath(name)]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    // MARK: Runs

    /// Runs the pipeline until nothing is left.
    @discardableResult
    func run(observer: PipelineObserver = PipelineObserver()) throws -> RunSummary {
        let now = now
        return try PipelineSettings.postgres(settings).runOnce(lake: lake, observer: observer, clock: { now })
    }

    /// Runs the pipeline until the process dies before a change; starts a new process then.
    func runUntil(_ matches: @escaping @Sendable (VolatileDisk.Change) -> Bool) throws {
        disk.fail(.death) { _, change in matches(change) }
        #expect(throws: VolatileDisk.FaultError.self) { try run() }
        disk.revive()
    }

    // MARK: What is in the lake

    /// One column of all rows of a table.
    func values<Value>(
        _ column: String,
        of table: TableName = PipelineFixture.table,
        _ value: (ArrowView, Int) -> Value?
    ) throws -> [Value] {
        guard let delta = try lake.table(table) else { return [] }
        return try delta.snapshot().files.values.flatMap { file in
            let reader = try ParquetReader(path: delta.path(of: file.path), fields: [column])
            return try (0..<reader.rowGroupCount).flatMap { group in
                try reader.withRowGroup(group) { rows in
                    let view = try #require(rows.field(column))
                    return (0..<rows.count).compactMap { value(view, $0) }
                }
            }
        }
    }

    /// Column `raw` of all rows, sorted.
    func raws(of table: TableName = PipelineFixture.table) throws -> [String] {
        try values("raw", of: table) { $0.string($1) }.sorted()
    }

    func names(in folder: String) throws -> [String] {
        try PosixFileSystem().list("\(lakePath)/\(folder)").map(\.name).filter { !$0.hasPrefix(".") }.sorted()
    }

    func plan(_ batch: UInt64) throws -> BatchPlan {
        try JSONDecoder().decode(BatchPlan.self, from: try data(shard.plan(batch)))
    }

    func receipt(_ batch: UInt64) throws -> BatchReceipt {
        try JSONDecoder().decode(BatchReceipt.self, from: try data(shard.receipt(batch)))
    }

    private func data(_ key: String) throws -> Data { Data(try PosixFileSystem().read("\(lakePath)/\(key)")) }

    /// Expects every record in the table once, every fault in the quarantine once, and batches without gaps.
    func expectExact(
        records: [String],
        faults: [String] = [],
        _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = records.map { String($0.dropLast()) }.sorted()
        #expect(try raws() == expected, comment, sourceLocation: sourceLocation)
        #expect(try raws(of: settings.quarantine) == faults.sorted(), comment, sourceLocation: sourceLocation)
        let plans = try names(in: shard.plans)
        #expect(try names(in: shard.receipts) == plans, comment, sourceLocation: sourceLocation)
        let numbers = plans.compactMap { UInt64($0.prefix { $0 != "." }) }
        #expect(numbers == Array(1...UInt64(max(1, plans.count))), comment, sourceLocation: sourceLocation)
        let last = UInt64(plans.count)
        for table in try receipt(last).tables where table.lastBatch > 0 {
            let name = try #require(TableName(table.name, defaultCatalog: "main"))
            let transactions = try #require(try lake.table(name)).head.transactions
            #expect(
                transactions.values.map(\.version) == [Int64(table.lastBatch)],
                comment,
                sourceLocation: sourceLocation
            )
        }
    }
}
