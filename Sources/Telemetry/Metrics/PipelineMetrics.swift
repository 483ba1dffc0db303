import Pipelines

/// What a pipeline has done since the process began, and where it stands.
struct PipelineMetrics: Sendable {
    var batches = 0
    var redoneBatches = 0
    var rows = 0
    var bytes: UInt64 = 0
    var quarantined = 0
    /// Rows of tables that were left for later.
    var lateRows = 0
    var leftOut: [String: Int] = [:]
    var brokenExpectations: [String: Int] = [:]
    var errors = 0
    var batchDurations = DurationHistogram()
    /// Microseconds since 1970-01-01 UTC; nil before the first commit of this process.
    var lastCommit: Int64?
    /// What lies unread; nil before the first look.
    var backlog: PipelineBacklog?
    /// What is kept while the lake is down.
    var spool = SpoolMetrics()
    /// Bytes that vanished before they were read.
    var lostBytes: UInt64 = 0
    /// Whether the last step failed, or a file cannot be read.
    var isFailing: Bool { hasFailed || hasUnreadable }

    private var hasFailed = false
    private var hasUnreadable = false

    /// Takes in what has happened.
    mutating func apply(_ event: PipelineEvent) {
        switch event {
        case .committed(let report): apply(report)
        case .broughtIn(_, let rows):
            lateRows += rows.values.reduce(0, +)
            hasFailed = false
        case .caughtUp(let pending):
            hasFailed = false
            guard let pending else { return }
            let bytes = pending.values.reduce(0, +)
            let gold = backlog?.gold
            backlog = PipelineBacklog(lagBytes: 0, lagSeconds: 0, pendingBytes: bytes, gold: gold)
        case .retrying: fail()
        case .unreadable(let unreadable):
            errors += unreadable.count
            hasUnreadable = !unreadable.isEmpty
        case .spool(let event): spool.apply(event)
        case .remark: break
        }
    }

    /// Takes in a step that failed.
    mutating func fail() {
        errors += 1
        hasFailed = true
    }

    private mutating func apply(_ report: BatchReport) {
        batches += 1
        redoneBatches += report.isRedone ? 1 : 0
        rows += report.rows
        bytes += report.bytes
        quarantined += report.quarantined
        lostBytes += report.lostBytes
        leftOut.merge(report.leftOut, uniquingKeysWith: +)
        for result in report.expectations { brokenExpectations[result.name, default: 0] += result.failed }
        // An open batch of an earlier run was planned long ago: that time says nothing of this process.
        if !report.isRedone {
            batchDurations.observe(Double(report.finishedAt - report.plannedAt) / 1_000_000)
        }
        lastCommit = report.finishedAt
        hasFailed = false
    }
}

extension Exposition {
    /// The metrics of pipelines and process, in a fixed order.
    init(_ pipelines: [String: PipelineMetrics], process: ProcessUsage?, version: String) {
        self.init()
        append(
            "auditlake_build_info",
            .gauge,
            help: "The release that runs; always 1.",
            [Sample(labels: [("version", version)], value: 1)]
        )
        let sorted = pipelines.sorted { $0.key < $1.key }
        counters(sorted)
        gauges(sorted)
        if let process { append(process) }
    }

    private typealias Pipelines = [(key: String, value: PipelineMetrics)]

