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
    /// An object that may be written on ends inside a line of which a part was taken.
    private struct EndsInsideLine: Error {}

    func stage(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch? {
        if let amendment { return try stage(amendment, plannedAt: plannedAt, after: state) }
        guard settings.layers != .gold else { return nil }
        let folders = try SourceFolders(state, present: drops.folders())
        defer {
            summary.pending = drops.pending
            summary.notifications = notified?.counts
        }
        // A line that grows while others are read is looked at once.
        var waiting: Set<String> = []
        while true {
            var look = try drops.look(
                after: state.objects,
                formerFolders: folders.former,
                limit: Self.objectLimit
            )
            tell(look.remarks.map(SourceRemark.objects))
            unreadable = look.unreadable
            hasBacklog = false
            for object in look.objects where waiting.contains(object.key) { drops.passOver(object) }
            look.objects.removeAll { waiting.contains($0.key) }
            if look.objects.isEmpty {
                if look.hasMore { continue }
                return nil
            }
            do {
                let staged = try stage(look, folders, plannedAt: plannedAt, after: state)
                if let staged { return staged }
                // All that was found is gone, waits, has nothing new, or was set aside.
            } catch is CannotRead {
                // It is set aside; the others go on.
            }
            waiting.formUnion(drops.pending.keys)
        }
    }

    private func stage(
        _ look: ObjectLook,
        _ folders: SourceFolders,
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
        var ranges = try staging.whileEncoding { try read(look, into: staging) }
        if !ranges.isEmpty || drops.isUnchangedWorthABatch {
            let room = Self.objectLimit - ranges.count
            ranges += drops.unchangedRanges(besides: Set(ranges.map(\.key)), limit: room)
        }
        guard !ranges.isEmpty else {
            staging.cancel()
            return nil
        }
        observer.phase(.data)
        var staged = try staging.finish()
        staged.objects = ranges
        staged.firstDay = firstDay(ranges, plannedAt: plannedAt, after: state.objects)
        staged.stateChanges += folders.changes
        staged.settings = try settings.decoding.stored
        // Without bytes nothing is held against the rules.
        guard ranges.contains(where: { $0.rangeByteCount > 0 }) else { return staged }
        do {
            staged.expectations = try expectations(of: staged, staging.totals)
        } catch {
            remove(staged)
            throw error
        }
        return staged
    }

    /// The day before which objects are forgotten with a batch; nil when it stays as it is.
    private func firstDay(_ ranges: [ObjectRange], plannedAt: Int64, after ledger: ObjectLedger) -> Int64? {
        guard let count = settings.forgetDayCount else { return nil }
        let newest = ranges.map { UTCDay.days(microseconds: $0.modified) }.max() ?? 0
        // A time that somebody gave a file may lie in the future.
        let today = UTCDay.days(microseconds: plannedAt)
        let day = min(max(newest, ledger.newestDay), today) - Int64(count)
        return day > ledger.firstDay ? day : nil
    }

    /// Reads objects until the batch is full.
    private func read(_ look: ObjectLook, into staging: EventStaging) throws -> [ObjectRange] {
        var ranges: [ObjectRange] = []
        var batch = BatchRoom(byteCount: settings.batchByteCount)
        drops.expect(look.objects)
        for object in look.objects where !batch.isFull {
            if let range = try read(object, within: &batch, into: staging) { ranges.append(range) }
        }
        hasBacklog = look.hasMore || batch.isFull
        return ranges
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
        let gaps: [SourceGap] = try staging.whileEncoding {
            guard hasBronze else { return try readAgain(plan, with: planned, into: staging) }
            let rowCount = try readBronze(plannedAt: plan.plannedAt, into: staging)
            // Bronze was committed without bytes that were lost.
            return rowCount < rowCounts[settings.bronze.description] ?? 0
                ? try lostRanges(plan, with: planned) : []
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

    /// The ranges of a plan that cannot be read any more; all of them when each can be, for some could not.
    private func lostRanges(_ plan: BatchPlan, with state: ShardState) throws -> [SourceGap] {
        let ranges = (plan.objects ?? []).filter { $0.rangeByteCount > 0 }
        let folders = try formerFolders(state)
        let lost = try ranges.filter { try drops.locate($0, formerFolders: folders) == nil }
        return (lost.isEmpty ? ranges : lost).map { SourceGap(path: $0.key, from: $0.from, to: $0.to) }
    }

    /// Where the objects of a plan may have lain, by the state after it.
    private func formerFolders(_ state: ShardState) throws -> [String] {
        try SourceFolders(state, present: drops.folders()).former
    }

    /// Reads the ranges of a plan once more.
    private func readAgain(
        _ plan: BatchPlan,
        with state: ShardState,
        into staging: EventStaging
    ) throws -> [SourceGap] {
        let folders = try formerFolders(state)
        var gaps: [SourceGap] = []
        for range in plan.objects ?? [] where range.rangeByteCount > 0 {
            guard let reader = try drops.locate(range, formerFolders: folders) else {
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
            var room = BatchRoom(byteCount: .max)
            try decode(reader, modified: range.modified, within: &room, into: staging)
        }
        return gaps
    }

    // MARK: Objects

    /// Decodes what is unread of an object.
    ///
    /// - Returns: nil when nothing of it belongs to the batch.
    private func read(
        _ object: FoundObject,
        within batch: inout BatchRoom,
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
        do {
            try decode(reader, modified: reader.status.modified, within: &batch, into: staging)
        } catch let error as StorageError where error.operation == "read" && error.concernsOneFile {
            drops.setAside(object, error)
            throw CannotRead()
        } catch is EndsInsideLine {
            drops.postpone(reader, of: object)
            throw CannotRead()
        }
        let range = drops.finish(reader, of: object)
        if range != nil, reader.isCorrection { tellOnce(.readAgain(key: object.key)) }
        return range
    }

    /// Decodes whole lines of an object from where it is read on, as long as the batch has room for them.
    private func decode(
        _ reader: ObjectReader,
        modified: Int64,
        within batch: inout BatchRoom,
        into staging: EventStaging
    ) throws {
        staging.begin(reader.key, modified: modified)
        var carried = 0
        while !batch.isFull || staging.isInsideLine {
            let step = max(Self.chunkByteCount, carried)
            let wanted = batch.readable(behind: carried, atMost: step)
            let count = try staging.window.fill(carried, wanted) { try reader.read(into: $0) }
            let filled = carried + count
            // Of what is read for the sake of one long line only that line is taken.
            let given =
                batch.hasRoom(for: filled) ? filled : staging.window.lineEnd(from: carried, to: filled)
            let isEnd = try count == 0 && isLastLineWhole(of: reader, carried, in: staging)
            let consumed = try staging.decode(given, at: reader.to, isEnd: isEnd)
            staging.window.withBytes(consumed) { bytes, _ in reader.take(bytes) }
            carried = filled - consumed
            staging.window.drop(consumed, keeping: carried)
            note(consumed, staging)
            if count == 0 {
                if staging.isInsideLine, try reader.ending() != .complete { throw EndsInsideLine() }
                return
            }
            batch.take(consumed, leaving: carried)
        }
        if carried == 0, try staging.window.fill(0, 1, { try reader.read(into: $0) }) == 0 {
            _ = try reader.ending()
        }
    }

    /// Whether the last line of an object, all of whose bytes were read, is a whole one.
    private func isLastLineWhole(
        of reader: ObjectReader,
        _ byteCount: Int,
        in staging: EventStaging
    ) throws -> Bool {
        switch try reader.ending() {
        case .complete: true
        case .changed: false
        case .fresh: staging.window.withBytes(byteCount) { bytes, _ in UnfinishedLine(bytes).isWholeObject }
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
