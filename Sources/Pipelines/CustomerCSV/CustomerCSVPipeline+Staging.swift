import AuditFormats
import BatchProtocol
import Catalog
import DeltaTables

extension CustomerCSVPipeline {
    func stage(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch? {
        let keyChanges = try MaskKeyCheck.changes(settings.decoding, after: state, of: name)
        let before = try StagingBasis(state)
        let taken = try intake.take(plannedAt: plannedAt, after: state) {
            let ids = try takeKnownIDs()
            let version = comparedVersion
            return CustomerCSVStaging(self, before, ids, comparedVersion: version, plannedAt: plannedAt)
        }
        guard let taken else { return nil }
        observer.phase(.data)
        var staged = try taken.staging.finish()
        staged.objects = taken.ranges
        staged.firstDay = taken.firstDay
        staged.stateChanges += taken.stateChanges + keyChanges
        staged.settings = try StoredCSVSettings(settings.decoding).text
        keep(taken.staging.ids)
        return staged
    }

    /// The version of the table that a batch is compared with now; nil when there is none.
    private var comparedVersion: Int64? {
        guard let table = customers?.delta, table.isMade else { return nil }
        return table.head.version
    }

    func restage(
        _ plan: BatchPlan,
        for wanted: Set<TableName>,
        after state: ShardState
    ) throws -> StagedBatch {
        observer.phase(.read)
        _ = try MaskKeyCheck.changes(settings.decoding, after: state, of: name)
        let planned = plan.tables.first { $0.name == settings.table.description }
        // The names and types of columns are those of the plan, also when bytes that brought some of them are lost.
        var after = state
        after.apply(plan)
        let staging = CustomerCSVStaging(
            self,
            try StagingBasis(after),
            EventIndex(),
            comparedVersion: planned?.comparedVersion,
            plannedAt: plan.plannedAt,
            wanted: wanted,
            settings: try plan.settings.map {
                try StoredCSVSettings.settings($0, maskKey: settings.decoding.maskKey)
            }
        )
        let gaps = try staging.orCancel {
            try intake.takeAgain(plan, with: after, onDataLoss: settings.onDataLoss, into: staging)
        }
        var staged = try staging.finish()
        staged.objects = plan.objects ?? []
        staged.gaps = gaps
        guard gaps.isEmpty else { return staged }
        for table in plan.tables where wanted.contains(where: { $0.description == table.name }) {
            guard let name = tables.first(where: { $0.name.description == table.name })?.name,
                staged.rowCount(name) != table.rows
            else { continue }
            let found = staged.rowCount(name)
            remove(staged)
            throw PipelineError(
                code: .damagedState,
                message:
                    "batch \(plan.batch) was planned with \(table.rows) rows of \(table.name), and comes to \(found) now",
                mend: "finish the batch with the release of auditlake that planned it"
            )
        }
        return staged
    }
}

/// What a batch begins with.
struct StagingBasis {
    var columns: KnownColumns
    var undated: UndatedDays

    /// As the state after a batch has it.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(_ state: ShardState) throws {
        columns = try KnownColumns(state)
        undated = try UndatedDays(state)
    }
}