    private mutating func counters(_ pipelines: Pipelines) {
        func samples(_ value: (PipelineMetrics) -> Double) -> [Sample] {
            pipelines.map { Sample(labels: [("pipeline", $0.key)], value: value($0.value)) }
        }
        func samples(by label: String, _ values: (PipelineMetrics) -> [String: Int]) -> [Sample] {
            pipelines.flatMap { pipeline in
                values(pipeline.value).sorted { $0.key < $1.key }.map { key, count in
                    Sample(labels: [("pipeline", pipeline.key), (label, key)], value: Double(count))
                }
            }
        }
        append(
            "auditlake_rows_total",
            .counter,
            help: "Rows committed to the table.",
            samples { Double($0.rows) }
        )
        append(
            "auditlake_read_bytes_total",
            .counter,
            help: "Bytes of the source in committed batches.",
            samples { Double($0.bytes) }
        )
        append(
            "auditlake_quarantined_rows_total",
            .counter,
            help: "Rows committed to the quarantine table.",
            samples { Double($0.quarantined) }
        )
        append(
            "auditlake_gold_brought_in_rows_total",
            .counter,
            help: "Rows of gold that an earlier run had left for later.",
            pipelines.filter { $0.value.backlog?.gold != nil || $0.value.lateRows > 0 }.map {
                Sample(labels: [("pipeline", $0.key)], value: Double($0.value.lateRows))
            }
        )
        append(
            "auditlake_left_out_records_total",
            .counter,
            help: "Records left out by a setting.",
            samples(by: "reason", \.leftOut)
        )
        append(
            "auditlake_batches_total",
            .counter,
            help: "Batches with a receipt.",
            samples { Double($0.batches) }
        )
        append(
            "auditlake_redone_batches_total",
            .counter,
            help: "Batches that an earlier run had begun.",
            samples { Double($0.redoneBatches) }
        )
        append(
            "auditlake_batch_duration_seconds",
            .histogram,
            help: "Time from the start of a batch to its receipt.",
            pipelines.flatMap { $0.value.batchDurations.samples([("pipeline", $0.key)]) }
        )
        append(
            "auditlake_broken_expectations_total",
            .counter,
            help: "Things that broke a rule.",
            samples(by: "rule", \.brokenExpectations)
        )
        append(
            "auditlake_lost_bytes_total",
            .counter,
            help: "Bytes of the source that vanished before a batch had them.",
            samples { Double($0.lostBytes) }
        )
        append(
            "auditlake_errors_total",
            .counter,
            help: "Steps that failed, tried again or not.",
            samples { Double($0.errors) }
        )
    }

    private mutating func gauges(_ pipelines: Pipelines) {
        func samples(_ value: (PipelineMetrics) -> Double?) -> [Sample] {
            pipelines.compactMap { pipeline in
                value(pipeline.value).map { Sample(labels: [("pipeline", pipeline.key)], value: $0) }
            }
        }
        append(
            "auditlake_lag_bytes",
            .gauge,
            help: "Bytes of whole records that no batch has yet, over all files.",
            samples { $0.backlog.map { Double($0.lagBytes) } }
        )
        append(
            "auditlake_lag_seconds",
            .gauge,
            help: "Age of the oldest record that no batch has yet.",
            samples { $0.backlog?.lagSeconds }
        )
        append(
            "auditlake_pending_bytes",
            .gauge,
            help: "Bytes at the end of files that are no whole record yet.",
            samples { $0.backlog.map { Double($0.pendingBytes) } }
        )
        append(
            "auditlake_gold_behind_batches",
            .gauge,
            help: "Batches that were left for later and are not in gold yet.",
            samples { $0.backlog?.gold.map { Double($0.batches) } }
        )
        append(
            "auditlake_gold_behind_rows",
            .gauge,
            help: "Rows of these batches.",
            samples { $0.backlog?.gold.map { Double($0.rows) } }
        )
        append(
            "auditlake_spooling",
            .gauge,
            help: "Whether the lake is down and logs are spooled.",
            samples { $0.spool.isOpen ? 1 : 0 }
        )
        append(
            "auditlake_spool_bytes",
            .gauge,
            help: "Bytes of the spool's copies.",
            samples { Double($0.spool.byteCount) }
        )
        append(
            "auditlake_spool_refused_bytes",
            .gauge,
            help: "Bytes that were seen while the lake was down and are not in the spool.",
            samples { Double($0.spool.refusedByteCount) }
        )
        append(
            "auditlake_last_commit_timestamp_seconds",
            .gauge,
            help: "When this process last stored a receipt.",
            samples { $0.lastCommit.map { Double($0) / 1_000_000 } }
        )
        append(
            "auditlake_failing",
            .gauge,
            help: "Whether the last step failed.",
            samples { $0.isFailing ? 1 : 0 }
        )
    }
}
