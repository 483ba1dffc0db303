import Foundation
import Pipelines
import Telemetry

/// What `auditlake status` prints of a pipeline.
struct StatusReport: Encodable {
    private struct Failure: Encodable {
        var message: String
        var time: String
    }

    private var pipeline: String
    private var table: String
    private var lastBatch: UInt64
    private var lastBatchTime: String?
    private var lastBatchRows: Int
    private var openBatch: UInt64?
    private var rowsPerSecond: Double
    private var lagBytes: UInt64
    private var lagSeconds: Double?
    private var pendingBytes: UInt64
    private var quarantinedRows: Int
    private var quarantineBatches: Int
    private var vanishedFiles: Int
    private var filesLeftAlone: Int
    private var filesLeftAloneFirst: [String]
    private var goldBehindBatches: Int?
    private var goldBehindRows: Int?
    private var lastError: Failure?
    private var spool: SpoolReport?
    private var files: [SourceFileStatus]

    init(_ status: PipelineStatus) {
        let backlog = status.backlog
        pipeline = status.pipeline
        table = status.table
        lastBatch = status.lastBatch
        lastBatchTime = status.lastBatchAt.map(UTCTime.text)
        lastBatchRows = status.lastBatchRows
        openBatch = status.openBatch
        rowsPerSecond = Self.rounded(status.rowsPerSecond)
        lagBytes = backlog.lagBytes
        lagSeconds = backlog.lagSeconds.map(Self.rounded)
        pendingBytes = backlog.pendingBytes
        quarantinedRows = status.quarantinedRows
        quarantineBatches = status.quarantineBatches
        vanishedFiles = status.vanishedFiles
        filesLeftAlone = status.leftAlone.count
        filesLeftAloneFirst = status.leftAlone.keys
        goldBehindBatches = status.gold?.batches
        goldBehindRows = status.gold?.rows
        lastError = status.lastError.map {
            Failure(message: $0.message, time: UTCTime.text(microseconds: $0.at))
        }
        spool = status.spool.map(SpoolReport.init)
        files = status.files.map { file in
            var file = file
            file.lagSeconds = file.lagSeconds.map(Self.rounded)
            return file
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

    /// Some lines for people.
    var text: String {
        var lines = ["\(pipeline) -> \(table)"]
        if let lastBatchTime {
            lines.append("  last batch \(lastBatch) of \(lastBatchTime): \(lastBatchRows) rows")
            lines.append(
                "  \(rowsPerSecond) rows/s over the last minute, \(quarantinedRows) rows quarantined in the last \(quarantineBatches) batches"
            )
        } else {
            lines.append("  no batch yet")
        }
        if let openBatch {
            lines.append("  batch \(openBatch) is under way, or was left open by a run that ended")
        }
        let age = lagSeconds.map { " (the oldest \($0) s old)" } ?? ""
        lines.append("  lag \(lagBytes) bytes\(lagBytes > 0 ? age : ""), \(pendingBytes) bytes pending")
        if let goldBehindBatches, let goldBehindRows, goldBehindBatches > 0 {
            lines.append(
                "  gold is \(goldBehindBatches) batches behind, \(goldBehindRows) rows: auditlake run --once --only gold \(pipeline)"
            )
        }
        if vanishedFiles > 0 {
            lines.append("  \(vanishedFiles) files that were read are gone or match no more")
        }
        if filesLeftAlone > 0 {
            let names =
                filesLeftAloneFirst.joined(separator: ", ")
                + (filesLeftAlone > filesLeftAloneFirst.count ? ", …" : "")
            lines.append(
                "  \(filesLeftAlone) files have other lines than those that were read and were left alone: \(names)"
            )
        }
        if let lastError { lines.append("  last error at \(lastError.time): \(lastError.message)") }
        if let spool { lines.append("  \(spool.text)") }
        guard !files.isEmpty else {
            return
                (lines + [lastBatch > 0 && vanishedFiles == 0 ? "  nothing is unread" : "  no file matches"])
                .joined(separator: "\n")
        }
        return (lines + table(of: files).split(separator: "\n").map { "  \($0)" }).joined(separator: "\n")
    }

    private func table(of files: [SourceFileStatus]) -> String {
        TextTable(
            header: ["file", "format", "offset", "size", "lag", "lag s", "pending"],
            rows: files.map { file in
                [
                    file.path, file.format ?? "-", "\(file.offset)", "\(file.byteCount)", "\(file.lagBytes)",
                    file.lagSeconds.map { "\($0)" } ?? "-", "\(file.pendingBytes)",
                ]
            }
        ).text
    }
}

/// What `auditlake status` prints of a spool.
struct SpoolReport: Encodable {
    private var isOpen: Bool
    private var since: String
    private var reason: String
    private var bytes: UInt64
    private var refusedBytes: UInt64
    private var heldBackBy: [String]

    init(_ status: SpoolStatus) {
        isOpen = status.isOpen
        since = UTCTime.text(microseconds: status.since)
        reason = status.reason
        bytes = status.byteCount
        refusedBytes = status.refusedByteCount
        heldBackBy = status.heldBackBy
    }

    /// A line for people.
    var text: String {
        let state = isOpen ? "the lake is down since \(since)" : "the lake was down from \(since) on"
        let refused =
            refusedBytes > 0 ? "; \(refusedBytes) more were seen, and are in the log files alone" : ""
        let held =
            heldBackBy.isEmpty
            ? ""
            : "; a loss is not told while these cannot be looked at: \(heldBackBy.joined(separator: ", "))"
        return "\(state) (\(reason)): the spool holds \(bytes) bytes\(refused)\(held)"
    }
}

extension Encodable {
    /// The value as one line of JSON with keys in snake case.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
