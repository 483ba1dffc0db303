import BatchProtocol
import Logging
import Pipelines

/// How what a room reports reads; the command line has the words.
package struct EventWords: Sendable {
    /// What a remark of the source says.
    package var remark: @Sendable (SourceRemark) -> String
    /// What an error says, with the way to mend it.
    package var error: @Sendable (any Error) -> String

    /// Creates words.
    package init(
        remark: @escaping @Sendable (SourceRemark) -> String,
        error: @escaping @Sendable (any Error) -> String
    ) {
        self.remark = remark
        self.error = error
    }
}

/// Turns a pipeline's events into log lines: counts, paths and rules, never the content of a record.
struct EventLog: Sendable {
    /// Knows the pipeline.
    let logger: Logger
    let words: EventWords
    /// A file's size now, in bytes; nil when it is gone.
    let sizeOfFile: @Sendable (String) -> UInt64?

    /// Logs an event.
    func log(_ event: PipelineEvent) {
        switch event {
        case .committed(let report): log(report)
        case .remark(let remark):
            logger.notice("\(words.remark(remark))", metadata: ["event": "source_remark"])
        case .broughtIn(let batch, let rows):
            let count = rows.values.reduce(0, +)
            logger.info(
                "batch \(batch) is in gold: \(count) rows in \(rows.count) tables",
                metadata: [
                    "event": "gold_brought_in",
                    "batch": .stringConvertible(batch),
                    "rows": .stringConvertible(count),
                    "tables": .stringConvertible(rows.count),
                ]
            )
        case .caughtUp(let pending):
            let bytes = pending?.values.reduce(0, +) ?? 0
            logger.debug(
                "caught up; \(bytes) bytes are no whole record yet",
                metadata: ["event": "caught_up", "pending_bytes": .stringConvertible(bytes)]
            )
        case .unreadable(let errors):
            if errors.isEmpty {
                logger.notice("every file can be read again", metadata: ["event": "readable"])
            }
            for error in errors {
                let words = words.error(error)
                logger.error("\(words)", metadata: ["event": "unreadable", "error": .string(words)])
            }
        case .spool(let event): log(event)
        case .retrying(let error, let delay):
            let seconds = Double(delay.components.seconds) + Double(delay.components.attoseconds) / 1e18
            logger.warning(
                "\(words.error(error)); trying again in \(seconds) s",
                metadata: [
                    "event": "retrying", "error": .string(words.error(error)),
                    "delay_seconds": .stringConvertible(seconds),
                ]
            )
        }
    }

    private func log(_ report: BatchReport) {
        let seconds = Double(report.finishedAt - report.plannedAt) / 1_000_000
        let leftOut = report.leftOut.filter { $0.value > 0 }
        var facts = ["\(report.rows) rows", "\(report.bytes) bytes"]
        if report.quarantined > 0 { facts.append("\(report.quarantined) quarantined") }
        for (reason, count) in leftOut.sorted(by: { $0.key < $1.key }) {
            facts.append("\(count) left out by \(reason)")
        }
        if report.isRedone { facts.append("begun by an earlier run") }
        let lag = report.offsets.reduce(0 as UInt64) { lag, file in
            lag + (sizeOfFile(file.key).map { $0 > file.value ? $0 - file.value : 0 } ?? 0)
        }
        if lag > 0 { facts.append("\(lag) bytes behind") }
        logger.info(
            "batch \(report.batch): \(facts.joined(separator: ", ")), \(seconds) s",
            metadata: [
                "event": "batch_committed",
                "batch": .stringConvertible(report.batch),
                "rows": .stringConvertible(report.rows),
                "bytes": .stringConvertible(report.bytes),
                "quarantined": .stringConvertible(report.quarantined),
                "left_out": .dictionary(leftOut.mapValues { .stringConvertible($0) }),
                "planned_at": .string(UTCTime.text(microseconds: report.plannedAt)),
                "duration_seconds": .stringConvertible(seconds),
                "lag_bytes": .stringConvertible(lag),
                "redone": .stringConvertible(report.isRedone),
            ]
        )
        for result in report.expectations where result.failed > 0 { log(result, of: report) }
    }

    private func log(_ result: ExpectationResult, of report: BatchReport) {
        let samples = result.samples.joined(separator: "; ")
        logger.warning(
            "\(result.rule): broken \(result.failed) times: \(samples)",
            metadata: [
                "event": "expectation_broken",
                "batch": .stringConvertible(report.batch),
                "rule": .string(result.name),
                "action": .string(result.action.rawValue),
                "failed": .stringConvertible(result.failed),
                "checked": .stringConvertible(result.checked),
                "samples": .array(result.samples.map { .string($0) }),
            ]
        )
    }
}
