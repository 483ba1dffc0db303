import Catalog
import Foundation
import Pipelines
import Telemetry

/// What `auditlake trace row` prints of a row.
struct RowTrace: Encodable {
    private var pipeline: String
    private var table: String
    private var row: RowLookup.Row
    private var places: [PlaceReport]

    init(_ settings: PostgresPipelineSettings, _ row: RowLookup.Row, _ places: [RecordPlace]) {
        pipeline = settings.name
        table = settings.table.description
        self.row = row
        self.places = places.map(PlaceReport.init)
    }

    /// Some lines for people.
    var text: String {
        let head =
            "\(table): session \(row.session), line \(row.line), node \(row.node ?? "-"), \(row.eventTime), \(row.commandTag ?? "-")"
        return ([head] + places.flatMap(\.lines)).joined(separator: "\n")
    }
}

/// Where a record lies, in words.
struct PlaceReport: Encodable {
    private var batch: UInt64
    private var ingestTs: String
    private var path: String
    private var currentPath: String?
    private var rangeFrom: UInt64
    private var rangeTo: UInt64
    private var offset: UInt64?
    private var length: Int?
    private var recordInRange: Int?

    init(_ place: RecordPlace) {
        batch = place.batch
        ingestTs = UTCTime.text(microseconds: place.plannedAt)
        path = place.path
        currentPath = place.currentPath
        rangeFrom = place.rangeFrom
        rangeTo = place.rangeTo
        offset = place.offset
        length = place.byteCount
        recordInRange = place.ordinal
    }

    var lines: [String] {
        var lines = ["  batch \(batch) of \(ingestTs): bytes \(rangeFrom) to \(rangeTo) of \(path)"]
        if let currentPath, currentPath != path { lines.append("  the file is now \(currentPath)") }
        if let offset, let length {
            let ordinal = recordInRange.map { ", record \($0) of the range" } ?? ", no record"
            lines.append("  byte \(offset), \(length) bytes\(ordinal)")
        } else if currentPath == nil {
            lines.append(
                "  the file is gone: no file that the pipeline's patterns match holds these bytes any more"
            )
        }
        return lines
    }
}

/// What `auditlake trace record` prints of a byte.
struct ByteTrace: Encodable {
    /// What became of the byte.
    private enum Outcome: String, Encodable {
        case row
        case quarantined
        case leftOut = "left_out"
        case notCommitted = "not_committed"
        case unread
        case pending
        case passedOver = "passed_over"
        case beyondEnd = "beyond_end"
        case fileGone = "file_gone"
    }

    private var pipeline: String
    private var file: String
    private var byte: UInt64
    private var outcome: Outcome
    private var place: PlaceReport?
    private var offset: UInt64?
    private var length: UInt64?
    private var session: String?
    private var line: Int64?
    private var table: String?
    private var rows: [RowLookup.Row] = []
    private var faults: [RowLookup.Fault] = []

    init(_ settings: PostgresPipelineSettings, file: String, byte: UInt64, _ fate: SourceTrace.ByteFate) {
        pipeline = settings.name
        self.file = file
        self.byte = byte
        switch fate {
        case .planned(let place, let isCommitted):
            outcome = place.currentPath == nil ? .fileGone : isCommitted ? .leftOut : .notCommitted
            self.place = PlaceReport(place)
            session = place.identity?.session
            line = place.identity?.line
        case .unread(let offset, let count): (outcome, self.offset, length) = (.unread, offset, UInt64(count))
        case .pending(let offset, let count): (outcome, self.offset, length) = (.pending, offset, count)
        case .beyondEnd(let count): (outcome, length) = (.beyondEnd, count)
        case .passedOver, .foreign: outcome = .passedOver
        }
    }

    /// Looks for the row or the quarantine's row of a committed record.
    mutating func findRows(
        of place: RecordPlace,
        _ settings: PostgresPipelineSettings,
        _ reading: LakeReading
    ) async throws {
        let lookup = RowLookup(reading: reading)
        if let identity = place.identity {
            rows = try await lookup.rows(of: identity, in: settings.table, ingestedAt: place.plannedAt)
        }
        if !rows.isEmpty {
            outcome = .row
            table = settings.table.description
            return
        }
        faults = try await lookup.faults(
            at: byte,
            of: place.path,
            in: settings.quarantine,
            ingestedAt: place.plannedAt
        )
        if !faults.isEmpty {
            outcome = .quarantined
            table = settings.quarantine.description
        }
    }

    /// Some lines for people.
    var text: String {
        let record = session.map { "session \($0), line \(line ?? 0)" } ?? "no record"
        let said =
            switch outcome {
            case .row: "\(record): \(rows.count == 1 ? "a row" : "\(rows.count) rows") of \(table ?? "")"
            case .quarantined:
                "a row of \(table ?? ""): "
                    + faults.map { "\($0.reason), \($0.length) bytes from byte \($0.offset)" }.joined(
                        separator: "; "
                    )
            case .leftOut: "\(record): no row; a setting such as `keep` leaves it out"
            case .notCommitted: "\(record): planned, not committed yet; auditlake run finishes the batch"
            case .unread: "not read yet: a record of \(length ?? 0) bytes from byte \(offset ?? 0)"
            case .pending: "pending: \(length ?? 0) bytes from byte \(offset ?? 0) are no whole record yet"
            case .passedOver: "not wanted: `start` began behind it"
            case .fileGone: "which record it is cannot be told any more"
            case .beyondEnd: "there is no such byte: the file has \(length ?? 0) bytes"
            }
        return (["\(file), byte \(byte), pipeline \(pipeline)", "  \(said)"] + (place?.lines ?? [])).joined(
            separator: "\n"
        )
    }
}
