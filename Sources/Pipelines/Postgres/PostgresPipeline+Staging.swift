import AuditFormats
import BatchProtocol
import Catalog
import Glibc
import Intake
import ObjectStorage
import PostgresSessions

extension PostgresPipeline {
    /// Reads what is unread, up to one batch, into data files that no commit names yet.
    ///
    /// - Returns: nil when nothing is unread but the beginnings of records.
    func stage(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch? {
        var attempts = 0
        while true {
            do {
                return try stageOnce(batch: batch, plannedAt: plannedAt, after: state)
            } catch let error as TruncatedWhileRead {
                // The next look knows what became of the file.
                attempts += 1
                guard attempts < 10 else {
                    throw StorageError(code: .other(ESTALE), operation: "read", path: error.path)
                }
            }
        }
    }

    /// A file was truncated and written anew while it was read: what was read is of two files.
    private struct TruncatedWhileRead: Error {
        var path: String
    }

    private func stageOnce(batch: UInt64, plannedAt: Int64, after state: ShardState) throws -> StagedBatch? {
        // Another process may have left copies behind.
        spoolHolder?.ask(isMade: false, isPatient: false)
        let look = try files.look(after: state, for: spool?.manifest?.seen ?? [])
        tell((look.remarks + remarksOnLosses(beside: look)).map(SourceRemark.files))
        unreadable = look.unreadable
        if !look.readCopies.isEmpty { spoolHolder?.attempt { try $0.remove(look.readCopies) } }
        noteAbsent(look.absent, at: plannedAt)
        let unread = inOrderOfWriting(worthReading(look.files))
        progress.totalBytes = max(
            progress.totalBytes,
            progress.bytes + unread.reduce(0) { $0 + $1.unreadByteCount }
        )
        hasBacklog = false
        let isStart = batch == 1 && settings.start != .earliest
        // Passed over now, it would be loaded whole by a later batch.
        if isStart, let error = unreadable.first { throw error }
        guard !unread.isEmpty || !look.finishedCopies.isEmpty || isStart else {
            return try stageLoss(batch, beside: look, after: state)
        }
        observer.phase(.read)
        let sessions = sessions(before: batch, state)
        var staged = try write(plannedAt: plannedAt, sessions) { decoding, decoder, flush in
            var remaining = settings.batchByteCount
            var ranges: [SourceRange] = []
            func add(
                _ file: UnreadFile,
                _ reader: FileReader,
                _ format: LogFormat,
                from: UInt64? = nil,
                upTo end: UInt64,
                hash: String
            )
                throws
            {
                let id = file.tracked?.id ?? "\(batch)-\(ranges.count)"
                let tracked = try track(reader, id: id, format: format, upTo: end, plannedAt: plannedAt)
                guard try file.isIntact(reader) else { throw TruncatedWhileRead(path: file.found.path) }
                ranges.append(SourceRange(file: tracked, from: from ?? end, hash: hash))
            }
            for copy in look.finishedCopies {
                guard let reader = try copy.open() else { continue }
                let format = try format(of: copy, reader)
                try add(copy, reader, format, upTo: copy.found.byteCount, hash: RangeHasher().digest)
            }
            for file in unread where remaining > 0 {
                guard let reader = try file.open() else {
                    // Passed over now, it would be loaded whole by the next batch.
                    if isStart { throw TruncatedWhileRead(path: file.found.path) }
                    continue
                }
                let format = try format(of: file, reader)
                if isStart, let border = try startingOffset(file, reader, format, beside: look) {
                    try add(file, reader, format, upTo: border, hash: RangeHasher().digest)
                    continue
                }
                let outcome = try read(
                    file,
                    reader,
                    format,
                    atMost: remaining,
                    mayExceed: ranges.allSatisfy { $0.byteCount == 0 },
                    decoding: &decoding,
                    into: &decoder,
                    flush: flush
                )
                notePending(file, readUpTo: outcome)
                remaining = outcome.isCut ? 0 : remaining - min(remaining, outcome.end - file.offset)
                guard outcome.end > file.offset else { continue }
                try add(file, reader, format, from: file.offset, upTo: outcome.end, hash: outcome.hash)
            }
            hasBacklog = remaining == 0
            return (ranges, [])
        }
        // The plan of a start keeps what came before it from being read, also when there is nothing yet.
        if staged == nil, isStart { staged = StagedBatch() }
        if staged == nil { staged = try stageLoss(batch, beside: look, after: state) }
        staged?.forgotten = state.forgettable(
            absentSince: absentSince,
            plannedAt: plannedAt,
            after: settings.forgetAfter
        )
        return staged
    }

    /// Makes the data files of a plan once more, from the bytes that it names and the state before it.
    func restage(
        _ plan: BatchPlan,
        for wanted: Set<TableName>,
        after state: ShardState
    ) throws -> StagedBatch {
        observer.phase(.read)
        let sessions = SessionStates(restoring: state.values)
        let staged = try write(plannedAt: plan.plannedAt, for: wanted, sessions) { decoding, decoder, flush in
            var gaps: [SourceGap] = []
            for range in plan.ranges where range.byteCount > 0 {
                guard let reader = try files.locate(range) else {
                    gaps.append(try gap(range))
                    continue
                }
                try range.file.logFormat.demandReadable(path: range.file.path)
                _ = try decoding.decode(
                    reader,
                    source: range.file.path,
                    format: range.file.logFormat,
                    from: range.from,
                    limit: range.file.offset,
                    isWhole: true,
                    into: &decoder,
                    flush: flush,
                    onChunk: noteProgress
                )
            }
            return (plan.ranges, gaps)
        }
        return staged ?? StagedBatch(ranges: plan.ranges)
    }

    private func gap(_ range: SourceRange) throws -> SourceGap {
        guard settings.onDataLoss == .continue else {
            throw PipelineError(
                code: .sourceLost,
                message:
                    "\(range.file.path): bytes \(range.from) to \(range.file.offset) were planned but are gone or changed",
                mend:
                    "bring the file back under any name that the pipeline's patterns match, or set `on_data_loss: continue`"
            )
        }
        return SourceGap(path: range.file.path, from: range.from, to: range.file.offset)
    }

    func noteProgress(_ byteCount: Int, _ totals: PostgresDecoder.Totals) {
        progress.bytes += UInt64(byteCount)
        progress.rows = summary.rows + totals.rowCount
        observer.progress(progress)
    }

    /// Decodes what `body` reads into data files.
    ///
    /// - Returns: nil when `body` read nothing.
    private func write(
        plannedAt: Int64,
        for wanted: Set<TableName>? = nil,
        _ sessions: SessionStates,
        _ body: (
            inout RangeDecoding, inout PostgresDecoder, (inout PostgresDecoder) throws -> Void
        ) throws -> ([SourceRange], [SourceGap])
    ) throws -> StagedBatch? {
        var decoder = PostgresDecoder(settings: settings.decoding)
        decoder.ingestTime = plannedAt
        decoder.sessions = sessions
        decoder.rowGroupByteCount = settings.rowGroupByteCount
        var decoding = RangeDecoding()
        let targets = tables.map { fileTarget($0, plannedAt: plannedAt) }
        let isWanted = tables.map { wanted?.contains($0.name) ?? true }
        let encoder = EncodingThread(store: lake.store, now: clock() / 1_000)
        do {
            let flush: (inout PostgresDecoder) throws -> Void = { decoder in
                if decoder.quarantine.count > 0 {
                    let rows = decoder.quarantine.finish()
                    if isWanted[0] { try encoder.submit(rows, to: targets[0]) }
                }
                if decoder.rows.count > 0 {
                    let rows = decoder.finishRows()
                    if isWanted[1] { try encoder.submit(rows, to: targets[1]) }
                }
            }
            let (ranges, gaps) = try body(&decoding, &decoder, flush)
            guard !ranges.isEmpty else {
                encoder.cancel()
                return nil
            }
            observer.phase(.data)
            try flush(&decoder)
            var staged = StagedBatch(ranges: ranges, gaps: gaps)
            let files = try encoder.finish()
            for table in tables { staged.files[table.name] = files[table.folder] }
            staged.leftOut = decoder.leftOut.bySetting
            staged.note(&decoder.sessions)
            sessionsStaged = decoder.sessions
            return staged
        } catch {
            encoder.cancel()
            throw error
        }
    }

    private func fileTarget(_ table: GroupTable, plannedAt: Int64) -> FileTarget {
        FileTarget(
            folder: table.folder,
            schema: table.name == settings.table ? PostgresSchema.columns : QuarantineRows.columns,
            storage: table.storage,
            partition: (name: table.partitionColumn, value: UTCDay.text(microseconds: plannedAt))
        )
    }
}

extension PostgresPipeline {
    /// The sessions before a batch: those that the last batch has left, when it was made here, or those of the state.
    private func sessions(before batch: UInt64, _ state: ShardState) -> SessionStates {
        if let (last, sessions) = sessionsAfter, last + 1 == batch { return sessions }
        return SessionStates(restoring: state.values)
    }
}

extension StagedBatch {
    /// Takes what the sessions became, for the plan and the next batch.
    fileprivate mutating func note(_ sessions: inout SessionStates) {
        stateChanges = sessions.takeChanges().map { StateChange(key: $0.key, value: $0.value) }
        expectations = sessions.takeBrokenRules().map { rule in
            ExpectationResult(
                name: rule.name,
                rule: rule.rule,
                action: .warn,
                checked: rule.checked,
                failed: rule.failed,
                samples: rule.samples
            )
        }
    }
}
