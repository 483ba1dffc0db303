import Foundation
import Intake
import Pipelines

/// What a run prints when it is done.
struct RunReport: Encodable {
    var pipeline: String
    var table: String
    var batches: Int
    var redoneBatches: Int
    var rows: Int
    var quarantined: Int
    var leftOut: Int
    var bytes: UInt64
    var lostBytes: UInt64
    var seconds: Double
    var pending: [String: UInt64]
    var remarks: [String]

    init(pipeline: String, table: String, summary: RunSummary, seconds: Double) {
        self.pipeline = pipeline
        self.table = table
        batches = summary.batches
        redoneBatches = summary.redoneBatches
        rows = summary.rows
        quarantined = summary.quarantined
        leftOut = summary.leftOut
        bytes = summary.bytes
        lostBytes = summary.lostBytes
        self.seconds = (seconds * 1_000).rounded() / 1_000
        pending = summary.pending
        remarks = summary.remarks.map { remark in
            switch remark {
            case .nothingMatches(let pattern): "nothing matches \(pattern)"
            case .isFolder(let path):
                "\(path) is a folder and was left out; write \(path)/*.csv to read its files"
            case .startsAnew(let path): "\(path) was replaced or truncated and is read from its start"
            case .endsTooEarly(let path): "\(path) ends too early and is read when it is whole"
            case .isDamaged(let path): "\(path) cannot be decompressed and was left out"
            case .namesNoLog(let path): "\(path) names no csvlog or jsonlog file"
            }
        }
    }

    /// One JSON object on one line.
    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// A few lines for people.
    var text: String {
        var lines = [
            "\(pipeline): \(rows) rows, \(bytes) bytes, \(quarantined) quarantined in \(String(format: "%.2f", seconds)) s -> \(table)"
        ]
        if redoneBatches > 0 {
            lines.append("  finished \(redoneBatches) batch(es) that an earlier run had begun")
        }
        if leftOut > 0 { lines.append("  \(leftOut) records left out by `keep: audit`") }
        if lostBytes > 0 { lines.append("  \(lostBytes) planned bytes were lost; the receipts name them") }
        for (path, count) in pending.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(path): \(count) bytes at its end are no whole record yet and wait for the rest")
        }
        return (lines + remarks.map { "  note: \($0)" }).joined(separator: "\n")
    }
}
