import BatchProtocol
import Intake
import ObjectStorage

/// Takes the bytes of batches from delivered objects.
///
/// Belongs to one thread.
final class ObjectIntake {
    /// Objects that one batch may read: their ranges stand in its plan.
    private static let objectLimit = 4_096
    /// Bytes that one read brings; a longer record makes the window grow.
    private static let chunkByteCount = 4 << 20

    /// Bytes of an object could not be read to its end: what was made of them is given up.
    private struct CannotRead: Error {}
    /// An object that may be written on ends inside a record of which a part was taken.
    private struct EndsInsideRecord: Error {}

    /// What a batch reads.
    struct Taken<Staging> {
        /// Has decoded the bytes; its files are not finished.
        var staging: Staging
        /// The ranges of the objects, in order.
        var ranges: [ObjectRange]
        /// The day before which objects are forgotten with the batch; nil when it stays as it is.
        var firstDay: Int64?
        /// What the batch adds to the state.
        var stateChanges: [StateChange]
    }

    private let settings: ObjectIntakeSettings
    private let batchByteCount: UInt64
    private unowned let work: any BatchWork
    /// The delivered files as they were last seen.
    let drops: ObjectDrops
    /// The same as a bucket has them that tells of new ones; nil when none does.
    let notified: NotifiedObjects?
    /// Files that could not be read at the last look.
    private(set) var unreadable: [StorageError] = []
    /// Whether the last batch had no room for all that was there.
    private(set) var hasBacklog = false
    private var progress = PipelineProgress()
    private var window = InputWindow()

    /// Has seen nothing yet.
    ///
    /// - Parameters:
    ///   - settings: The objects.
    ///   - batchByteCount: The most bytes of one batch.
    ///   - work: The pipeline, which outlives it.
    init(_ settings: ObjectIntakeSettings, batchByteCount: UInt64, for work: any BatchWork) {
        self.settings = settings
        self.batchByteCount = batchByteCount
        self.work = work
        notified = settings.notifiedObjects(clock: work.clock)
        drops =
            notified.map { settings.drops(in: $0, clock: work.clock) } ?? settings.drops(clock: work.clock)
    }

    /// What tells that there may be new objects.
    func makeWatcher() -> any SourceWatcher {
        guard let notified else { return PollingWatcher() }
        return NotificationWatcher(notified)
    }

    // MARK: New objects

    /// Reads what is unread, up to one batch.
    ///
    /// - Parameters:
    ///   - plannedAt: The batch's time, in microseconds since 1970-01-01 UTC.
    ///   - state: What earlier batches have read.
    ///   - makeStaging: Makes what decodes the bytes; called again when an object had to be given up.
    /// - Returns: nil when nothing is unread but the beginnings of records.
    /// - Throws: What ends the run; nothing is left of the files.
    func take<Staging: ObjectStaging>(
        plannedAt: Int64,
        after state: ShardState,
        into makeStaging: () throws -> Staging
    ) throws -> Taken<Staging>? {
        let folders = try SourceFolders(state, present: drops.folders())
        defer {
            work.summary.pending = drops.pending
            work.summary.notifications = notified?.counts
        }
        // A record that grows while others are read is looked at once.
        var waiting: Set<String> = []
        while true {
            var look = try drops.look(
                after: state.objects,
                formerFolders: folders.former,
                limit: Self.objectLimit
            )
            work.tell(look.remarks.map(SourceRemark.objects))
            unreadable = look.unreadable
            hasBacklog = false
            for object in look.objects where waiting.contains(object.key) { drops.passOver(object) }
            look.objects.removeAll { waiting.contains($0.key) }
            if look.objects.isEmpty {
                if look.hasMore { continue }
                return nil
            }
            do {
                let staging = try makeStaging()
                if let ranges = try ranges(look, into: staging) {
                    return Taken(
                        staging: staging,
                        ranges: ranges,
                        firstDay: firstDay(ranges, plannedAt: plannedAt, after: state.objects),
                        stateChanges: folders.changes
                    )
                }
                // All that was found is gone, waits, has nothing new, or was set aside.
                staging.cancel()
            } catch is CannotRead {
                // It is set aside; the others go on.
            }
            waiting.formUnion(drops.pending.keys)
        }
    }

    /// What a look gives the batch; nil for nothing.
    private func ranges(_ look: ObjectLook, into staging: some ObjectStaging) throws -> [ObjectRange]? {
        work.observer.phase(.read)
        progress.totalBytes = max(
            progress.totalBytes,
            progress.bytes + look.objects.reduce(0) { $0 + $1.byteCount }
        )
        return try staging.orCancel {
            var ranges = try read(look, into: staging)
            if !ranges.isEmpty || drops.isUnchangedWorthABatch {
                let room = Self.objectLimit - ranges.count
                ranges += drops.unchangedRanges(besides: Set(ranges.map(\.key)), limit: room)
            }
            return ranges.isEmpty ? nil : ranges
        }
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
    private func read(_ look: ObjectLook, into staging: some ObjectStaging) throws -> [ObjectRange] {
        var ranges: [ObjectRange] = []
        var batch = BatchRoom(byteCount: batchByteCount)
        drops.expect(look.objects)
        for object in look.objects where !batch.isFull {
            if let range = try read(object, within: &batch, into: staging) { ranges.append(range) }
        }
        hasBacklog = look.hasMore || batch.isFull
        return ranges
    }

    /// Decodes what is unread of an object.
    ///
    /// - Returns: nil when nothing of it belongs to the batch.
    private func read(
        _ object: FoundObject,
        within batch: inout BatchRoom,
        into staging: some ObjectStaging
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
        } catch is EndsInsideRecord {
            drops.postpone(reader, of: object)
            throw CannotRead()
        }
        let range = drops.finish(reader, of: object)
        if range != nil, reader.isCorrection { tellOnce(.readAgain(key: object.key)) }
        return range
    }

