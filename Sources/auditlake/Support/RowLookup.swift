import Catalog
import Foundation
import Pipelines
import Query

/// Finds rows of the lake for `auditlake trace`.
struct RowLookup {
    let reading: LakeReading

    /// A row of an audit table, as far as it tells where it comes from.
    struct Row: Codable, Hashable {
        var session: String
        var line: Int64
        var node: String?
        var ingestedAt: Int64
        var eventTime: String
        var commandTag: String?
        var result: String?
    }

    /// A row of a quarantine table.
    struct Fault: Codable, Hashable {
        var offset: UInt64
        var length: UInt64
        var reason: String
        var detail: String?
    }

    /// The rows of a record; with `instant`, those of one batch.
    func rows(
        of identity: RecordIdentity,
        in table: TableName,
        node: String? = nil,
        ingestedAt instant: Int64? = nil
    ) async throws -> [Row] {
        var conditions = [
            "session_id = \(Self.quoted(identity.session))",
            "extra['session_line_num'] = \(Self.quoted("\(identity.line)"))",
        ]
        if let node { conditions.append("extra['node'] = \(Self.quoted(node))") }
        if let instant { conditions.append("epoch_us(ingest_ts) = \(instant)") }
        return try await select(
            """
            SELECT session_id AS session, CAST(extra['session_line_num'] AS BIGINT) AS line, extra['node'] AS node,
                epoch_us(ingest_ts) AS "ingestedAt", strftime(event_time, '%Y-%m-%dT%H:%M:%S.%gZ') AS "eventTime",
                command_tag AS "commandTag", result
            FROM \(Self.name(table)) WHERE \(conditions.joined(separator: " AND ")) ORDER BY ingest_ts, event_time
            """
        )
    }

    /// The rows of a quarantine table whose bytes hold one of a file.
    func faults(
        at byte: UInt64,
        of path: String,
        in table: TableName,
        ingestedAt instant: Int64
    ) async throws -> [Fault] {
        try await select(
            """
            SELECT source_offset AS "offset", length, reason, detail FROM \(Self.name(table))
            WHERE source = \(Self.quoted(path)) AND source_offset <= \(byte) AND source_offset + length > \(byte)
                AND epoch_us(ingest_ts) = \(instant)
            """
        )
    }

    static func quoted(_ text: String) -> String {
        "'\(text.replacingOccurrences(of: "'", with: "''"))'"
    }

    static func name(_ table: TableName) -> String {
        [table.catalog, table.schema, table.table].map {
            "\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\""
        }
        .joined(separator: ".")
    }

    /// The rows that a query gives.
    func select<Result: Decodable>(_ sql: String) async throws -> [Result] {
        let engine = try reading.configuration.queryEngine()
        let path = "\(NSTemporaryDirectory())/auditlake-trace-\(UUID().uuidString)"
        let handle = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard handle >= 0 else {
            throw UsageError(message: "\(path) cannot be written", mend: "set TMPDIR to a folder with room")
        }
        unlink(path)
        let output = FileHandle(fileDescriptor: handle, closeOnDealloc: true)
        let limits = QueryLimits(
            memoryByteCount: 1_000_000_000,
            threadCount: ProcessInfo.processInfo.activeProcessorCount
        )
        try await engine.run(sql, over: try reading.scope(), format: .json, to: output, limits: limits)
        try output.seek(toOffset: 0)
        let data = try output.readToEnd() ?? Data()
        // The engine writes nothing at all for a result without rows.
        guard data.contains(UInt8(ascii: "{")) else { return [] }
        return try JSONDecoder().decode([Result].self, from: data)
    }
}
