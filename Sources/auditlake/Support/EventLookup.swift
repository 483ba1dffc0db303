import Catalog
import Foundation
import Pipelines

/// Finds lines and events of a Databricks pipeline for `auditlake trace event`.
struct EventLookup {
    /// Which lines are looked for.
    enum Wanted {
        /// That of an event.
        case event(String)
        /// That of a byte of an object, in each batch that has read it.
        case byte(UInt64, of: String)
    }

    /// A line of bronze.
    struct Line: Codable, Hashable {
        var source: String
        var offset: UInt64
        var length: UInt64
        var ingestedAt: Int64
    }

    /// A row of silver.
    struct Event: Codable, Hashable {
        var eventID: String
        var offset: UInt64
        var service: String?
        var date: String
    }

    private struct Name: Codable {
        var name: String
    }

    private struct Count: Codable {
        var count: Int
    }

    let reading: LakeReading
    let settings: DatabricksPipelineSettings

    private var rows: RowLookup { RowLookup(reading: reading) }

    /// The lines, in the order in which they were read.
    func lines(_ wanted: Wanted) async throws -> [Line] {
        let condition =
            switch wanted {
            case .event(let id):
                """
                EXISTS (SELECT 1 FROM \(RowLookup.name(settings.silver)) s WHERE s.event_id = \(RowLookup.quoted(id))
                    AND s.source = b.source AND s.ingest_ts = b.ingest_ts
                    AND s.source_offset >= b.source_offset AND s.source_offset < b.source_offset + \(Self.length))
                """
            case .byte(let byte, let source):
                "source = \(RowLookup.quoted(source)) AND source_offset <= \(byte) AND source_offset + \(Self.length) > \(byte)"
            }
        return try await rows.select(
            """
            SELECT source, source_offset AS "offset", \(Self.length) AS "length", epoch_us(ingest_ts) AS "ingestedAt"
            FROM \(RowLookup.name(settings.bronze)) b WHERE \(condition) ORDER BY ingest_ts, source_offset
            """
        )
    }

    /// Bytes of a line as it was in the source.
    private static let length =
        "CASE WHEN raw_encoding IS NULL THEN octet_length(encode(raw)) ELSE length(raw) END"

    /// The rows of silver that a line has become.
    func events(of line: Line) async throws -> [Event] {
        try await rows.select(
            """
            SELECT event_id AS "eventID", source_offset AS "offset", serviceName AS service, CAST(date AS VARCHAR) AS date
            FROM \(RowLookup.name(settings.silver)) WHERE \(Self.isOf(line)) ORDER BY source_offset
            """
        )
    }

    /// What of a line went to the quarantine.
    func faults(of line: Line) async throws -> [RowLookup.Fault] {
        try await rows.select(
            """
            SELECT source_offset AS "offset", length, reason, detail FROM \(RowLookup.name(settings.quarantine))
            WHERE \(Self.isOf(line)) ORDER BY source_offset
            """
        )
    }

    /// The gold table that has an event's row; nil when none has it yet.
    func goldTable(of event: Event, _ line: Line) async throws -> TableName? {
        let services = TableName(
            catalog: settings.catalog,
            schema: Lake.reservedName,
            table: "service_schemas"
        )
        guard try reading.lake.table(services) != nil else { return nil }
        let names: [Name] = try await rows.select(
            """
            SELECT DISTINCT "table" AS name
            FROM \(RowLookup.name(services))
            WHERE pipeline = \(RowLookup.quoted(settings.name)) AND service = \(RowLookup.quoted(event.service ?? ""))
            """
        )
        guard let name = names.first?.name else { return nil }
        let table = TableName(catalog: settings.catalog, schema: settings.goldSchema, table: name)
        guard try reading.lake.table(table) != nil else { return nil }
        let counts: [Count] = try await rows.select(
            """
            SELECT count(*) AS count FROM \(RowLookup.name(table))
            WHERE \(Self.isOf(line)) AND source_offset = \(event.offset) AND event_id = \(RowLookup.quoted(event.eventID))
            """
        )
        return counts.contains { $0.count > 0 } ? table : nil
    }

    private static func isOf(_ line: Line) -> String {
        """
        source = \(RowLookup.quoted(line.source)) AND epoch_us(ingest_ts) = \(line.ingestedAt)
            AND source_offset >= \(line.offset) AND source_offset < \(line.offset + max(line.length, 1))
        """
    }
}