    private func tellOnce(_ remark: SourceRemark) {
        if work.summary.remarks.count < RunSummary.remarkLimit { work.summary.remarks.append(remark) }
        work.observer.event(.remark(remark))
    }

    // MARK: Ranges of a plan

    /// Reads the ranges of a plan once more.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - state: The state after it.
    ///   - onDataLoss: What to do when they are gone.
    ///   - staging: Decodes the bytes.
    /// - Returns: Ranges that cannot be read any more.
    /// - Throws: `PipelineError` with code `sourceLost` for one of those, unless it may be lost; `StorageError`.
    func takeAgain(
        _ plan: BatchPlan,
        with state: ShardState,
        onDataLoss: DataLossPolicy,
        into staging: some ObjectStaging
    ) throws -> [SourceGap] {
        let folders = try formerFolders(state)
        var gaps: [SourceGap] = []
        for range in plan.objects ?? [] where range.rangeByteCount > 0 {
            guard let reader = try locate(range, folders) else {
                guard onDataLoss == .continue else {
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

    /// The ranges of a plan that cannot be read any more; all of them when each can be, for some could not.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - state: The state after it.
    /// - Returns: The ranges.
    /// - Throws: `StorageError`.
    func lostRanges(_ plan: BatchPlan, with state: ShardState) throws -> [SourceGap] {
        let ranges = (plan.objects ?? []).filter { $0.rangeByteCount > 0 }
        let folders = try formerFolders(state)
        let lost = try ranges.filter { try locate($0, folders) == nil }
        return (lost.isEmpty ? ranges : lost).map { SourceGap(path: $0.key, from: $0.from, to: $0.to) }
    }

    private func locate(_ range: ObjectRange, _ formerFolders: [String]) throws -> ObjectReader? {
        try drops.locate(range, formerFolders: formerFolders, withPrefix: settings.hasHeaders)
    }

    /// Where the objects of a plan may have lain, by the state after it.
    private func formerFolders(_ state: ShardState) throws -> [String] {
        try SourceFolders(state, present: drops.folders()).former
    }

    // MARK: Bytes

    /// Decodes whole records of an object from where it is read on, as long as the batch has room for them.
    private func decode(
        _ reader: ObjectReader,
        modified: Int64,
        within batch: inout BatchRoom,
        into staging: some ObjectStaging
    ) throws {
        try staging.begin(reader, modified: modified)
        var carried = 0
        while !batch.isFull || staging.isInsideRecord {
            let step = max(Self.chunkByteCount, carried)
            let wanted = batch.readable(behind: carried, atMost: step)
            let count = try window.fill(carried, wanted) { try reader.read(into: $0) }
            let filled = carried + count
            // Of what is read for the sake of one long record only that record is taken.
            let given = batch.hasRoom(for: filled) ? filled : window.lineEnd(from: carried, to: filled)
            let isEnd = try count == 0 && isLastRecordWhole(of: reader, carried, in: staging)
            let consumed = try window.withBytes(given) { bytes, padding in
                let consumed = try staging.decode(
                    bytes,
                    paddingByteCount: padding,
                    at: reader.to,
                    isEnd: isEnd
                )
                reader.take(UnsafeRawBufferPointer(rebasing: bytes[..<consumed]))
                return consumed
            }
            carried = filled - consumed
            window.drop(consumed, keeping: carried)
            progress.bytes += UInt64(consumed)
            progress.rows = work.summary.rows + staging.rowCount
            work.observer.progress(progress)
            if count == 0 {
                if staging.isInsideRecord, try reader.ending() != .complete { throw EndsInsideRecord() }
                return
            }
            batch.take(consumed, leaving: carried)
        }
        if carried == 0, try window.fill(0, 1, { try reader.read(into: $0) }) == 0 {
            _ = try reader.ending()
        }
    }

    /// Whether the last record of an object, all of whose bytes were read, is a whole one.
    private func isLastRecordWhole(
        of reader: ObjectReader,
        _ byteCount: Int,
        in staging: some ObjectStaging
    ) throws -> Bool {
        switch try reader.ending() {
        case .complete: true
        case .changed: false
        case .fresh: window.withBytes(byteCount) { bytes, _ in staging.isWhole(lastRecord: bytes) }
        }
    }
}
