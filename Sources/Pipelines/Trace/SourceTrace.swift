import AuditFormats
import BatchProtocol
import Catalog
import Intake
import ObjectStorage

/// Where a record lies in the files of a pipeline.
package struct RecordPlace: Codable, Hashable, Sendable {
    /// The batch that has it.
    package var batch: UInt64
    /// When that was planned: column `ingest_ts`, in microseconds since 1970-01-01 UTC.
    package var plannedAt: Int64
    /// The file's path when the batch read it.
    package var path: String
    /// The file's path now; nil when no file holds the bytes of the range any more.
    package var currentPath: String?
    /// First byte of the batch's range of the file.
    package var rangeFrom: UInt64
    /// One past the last byte of the range.
    package var rangeTo: UInt64
    /// First byte of the record; nil when the file is gone or holds no such record.
    package var offset: UInt64?
    /// Bytes of the record, line end included.
    package var byteCount: Int?
    /// The record's number in the range, from 1 on.
    package var ordinal: Int?
    /// Whose record it is; nil for bytes that are no record.
    package var identity: RecordIdentity?

    init(_ plan: BatchPlan, _ range: SourceRange, currentPath: String?) {
        batch = plan.batch
        plannedAt = plan.plannedAt
        path = range.file.path
        self.currentPath = currentPath
        rangeFrom = range.from
        rangeTo = range.file.offset
    }

    mutating func found(_ piece: RecordWalk.Piece) {
        offset = piece.offset
        byteCount = piece.byteCount
        ordinal = piece.identity == nil ? nil : piece.ordinal
        identity = piece.identity
    }
}

