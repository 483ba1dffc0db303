import AuditFormats
import BatchProtocol
import Intake

extension PostgresPipeline {
    /// How far reading a file came.
    struct ReadOutcome {
        /// Offset one past the last byte that is done with.
        var end: UInt64
        /// Hash of the bytes from the offset up to `end`.
        var hash: String
        /// More of the file is there than the batch has room for.
        var isCut: Bool
    }

    /// Keeps since when each file has been absent without a break.
    ///
    /// Known to this process only: what it has not seen absent for long is kept in mind.
    func noteAbsent(_ ids: [String], at time: Int64) {
        absentSince = Dictionary(ids.map { ($0, absentSince[$0] ?? time) }) { first, _ in first }
    }

    /// The files without those that have not changed since they had nothing but the beginning of a record.
    func worthReading(_ unread: [UnreadFile]) -> [UnreadFile] {
        summary.pending = [:]
        let known = fruitless
        fruitless = known.intersection(unread.map(\.found))
        return unread.filter { file in
            guard !file.isClosed, known.contains(file.found) else { return true }
            summary.pending[file.found.path] = file.unreadByteCount
            return false
        }
    }

    /// The files in the order in which their unread bytes were begun.
    ///
    /// What follows bytes that a batch has read was begun about then, whatever time a copy of the file has got since.
    func inOrderOfWriting(_ unread: [UnreadFile]) -> [UnreadFile] {
        let begun = unread.enumerated().map { index, file in
            (time: min(file.tracked?.readAt ?? .max, file.found.modified), index: index)
        }
        return begun.sorted { $0 < $1 }.map { unread[$0.index] }
    }

    /// Decodes what is unread of one file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - reader: The same, opened.
    ///   - format: What it holds.
    ///   - atMost: Bytes that the batch has room for.
    ///   - mayExceed: Whether a record that is longer than that may make the batch longer.
    ///   - decoding: The window.
    ///   - decoder: Receives the rows.
    ///   - flush: Called when row groups are full.
    /// - Returns: How far it came.
    /// - Throws: As `RangeDecoding.decode`.
    func read(
        _ file: UnreadFile,
        _ reader: FileReader,
        _ format: LogFormat,
        atMost: UInt64,
        mayExceed: Bool,
        decoding: inout RangeDecoding,
        into decoder: inout PostgresDecoder,
        flush: (inout PostgresDecoder) throws -> Void
    ) throws -> ReadOutcome {
        var budget = atMost
        while true {
            let limit = min(file.found.byteCount, file.offset + budget)
            let isCut = limit < file.found.byteCount
            let outcome = try decoding.decode(
                reader,
                source: file.found.path,
                format: format,
                from: file.offset,
                limit: limit,
                // Nothing will follow a torn record at the end of a closed file.
                isWhole: file.isClosed && !isCut,
                into: &decoder,
                flush: flush,
                onChunk: noteProgress
            )
            guard isCut, mayExceed, outcome.end == file.offset else {
                return ReadOutcome(end: outcome.end, hash: outcome.hash, isCut: isCut)
            }
            budget *= 2
        }
    }

    /// Notes bytes at the end of a file that are no whole record yet.
    func notePending(_ file: UnreadFile, readUpTo outcome: ReadOutcome) {
        guard !outcome.isCut, outcome.end < file.found.byteCount else { return }
        summary.pending[file.found.path] = file.found.byteCount - outcome.end
        if outcome.end == file.offset { fruitless.insert(file.found) }
    }

    /// Describes a file as read up to an offset by a batch.
    func track(
        _ reader: FileReader,
        id: String,
        format: LogFormat,
        upTo offset: UInt64,
        plannedAt: Int64
    ) throws -> TrackedFile {
        var tracked = try reader.track(id: id, host: settings.source.host, upTo: offset)
        tracked.format = format.rawValue
        tracked.readAt = plannedAt
        return tracked
    }

    /// Where reading a file begins that was there before the pipeline; nil for its beginning.
    func startingOffset(
        _ file: UnreadFile,
        _ reader: FileReader,
        _ format: LogFormat,
        beside look: Look
    ) throws -> UInt64? {
        switch settings.start {
        case .earliest: nil
        case .latest:
            try latest(file, beside: look).map { try lastBorder(file, reader, format, before: $0) }
        case .time(let time):
            file.found.modified < time
                ? try lastBorder(file, reader, format, before: file.found.byteCount) : nil
        }
    }

    /// How long a file was when the pipeline began, which may have been while the lake was down; nil for one that came later.
    private func latest(_ file: UnreadFile, beside look: Look) -> UInt64? {
        guard let manifest = spool?.manifest, manifest.isFromStart else { return file.found.byteCount }
        let spooled = manifest.files.first { spooled in
            spooled.id == file.copied?.id || look.sightings[spooled.id]?.file == file.id
        }
        return spooled?.startsAt.map { min($0, file.found.byteCount) }
    }

    /// The end of the last whole record of a file before an offset.
    private func lastBorder(
        _ file: UnreadFile,
        _ reader: FileReader,
        _ format: LogFormat,
        before end: UInt64
    ) throws -> UInt64 {
        var span: UInt64 = 1 << 20
        while true {
            let from = end > span ? end - span : 0
            var settings = settings.decoding
            // Every record counts here, also one that would not be kept.
            settings.keepsAuditEventsOnly = false
            settings.startTime = nil
            settings.excludedRoles = []
            settings.excludedApplications = []
            var decoder = PostgresDecoder(settings: settings)
            var decoding = RangeDecoding()
            let outcome = try decoding.decode(
                reader,
                source: file.found.path,
                format: format,
                from: from,
                limit: end,
                isWhole: false,
                into: &decoder,
                flush: { decoder in
                    _ = decoder.finishRows()
                    _ = decoder.quarantine.finish()
                },
                onChunk: { _, _ in }
            )
            // Without a record the span may lie inside a long one.
            if decoder.totals.rowCount > 0 || from == 0 { return outcome.end }
            span *= 8
        }
    }
}
