import AuditFormats
import BatchProtocol
import Catalog
import Columnar
import Intake
import ObjectStorage

extension DatabricksPipeline {
    /// Objects that one batch may read: their ranges stand in its plan.
    private static let objectLimit = 4_096
    /// Bytes that one read brings; a longer line makes the window grow.
    private static let chunkByteCount = 4 << 20

    /// Bytes of an object could not be read to its end: what was made of them is given up.
    private struct CannotRead: Error {}

    func stage(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch? {
        if let amendment { return try stage(amendment, plannedAt: plannedAt, after: state) }
        guard settings.layers != .gold else { return nil }
        while true {
            let look = try drops.look(after: state.objects, limit: Self.objectLimit)
            tell(look.remarks.map(SourceRemark.objects))
            unreadable = look.unreadable
            hasBacklog = false
            guard !look.objects.isEmpty else { return nil }
            do {
                if let staged = try stage(look, plannedAt: plannedAt, after: state) { return staged }
                // All that was found is gone, or was set aside.
            } catch is CannotRead {
                // It is set aside; the others go on.
            }
        }
    }

    private func stage(
        _ look: ObjectLook,
        plannedAt: Int64,
        after state: ShardState
    ) throws -> StagedBatch? {
        observer.phase(.read)
        progress.totalBytes = max(
            progress.totalBytes,
            progress.bytes + look.objects.reduce(0) { $0 + $1.byteCount }
        )
        let known = try KnownServices(state)
        let staging = EventStaging(self, known: known, plannedAt: plannedAt, wanted: nil)
        let ranges = try staging.whileEncoding {
            var remaining = settings.batchByteCount
            var ranges: [ObjectRange] = []
            for object in look.objects where remaining > 0 {
                guard let range = try read(object, atMost: remaining, into: staging) else { continue }
                remaining -= min(remaining, range.rangeByteCount)
                ranges.append(range)
            }
            return ranges
        }
        hasBacklog = look.hasMore || ranges.count < look.objects.count
        guard !ranges.isEmpty else {
            staging.cancel()
            return nil
        }
        observer.phase(.data)
        var staged = try staging.finish()
        staged.objects = ranges
        staged.settings = try settings.decoding.stored
        do {
            staged.expectations = try expectations(of: staged, staging.totals)
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
        let staging = EventStaging(
            self,
            known: try KnownServices(state),
            plannedAt: plan.plannedAt,
            wanted: wanted,
            settings: try plan.settings.map(DatabricksDecoderSettings.init(stored:))
        )
        let planned = Dictionary(uniqueKeysWithValues: plan.tables.map { ($0.name, $0.rows) })
        let hasBronze =
            !wanted.contains(settings.bronze) && planned[settings.bronze.description] ?? 0 > 0
        let gaps: [SourceGap] = try staging.whileEncoding {
            guard hasBronze else { return try readAgain(plan, into: staging) }
            let rowCount = try readBronze(plannedAt: plan.plannedAt, into: staging)
            // Bronze was committed without bytes that were lost.
            return rowCount < planned[settings.bronze.description] ?? 0 ? try lostRanges(plan) : []
        }
        var staged = try staging.finish()
        staged.objects = plan.objects ?? []
        staged.gaps = gaps
        guard gaps.isEmpty else { return staged }
        for table in tables where wanted.contains(table.name) {
            let expected = planned[table.name.description] ?? 0
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

    /// The ranges of a plan that cannot be read any more; all of them when each can be, for some could not.
    private func lostRanges(_ plan: BatchPlan) throws -> [SourceGap] {
        let ranges = (plan.objects ?? []).filter { $0.rangeByteCount > 0 }
        let lost = try ranges.filter { try drops.locate($0) == nil }
        return (lost.isEmpty ? ranges : lost).map { SourceGap(path: $0.key, from: $0.from, to: $0.to) }
    }

    /// Reads the ranges of a plan once more.
    private func readAgain(_ plan: BatchPlan, into staging: EventStaging) throws -> [SourceGap] {
        var gaps: [SourceGap] = []
        for range in plan.objects ?? [] where range.rangeByteCount > 0 {
            guard let reader = try drops.locate(range) else {
                guard settings.onDataLoss == .continue else {
                    throw PipelineError(
                        code: .sourceLost,
                        message:
                            "\(range.key): bytes \(range.from) to \(range.to) were planned but are gone or changed",
                        mend: "bring the file back, or set `on_data_loss: continue`"
                    )
                }
                gaps.append(SourceGap(path: range.key, from: range.from, to: range.to))
                continue
            }
            try decode(reader, modified: range.modified, atMost: .max, into: staging)
        }
        return gaps
    }

    // MARK: Objects

    /// Decodes what is unread of an object.
    ///
    /// - Returns: nil when nothing of it belongs to the batch.
    private func read(
        _ object: FoundObject,
        atMost: UInt64,
        into staging: EventStaging
    ) throws -> ObjectRange? {
        let reader: ObjectReader
        do {
            switch try drops.open(object) {
            case .unread(let opened): reader = opened
            case .prefixChanged(let range):
                tellOnce(.prefixChanged(key: object.key))
                return range
            // What cannot be decompressed is told by the next look.
            case .unusable, .nothing: return nil
            }
        } catch let error as StorageError where error.concernsOneFile {
            if !unreadable.contains(error) { unreadable.append(error) }
            return nil
        }
        if reader.isCorrection { tellOnce(.readAgain(key: object.key)) }
        do {
            try decode(reader, modified: object.modified, atMost: atMost, into: staging)
        } catch let error as StorageError where error.operation == "read" && error.concernsOneFile {
            drops.setAside(object, error)
            throw CannotRead()
        }
        return reader.range
    }

    /// Decodes an object's bytes from where it is read on, about as many as are wanted: whole lines.
    private func decode(
        _ reader: ObjectReader,
        modified: Int64,
        atMost: UInt64,
        into staging: EventStaging
    ) throws {
        staging.begin(reader.key, modified: modified)
        var carried = 0
        while reader.to - reader.from < atMost || staging.isInsideLine {
            let count = try staging.window.fill(carried, max(Self.chunkByteCount, carried)) {
                try reader.read(into: $0)
            }
            let isEnd = try count == 0 && reader.isComplete()
            let filled = carried + count
            let consumed = try staging.decode(filled, at: reader.to, isEnd: isEnd)
            staging.window.withBytes(consumed) { bytes, _ in reader.take(bytes) }
            carried = filled - consumed
            staging.window.drop(consumed, keeping: carried)
            note(consumed, staging)
            if count == 0 { break }
        }
    }

    private func note(_ byteCount: Int, _ staging: EventStaging) {
        progress.bytes += UInt64(byteCount)
        progress.rows = summary.rows + staging.totals.silverRowCount
        observer.progress(progress)
    }

    private func tellOnce(_ remark: SourceRemark) {
        if summary.remarks.count < RunSummary.remarkLimit { summary.remarks.append(remark) }
        observer.event(.remark(remark))
    }
}
