import AuditFormats
import BatchProtocol
import Catalog
import Columnar
import Intake
import ObjectStorage

extension DatabricksPipeline {
    func stage(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch? {
        if let amendment { return try stage(amendment, plannedAt: plannedAt, after: state) }
        guard settings.layers != .gold else { return nil }
        let known = try KnownServices(state)
        let taken = try intake.take(plannedAt: plannedAt, after: state) {
            EventStaging(self, known: known, plannedAt: plannedAt, wanted: nil)
        }
        guard let taken else { return nil }
        observer.phase(.data)
        var staged = try taken.staging.finish()
        staged.objects = taken.ranges
        staged.firstDay = taken.firstDay
        staged.stateChanges += taken.stateChanges
        staged.settings = try settings.decoding.stored
        // Without bytes nothing is held against the rules.
        guard taken.ranges.contains(where: { $0.rangeByteCount > 0 }) else { return staged }
        do {
            staged.expectations = try expectations(of: staged, taken.staging.totals)
        } catch {
            remove(staged)
            throw error
        }
        return staged
    }

    func restage(
        _ plan: BatchPlan,
        for wanted: Set<TableName>,
        after state: ShardState
    ) throws -> StagedBatch {
        observer.phase(.read)
        // The names of tables and columns are those of the plan, also when bytes that brought some of them are lost.
        var planned = state
        planned.apply(plan)
        let staging = EventStaging(
            self,
            known: try KnownServices(planned),
            plannedAt: plan.plannedAt,
            wanted: wanted,
            settings: try plan.settings.map(DatabricksDecoderSettings.init(stored:))
        )
        let rowCounts = Dictionary(uniqueKeysWithValues: plan.tables.map { ($0.name, $0.rows) })
        let hasBronze =
            !wanted.contains(settings.bronze) && rowCounts[settings.bronze.description] ?? 0 > 0
        let gaps: [SourceGap] = try staging.orCancel {
            guard hasBronze else {
                return try intake.takeAgain(
                    plan,
                    with: planned,
                    onDataLoss: settings.onDataLoss,
                    into: staging
                )
            }
            let rowCount = try readBronze(plannedAt: plan.plannedAt, into: staging)
            // Bronze was committed without bytes that were lost.
            return rowCount < rowCounts[settings.bronze.description] ?? 0
                ? try intake.lostRanges(plan, with: planned) : []
        }
        var staged = try staging.finish()
        staged.objects = plan.objects ?? []
        staged.gaps = gaps
        guard gaps.isEmpty else { return staged }
        for table in tables where wanted.contains(table.name) {
            let expected = rowCounts[table.name.description] ?? 0
            guard staged.rowCount(table.name) == expected else {
                let found = staged.rowCount(table.name)
                remove(staged)
                throw PipelineError(
                    code: .damagedState,
                    message:
                        "batch \(plan.batch) was planned with \(expected) rows of \(table.name), and comes to \(found) now",
                    mend: "finish the batch with the release of auditlake that planned it"
                )
            }
        }
        return staged
    }
}
