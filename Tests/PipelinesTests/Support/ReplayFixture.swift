import AuditFormats
import BatchProtocol
import Catalog
import DeltaTables
import Foundation
import Intake
import ObjectStorage
import Pipelines
import Query
import Testing

/// A folder with files of events and lakes of it, by name, in which layers are made again.
struct ReplayFixture {
    let root: String
    var settings: DatabricksPipelineSettings
    /// Microseconds since 1970-01-01 UTC that runs see.
    var now: Int64 = 1_795_000_000_000_000
    /// The lake that is used.
    var lakeName = "lake"
    let disk: VolatileDisk

    /// Runs `body` over empty folders, which are gone afterwards.
    static func with<Result>(_ body: (inout ReplayFixture) async throws -> Result) async throws -> Result {
        let root = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString)").path
        for folder in ["events", "graves", "work"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(folder)",
                withIntermediateDirectories: true
            )
        }
        defer { try? FileManager.default.removeItem(atPath: root) }
        var fixture = ReplayFixture(
            root: root,
            settings: DatabricksPipelineSettings(
                name: "dbx",
                source: ObjectSource(patterns: ["\(root)/events/**"], verifyPrefix: .tail, onChange: .report),
                catalog: "main",
                schema: "audit"
            ),
            disk: VolatileDisk(graveyard: "\(root)/graves")
        )
        return try await body(&fixture)
    }

    var lakePath: String { "\(root)/\(lakeName)" }
    var lake: Lake { Lake(store: LocalStore(root: lakePath, fileSystem: disk)) }
    let shard = ShardPath(pipeline: "dbx", shard: 0)

    func gold(_ service: String) -> TableName {
        TableName(catalog: "main", schema: settings.goldSchema, table: service)
    }

    // MARK: Events

    /// One event as it is delivered, with its line end; day 0 is 2026-01-01.
    static func event(
        _ number: Int,
        day: Int = 0,
        service: String = "accounts",
        workspace: String = "42",
        params: String
    ) -> String {
        let time = 1_767_225_600_000 + day * 86_400_000 + number * 1_000
        return
            #"{"version":"2.0","timestamp":\#(time),"workspaceId":"\#(workspace)","serviceName":"\#(service)","#
            + #""actionName":"act","requestId":"r\#(number)","requestParams":\#(params),"#
            + #""response":{"statusCode":200}}"# + "\n"
    }

    /// Events of three days and two services; every other one has a key that says nothing.
    static func events(_ numbers: Range<Int>) -> [String] {
        numbers.map { number in
            event(
                number,
                day: number % 3,
                service: number % 4 == 0 ? "jobs" : "accounts",
                params: number % 2 == 0 ? #"{"k":"v\#(number)","empty":""}"# : #"{"k":"v\#(number)"}"#
            )
        }
    }

    func write(_ lines: [String], to name: String) throws {
        let path = "\(root)/events/\(name)"
        try Data(lines.joined().utf8).write(to: URL(filePath: path))
        // Arrival is the order of names.
        let time = Date(timeIntervalSince1970: 1_790_000_000 + Double(name.utf8.first ?? 0))
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
    }

    // MARK: Runs

    @discardableResult
    func run() throws -> RunSummary {
        let now = now
        return try PipelineSettings.databricks(settings).runOnce(lake: lake, clock: { now })
    }

    func make(
        _ layer: ReplayLayer,
        days: DayRange = DayRange(),
        mayApply: Bool = true
    ) throws -> DatabricksReplay {
        let now = now
        let request = DatabricksReplay.Request(
            layer: layer,
            days: days,
            mayApply: mayApply,
            patience: .zero
        )
        return try DatabricksReplay.make(request, settings, lake: lake, clock: { now })
    }

    /// Makes a layer again and swaps every table of it.
    func replay(_ layer: ReplayLayer, days: DayRange = DayRange()) throws {
        let replay = try make(layer, days: days)
        defer { replay.discard() }
        try replay.apply(Set(replay.tables.map(\.name)))
    }

    // MARK: What is in the lake

    func table(_ name: TableName) throws -> DeltaTable { try #require(try lake.table(name), "\(name)") }

    func engine() throws -> QueryEngine {
        QueryEngine(
            executable: try EngineLocation.find(executable: #filePath, environment: [:]),
            temporaryFolder: "\(root)/work"
        )
    }

    static let limits = QueryLimits(memoryByteCount: 500_000_000, threadCount: 1)

    /// The result of a query over tables of the lake, as CSV without its header.
    func lines(_ sql: String, over names: [TableName]) async throws -> [String] {
        let tables = try names.map { name in
            let table = try table(name)
            let columns = try table.columns()
            return QueryTable(
                name: QueryTableName(catalog: name.catalog, schema: name.schema, table: name.table),
                files: try table.snapshot().files.keys.map { table.path(of: $0) }.sorted(),
                columns: columns.filter { !$0.isPartition }.map { QueryColumn($0.name, $0.engineType) },
                partitionColumns: columns.filter(\.isPartition).map { QueryColumn($0.name, $0.engineType) }
            )
        }
        let path = "\(root)/work/\(UUID().uuidString)"
        try Data().write(to: URL(filePath: path))
        let output = try #require(FileHandle(forUpdatingAtPath: path))
        try FileManager.default.removeItem(atPath: path)
        let scope = QueryScope(defaultCatalog: "main", tables: tables)
        try await engine().run(sql, over: scope, format: .csv, to: output, limits: Self.limits)
        try output.seek(toOffset: 0)
        let text = String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").dropFirst().map(String.init)
    }

    /// Every row of silver and gold as a line, fields of `requestParams` in the order of their names and without those
    /// that are missing, so that tables of other histories can be the same.
    func rows(of layer: ReplayLayer) async throws -> [String] {
        let names = try lake.tables().filter {
            layer == .silver ? $0 == settings.silver : $0.schema == settings.goldSchema
        }
        var found: [String] = []
        for name in names {
            let parameters = try table(name).columns().first { $0.name == "requestParams" }
            var text = "CAST(requestParams AS VARCHAR)"
            if let type = parameters?.type, type.hasPrefix("struct<") {
                let fields = type.dropFirst("struct<".count).dropLast().split(separator: ",").map {
                    String($0.prefix { $0 != ":" })
                }
                text = fields.sorted().map { "coalesce('\($0)=' || requestParams.\"\($0)\", '')" }.joined(
                    separator: " || "
                )
            }
            let sql =
                "SELECT '\(name)' AS name, \(text) AS params, * EXCLUDE (requestParams) FROM \(name) ORDER BY ALL"
            found += try await lines(sql, over: [name])
        }
        // Lakes of two fixtures compare.
        return found.map { $0.replacing(root, with: "") }
    }

    /// By table, the batch that its `txn` says.
    func transactions() throws -> [String: [Int64]] {
        var found: [String: [Int64]] = [:]
        for name in try lake.tables() {
            found[name.description] = try table(name).head.transactions.values.map(\.version)
        }
        return found
    }

    /// Every file and folder of the lake.
    func paths() throws -> Set<String> {
        let all = try #require(FileManager.default.enumerator(atPath: lakePath))
        return Set(all.compactMap { $0 as? String })
    }

    /// Data files of the lake that no log names.
    func strayFiles() throws -> [String] {
        let known = try lake.tables().flatMap { name in
            let snapshot = try table(name).snapshot()
            return (Array(snapshot.files.keys) + Array(snapshot.tombstones.keys)).map {
                "\(name.folder)/\($0.decoded)"
            }
        }
        return try paths().subtracting(known).filter {
            $0.hasSuffix(".parquet") && !$0.contains("_delta_log")
        }
    }
}

extension ShadowTable {
    /// How the made rows differ from the present ones.
    func difference(_ engine: QueryEngine) async throws -> TableDifference {
        func named(_ isPartition: Bool) -> [QueryColumn] {
            columns.filter { $0.isPartition == isPartition }.map { QueryColumn($0.name, $0.engineType) }
        }
        let comparison = TableComparison(
            before: liveFiles,
            after: shadowFiles,
            othersBefore: otherLiveFiles,
            othersAfter: foreignFiles,
            columns: named(false),
            partitionColumns: named(true),
            key: key,
            order: order,
            paths: comparedPaths
        )
        return try await engine.compare(comparison, limits: ReplayFixture.limits)
    }
}
