import Foundation
import Pipelines
import Telemetry

/// What `auditlake trace event` prints of a line.
struct EventTrace: Encodable {
    private struct Row: Encodable {
        var eventId: String
        var offset: UInt64
        var service: String?
        var date: String
        var tables: [String]
    }

    private var pipeline: String
    private var batch: UInt64?
    private var ingestTs: String
    private var source: String
    private var offset: UInt64
    private var length: UInt64
    private var bronze: String
    private var events: [Row] = []
    private var faults: [RowLookup.Fault] = []
    private var quarantine: String

    /// Gathers what became of a line.
    init(_ line: EventLookup.Line, _ lookup: EventLookup) async throws {
        let settings = lookup.settings
        pipeline = settings.name
        let search = try BatchSearch(pipeline: settings.name, lake: lookup.reading.lake)
        batch = try search?.batches(plannedAt: line.ingestedAt).first?.batch
        ingestTs = UTCTime.text(microseconds: line.ingestedAt)
        source = line.source
        offset = line.offset
        length = line.length
        bronze = settings.bronze.description
        quarantine = settings.quarantine.description
        for event in try await lookup.events(of: line) {
            let gold = try await lookup.goldTable(of: event, line)
            events.append(
                Row(
                    eventId: event.eventID,
                    offset: event.offset,
                    service: event.service,
                    date: event.date,
                    tables: [settings.silver.description] + (gold.map { [$0.description] } ?? [])
                )
            )
        }
        faults = try await lookup.faults(of: line)
    }

    /// Some lines for people.
    var text: String {
        let number = batch.map { "batch \($0)" } ?? "a batch"
        let head = [
            "\(source), byte \(offset), \(length) bytes, pipeline \(pipeline)",
            "  \(number) of \(ingestTs): a row of \(bronze)",
        ]
        let rows = events.map { event in
            let later = event.tables.count > 1 ? "" : "; in no gold table yet"
            return
                "  event \(event.eventId) of \(event.service ?? "no service"), \(event.date): \(event.tables.joined(separator: ", "))\(later)"
        }
        let lost = faults.map { fault in
            "  a row of \(quarantine): \(fault.reason), \(fault.length) bytes from byte \(fault.offset)"
        }
        return (head + rows + lost).joined(separator: "\n")
    }
}
