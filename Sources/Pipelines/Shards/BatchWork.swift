import BatchProtocol
import Catalog
import DeltaLog
import DeltaTables

/// What a pipeline does for the batches of its shard; `ShardRun` does the rest.
protocol BatchWork: AnyObject {
    /// The pipeline's name.
    var name: String { get }
    /// Where the tables lie.
    var lake: Lake { get }
    /// Is told what happens.
    var observer: PipelineObserver { get }
    /// Microseconds since 1970-01-01 UTC.
    var clock: @Sendable () -> Int64 { get }
    /// The rules that turn bytes into rows.
    var parserVersion: Int { get }
    /// Whether each batch is planned later than the one before, so that its time tells its rows.
    var plansAtDistinctTimes: Bool { get }
    /// When and how tables are kept short.
    var upkeep: TableUpkeep { get }
    /// The tables fed so far, in order of commit: the batch group.
    var tables: [GroupTable] { get }
    /// What the heads of the tables were at an earlier run, by name.
    var tableHints: [String: TableHint] { get set }
    /// The table whose rows stand for the batch's.
    var mainTable: TableName { get }
    /// What the source said at the last look.
    var standingRemarks: Set<SourceRemark> { get set }
    /// What the run has done.
    var summary: RunSummary { get set }

    /// Whether a table may get its rows after the batch's receipt.
    func isDeferrable(_ table: TableName) -> Bool
    /// Whether this run leaves such tables for later.
    var isDeferring: Bool { get }

    /// Makes sure that every table of the shard is open: those that its plans and receipts name.
    ///
    /// - Returns: Those that were not open before.
    func openTables(of opening: ShardStore.Opening, appID: String) throws -> Set<TableName>

    /// Reads what is unread, up to one batch, into data files that no commit names yet.
    ///
    /// - Parameters:
    ///   - batch: The batch's number.
    ///   - plannedAt: Its time, in microseconds since 1970-01-01 UTC.
    ///   - state: What earlier batches have read.
    /// - Returns: nil when nothing is unread but the beginnings of records.
    /// - Throws: What ends the run; nothing is left of the files.
    func stage(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch?

    /// Makes data files of a plan once more: from the bytes that it names and the state before it.
    ///
    /// - Parameters:
    ///   - plan: What to read.
    ///   - wanted: The tables that do not hold the batch yet.
    ///   - state: What earlier batches have read.
    /// - Returns: The files of these tables.
    /// - Throws: What ends the run; nothing is left of the files.
    func restage(_ plan: BatchPlan, for wanted: Set<TableName>, after state: ShardState) throws -> StagedBatch

    /// Brings what the pipeline keeps in mind up to a batch that has its receipt.
    ///
    /// - Parameters:
    ///   - plan: Its plan.
    ///   - isOwn: It was staged here.
    func received(_ plan: BatchPlan, isOwn: Bool)
}

/// When and how tables are kept short.
struct TableUpkeep {
    /// Commits of a table between two checkpoints.
    var checkpointInterval: Int64
    /// Live files of a table at which merging starts.
    var liveFileLimit: Int
}

extension BatchWork {
    /// The pipeline's quarantine table, first of the group.
    var quarantine: TableName? { tables.first?.name }

    /// Says what the source has to say, unless it said so at the last look.
    func tell(_ remarks: [SourceRemark]) {
        for remark in remarks where !standingRemarks.contains(remark) {
            if !summary.remarks.contains(remark), summary.remarks.count < RunSummary.remarkLimit {
                summary.remarks.append(remark)
            }
            observer.event(.remark(remark))
        }
        standingRemarks = Set(remarks)
    }

    /// Removes data files that no commit will name.
    func remove(_ staged: StagedBatch) {
        for (table, files) in staged.files {
            // Invisible to readers: what cannot be removed now is removed by clean-up.
            for file in files { try? lake.store.remove("\(table.folder)/\(file.add.path.decoded)") }
        }
    }
}
