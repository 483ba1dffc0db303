import BatchProtocol
import Catalog
import Intake
import ObjectStorage

/// Where a pipeline stands, in order of durability: told to whoever watches it, and where kill tests aim.
package enum PipelinePhase: UInt8, Hashable, Sendable, CaseIterable {
    /// Input is being read and parsed.
    case read = 0x72
    /// Data files are being made durable.
    case data = 0x64
    /// The plan is being stored.
    case plan = 0x70
    /// A table is being committed.
    case commit = 0x63
    /// Live files are being merged, a checkpoint written or the log cleaned.
    case checkpoint = 0x6B
    /// The receipt is being stored.
    case receipt = 0x74
}

/// How far a run has come.
package struct PipelineProgress: Hashable, Sendable {
    /// Bytes read.
    package var bytes: UInt64 = 0
    /// Bytes that were there when the run began.
    package var totalBytes: UInt64 = 0
    /// Rows made.
    package var rows = 0
}

/// What a batch came to, told once it has its receipt.
package struct BatchReport: Hashable, Sendable {
    /// The batch's number.
    package var batch: UInt64
    /// Rows in the table.
    package var rows: Int
    /// Rows in the quarantine table.
    package var quarantined: Int
    /// Records left out by the configuration, by its setting: `keep`, `exclude`, `start`.
    package var leftOut: [String: Int]
    /// Bytes read.
    package var bytes: UInt64
    /// Column `ingest_ts`, in microseconds since 1970-01-01 UTC.
    package var plannedAt: Int64
    /// When the receipt was stored, in microseconds since 1970-01-01 UTC.
    package var finishedAt: Int64
    /// How far each file was read, in bytes.
    package var offsets: [String: UInt64]
    /// Bytes that are in no table: they vanished before they could be read.
    package var lostBytes: UInt64
    /// Rules that records broke.
    package var expectations: [ExpectationResult]
    /// Whether an earlier run had begun it.
    package var isRedone: Bool
}

/// Something that whoever watches a pipeline should know.
package enum PipelineEvent: Sendable {
    /// A batch has its receipt.
    case committed(BatchReport)
    /// The source has something to say that it did not say at the last look.
    case remark(SourceRemark)
    /// Tables that were left for later have a batch with a receipt; its new rows by table.
    case broughtIn(batch: UInt64, rows: [TableName: Int])
    /// Nothing is left to do; bytes that are no whole record yet wait, by path; nil when the source was not looked at.
    case caughtUp(pending: [String: UInt64]?)
    /// Files that cannot be read, told when they are not the same as before; empty once all can be read again.
    case unreadable([StorageError])
    /// A step failed and is tried again.
    case retrying(any Error, after: Duration)
    /// What is written while the lake is down is kept, as far as it can be.
    case spool(SpoolEvent)
}

/// Receives what a pipeline has to tell while it runs; called from the pipeline's thread, and from the spool's.
package struct PipelineObserver: Sendable {
    /// Called when a phase begins.
    package var phase: @Sendable (PipelinePhase) -> Void
    /// Called a few times a second at the most, and at the end of each file.
    package var progress: @Sendable (PipelineProgress) -> Void
    /// Called when something has happened.
    package var event: @Sendable (PipelineEvent) -> Void
    /// Whether the run is to stop at the next safe place.
    package var isCancelled: @Sendable () -> Bool

    /// Creates an observer; what is not given does nothing.
    package init(
        phase: @escaping @Sendable (PipelinePhase) -> Void = { _ in },
        progress: @escaping @Sendable (PipelineProgress) -> Void = { _ in },
        event: @escaping @Sendable (PipelineEvent) -> Void = { _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.phase = phase
        self.progress = progress
        self.event = event
        self.isCancelled = isCancelled
    }
}

/// What a run did.
package struct RunSummary: Hashable, Sendable {
    /// Batches brought to their receipt.
    package var batches = 0
    /// Batches that an earlier run had begun.
    package var redoneBatches = 0
    /// Rows in the table.
    package var rows = 0
    /// Rows in the quarantine table.
    package var quarantined = 0
    /// Records left out by `keep: audit`.
    package var leftOut = 0
    /// Bytes read.
    package var bytes: UInt64 = 0
    /// Bytes at the end of files that are no whole record yet, by path.
    package var pending: [String: UInt64] = [:]
    /// Bytes that were lost under `on_data_loss: continue`.
    package var lostBytes: UInt64 = 0
    /// Batches that came into tables which were left for later.
    package var lateBatches = 0
    /// Their rows, by table.
    package var lateRows: [TableName: Int] = [:]
    /// What has become of messages about objects; nil when nothing tells of them.
    package var notifications: NotificationCounts?
    /// What the source has to say; not more than `remarkLimit` of it.
    package var remarks: [SourceRemark] = []

    /// A run that never ends does not gather remarks for ever.
    package static let remarkLimit = 100

    /// Creates an empty summary.
    package init() {}
}