/// Goes from rows to bytes and back over a pipeline's plans and files; writes nothing.
package struct SourceTrace {
    private let settings: PostgresPipelineSettings
    private let batches: BatchSearch
    private let files: TailedFiles

    /// Opens a pipeline; nil when there is no lake.
    ///
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `Lake.LakeError`.
    package init?(_ settings: PostgresPipelineSettings, lake: Lake) throws {
        guard let batches = try BatchSearch(pipeline: settings.name, lake: lake) else { return nil }
        self.settings = settings
        self.batches = batches
        files = TailedFiles(source: settings.source)
    }

    // MARK: From a row

    /// Where a row's record lies.
    ///
    /// - Parameters:
    ///   - identity: The row's session and line.
    ///   - instant: The row's `ingest_ts`, in microseconds since 1970-01-01 UTC.
    /// - Returns: The places, mostly one; without the record, the ranges that may have held it when their files are
    ///   gone; none when no batch of the pipeline was planned then.
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `ParquetError`.
    package func places(of identity: RecordIdentity, ingestedAt instant: Int64) throws -> [RecordPlace] {
        var unread: [RecordPlace] = []
        for plan in try batches.batches(plannedAt: instant) {
            for range in plan.ranges where range.byteCount > 0 {
                guard let reader = try files.locate(range) else {
                    unread.append(RecordPlace(plan, range, currentPath: nil))
                    continue
                }
                var place = RecordPlace(plan, range, currentPath: reader.path)
                try RecordWalk.pieces(reader, of: range) { piece in
                    if piece.identity == identity { place.found(piece) }
                    return piece.identity != identity
                }
                if place.offset != nil { return [place] }
            }
        }
        return unread
    }

    // MARK: From a byte

    /// What is known of a byte.
    package enum ByteFate: Hashable, Sendable {
        /// A batch has it; without receipt, the batch is not committed yet.
        case planned(RecordPlace, isCommitted: Bool)
        /// It lies behind what batches have, in a record that is whole.
        case unread(offset: UInt64, byteCount: Int)
        /// It lies in the beginning of a record whose end is not there yet.
        case pending(offset: UInt64, byteCount: UInt64)
        /// It lies before what batches have, but no batch has it: `start` passed over it.
        case passedOver
        /// The file ends before it.
        case beyondEnd(byteCount: UInt64)
        /// The pipeline has not read the file, nor do its patterns match it.
        case foreign
    }

    /// What became of a byte of a file.
    ///
    /// The file is told by what it holds, so it may have another name than when it was read. One that is gone is told by
    /// its last name.
    ///
    /// - Parameters:
    ///   - byte: Offset in the file.
    ///   - path: The file's absolute path.
    /// - Returns: What is known of it.
    /// - Throws: `StorageError`, `ShardError`, `PipelineError`, `ParquetError`.
    package func fate(of byte: UInt64, in path: String) throws -> ByteFate {
        guard let reader = try FileReader.openIfThere(path) else { return try fateInLostFile(byte, path) }
        let found = try settings.source.find().files
        let byteCount = try reader.byteCount()
        // What the open batch has read is known by its plan alone.
        let known = (batches.openPlan?.ranges.map(\.file) ?? []) + batches.state.files.reversed()
        let tracked = try known.first { try $0.isHeld(by: reader, byteCount: byteCount) }
        guard byte < byteCount else {
            let isOurs = tracked != nil || found.contains { $0.path == path }
            return isOurs ? .beyondEnd(byteCount: byteCount) : .foreign
        }
        if let tracked, let (plan, range) = try batches.batch(holding: byte, of: tracked.id) {
            let place = try self.place(of: byte, in: range, of: plan, reader)
            return .planned(place, isCommitted: plan.batch <= batches.lastBatch)
        }
        if let tracked, byte < tracked.offset { return .passedOver }
        guard tracked != nil || found.contains(where: { $0.path == path }) else { return .foreign }
        let format = try tracked?.logFormat ?? settings.format ?? reader.detectFormat(path: path)
        return try fateOfUnread(byte, reader, format, from: tracked?.offset ?? 0, byteCount: byteCount)
    }

    private func fateOfUnread(
        _ byte: UInt64,
        _ reader: FileReader,
        _ format: LogFormat,
        from: UInt64,
        byteCount: UInt64
    ) throws -> ByteFate {
        var fate: ByteFate?
        let border = try RecordWalk.pieces(reader, format, from: from, to: byteCount) { piece in
            if byte < piece.offset + UInt64(piece.byteCount) {
                fate = .unread(offset: piece.offset, byteCount: piece.byteCount)
            }
            return fate == nil
        }
        return fate ?? .pending(offset: border, byteCount: byteCount - border)
    }

    private func fateInLostFile(_ byte: UInt64, _ path: String) throws -> ByteFate {
        let known = (batches.openPlan?.ranges.map(\.file) ?? []) + batches.state.files.reversed()
        let named = known.filter { $0.path == path }
        for tracked in named {
            guard let (plan, range) = try batches.batch(holding: byte, of: tracked.id) else { continue }
            // It may lie there under another name.
            let place = try self.place(of: byte, in: range, of: plan, files.locate(range))
            return .planned(place, isCommitted: plan.batch <= batches.lastBatch)
        }
        return named.isEmpty ? .foreign : .passedOver
    }

    private func place(
        of byte: UInt64,
        in range: SourceRange,
        of plan: BatchPlan,
        _ reader: FileReader?
    ) throws -> RecordPlace {
        var place = RecordPlace(plan, range, currentPath: reader?.path)
        guard let reader else { return place }
        try RecordWalk.pieces(reader, of: range) { piece in
            if byte < piece.offset + UInt64(piece.byteCount) { place.found(piece) }
            return place.offset == nil
        }
        return place
    }
}

extension RecordWalk {
    /// Calls `body` with each piece of a range that was planned, until it returns false.
    fileprivate static func pieces(
        _ reader: FileReader,
        of range: SourceRange,
        _ body: (Piece) throws -> Bool
    ) throws {
        try pieces(
            reader,
            range.file.logFormat,
            from: range.from,
            to: range.file.offset,
            isWhole: true,
            body
        )
    }
}

extension TrackedFile {
    /// Whether an open file holds what was read of this one.
    fileprivate func isHeld(by reader: FileReader, byteCount: UInt64) throws -> Bool {
        guard offset > 0, offset <= byteCount, try reader.hash(from: 0, byteCount: headByteCount) == headHash
        else {
            return false
        }
        return try reader.hash(from: offset - UInt64(tailByteCount), byteCount: tailByteCount) == tailHash
    }
}
