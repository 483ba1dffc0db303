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
    /// Batches that came into tables which were left for later.
    var lateBatches: Int
    /// Their rows, by table.
    var lateRows: [String: Int]
    var seconds: Double
    var pending: [String: UInt64]
    var remarks: [String]
    /// Messages about objects, by what became of them.
    var notifications: [String: Int]?

    /// A person reads no more.
    private static let listedTableCount = 20

    private var isGoldOnly = false

    private enum CodingKeys: CodingKey {
        case pipeline, table, batches, redoneBatches, rows, quarantined, leftOut, bytes, lostBytes
        case lateBatches, lateRows, seconds, pending, remarks, notifications
    }

    init(_ settings: PipelineSettings, summary: RunSummary, seconds: Double) {
        pipeline = settings.name
        table = settings.target
        isGoldOnly = table != settings.mainTable.description
        lateBatches = summary.lateBatches
        lateRows = Dictionary(uniqueKeysWithValues: summary.lateRows.map { ($0.description, $1) })
        batches = summary.batches
        redoneBatches = summary.redoneBatches
        rows = isGoldOnly ? lateRows.values.reduce(0, +) : summary.rows
        quarantined = summary.quarantined
        leftOut = summary.leftOut
        bytes = summary.bytes
        lostBytes = summary.lostBytes
        self.seconds = (seconds * 1_000).rounded() / 1_000
        pending = summary.pending
        remarks = summary.remarks.map(\.words)
        notifications = summary.notifications.map { counts in
            [
                "received": counts.received, "of_others": counts.ofOthers, "strange": counts.strange,
                "deleted": counts.deleted,
            ]
        }
    }

    /// A few lines for people.
    var text: String {
        let time = "in \(String(format: "%.2f", seconds)) s"
        let gold =
            "\(lateRows.values.reduce(0, +)) rows of \(lateBatches) batch(es) for \(lateRows.count) gold tables"
        var lines =
            isGoldOnly
            ? ["\(pipeline): \(gold) \(time) -> \(table)"]
            : ["\(pipeline): \(rows) rows, \(bytes) bytes, \(quarantined) quarantined \(time) -> \(table)"]
        if lateBatches > 0, !isGoldOnly { lines.append("  brought in what was left for gold: \(gold)") }
        let largest = lateRows.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        lines += largest.prefix(Self.listedTableCount).map { "  \($0): \($1) rows" }
        if largest.count > Self.listedTableCount {
            lines.append("  and \(largest.count - Self.listedTableCount) smaller ones")
        }
        if redoneBatches > 0 {
            lines.append("  finished \(redoneBatches) batch(es) that an earlier run had begun")
        }
        if leftOut > 0 { lines.append("  \(leftOut) records left out by the pipeline's settings") }
        if lostBytes > 0 { lines.append("  \(lostBytes) bytes were lost; the receipts name them") }
        if let notifications {
            let count = { (key: String) in notifications[key] ?? 0 }
            lines.append(
                "  queue: \(count("received")) notifications, \(count("of_others")) of them of other objects or events; \(count("deleted")) messages deleted"
            )
        }
        for (path, count) in pending.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(path): \(count) bytes at its end are no whole record yet and wait for the rest")
        }
        return (lines + remarks.map { "  note: \($0)" }).joined(separator: "\n")
    }
}

extension SourceRemark {
    /// What a person is told.
    var words: String {
        switch self {
        case .files(let remark): remark.words
        case .objects(.nothingMatches(let pattern)): "nothing matches \(pattern)"
        case .objects(.endsTooEarly(let key)): "\(key) ends too early and is read when it is whole"
        case .objects(.isDamaged(let key)): "\(key) cannot be decompressed and was left out"
        case .objects(.nameIsNotText(let path)): "the name of \(path) is no UTF-8; it was left out"
        case .objects(.areTooOld(let count)):
            "\(count) objects are older than `forget_after` keeps in mind and are not read; most of them were read before"
        case .objects(.isNoNotification(let message)):
            "message \(message) of the queue is no notification of an object; it was left to the queue's redrive policy"
        case .prefixChanged(let key):
            "\(key) has other lines than those that were read, and was left alone; `on_change: reingest` reads it again"
        case .readAgain(let key): "\(key) has other lines than those that were read, and is read again whole"
        }
    }
}

extension TailedFileSource.Remark {
    /// What a person is told.
    var words: String {
        switch self {
        case .nothingMatches(let pattern): "nothing matches \(pattern)"
        case .isFolder(let path):
            "\(path) is a folder and was left out; write \(path)/*.csv to read its files"
        case .startsAnew(let path): "\(path) was replaced or truncated and is read from its start"
        case .endsTooEarly(let path): "\(path) ends too early and is read when it is whole"
        case .isDamaged(let path): "\(path) cannot be decompressed and was left out"
        case .namesNoLog(let path): "\(path) names no csvlog or jsonlog file"
        case .copyIsDamaged(let path, let original):
            "\(path) in the spool is gone or was cut; what it had of \(original) is lost unless that file is there"
        case .spoolIsUnreadable(let path): "the spool \(path) cannot be read; only the logs themselves are"
        case .cannotBeListed(let pattern):
            "a folder on the way of \(pattern) cannot be listed; what lies in it is not read"
        case .hidesLosses(let path):
            "\(path) cannot be looked at now: what was seen while the lake was down and is nowhere else is called lost only when it can"
        case .copyDoesNotFit(let path):
            "\(path) in the spool begins behind what this lake has of its file, and is not read: it was made beside another lake"
        }
    }
}
