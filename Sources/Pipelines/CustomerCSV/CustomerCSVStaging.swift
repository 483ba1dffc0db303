import AuditFormats
import BatchProtocol
import Catalog
import Columnar
import DeltaTables
import Intake
import ParquetFiles

/// Records of CSV files go in, data files of the table and the quarantine come out.
final class CustomerCSVStaging: ObjectStaging {
    /// Bytes that one read of what was read before brings.
    private static let chunkByteCount = 4 << 20

    private let pipeline: CustomerCSVPipeline
    private let basis: StagingBasis
    private let wanted: Set<TableName>?
    private let encoder: EncodingThread
    private let plannedAt: Int64
    /// Since 1970-01-01.
    private let ingestDay: Int64
    /// The version of the table that rows are compared with; nil for none.
    private let comparedVersion: Int64?
    private var stored: EventIDs?
    private let settings: CustomerCSVSettings
    private var decoder: CustomerCSVDecoder
    /// The record before the bytes to come, when an earlier batch took it without its end of line.
    private var carried: [UInt8] = []
    /// The ids of all rows that the batch was compared with, and its own.
    let ids: EventIndex

    /// Begins a batch.
    ///
    /// - Parameters:
    ///   - pipeline: Opens the tables.
    ///   - basis: What is known before the batch.
    ///   - ids: The ids of rows that the table has, as far as they are known.
    ///   - comparedVersion: The version of the table that rows are compared with; nil for none.
    ///   - plannedAt: The batch's time, in microseconds since 1970-01-01 UTC.
    ///   - wanted: The tables that get files; nil for all.
    ///   - planned: How records become rows, as the plan has it; nil for the pipeline's settings of now.
    init(
        _ pipeline: CustomerCSVPipeline,
        _ basis: StagingBasis,
        _ ids: EventIndex,
        comparedVersion: Int64?,
        plannedAt: Int64,
        wanted: Set<TableName>? = nil,
        settings planned: CustomerCSVSettings? = nil
    ) {
        self.pipeline = pipeline
        self.basis = basis
        self.ids = ids
        self.comparedVersion = comparedVersion
        self.plannedAt = plannedAt
        self.wanted = wanted
        settings = planned ?? pipeline.settings.decoding
        decoder = CustomerCSVDecoder(
            settings: settings,
            columns: basis.columns.columns,
            index: ids
        )
        decoder.ingestTime = plannedAt
        decoder.rowGroupByteCount = pipeline.settings.rowGroupByteCount
        encoder = EncodingThread(store: pipeline.lake.store, now: pipeline.clock() / 1_000)
        ingestDay = UTCDay.days(microseconds: plannedAt)
    }

    var rowCount: Int { decoder.totals.rowCount }
    /// A record is decoded once all of it was read.
    var isInsideRecord: Bool { false }

    func cancel() { encoder.cancel() }

    /// A record without an end of line may be written on.
    func isWhole(lastRecord bytes: UnsafeRawBufferPointer) -> Bool { false }

    // MARK: Decoding

    func begin(_ reader: ObjectReader, modified: Int64) throws {
        carried = try lastRecord(before: reader)
        decoder.begin(
            source: reader.key,
            customer: pipeline.settings.customerPath?.customer(of: reader.key),
            from: reader.from - UInt64(carried.count)
        )
        try readBehind(reader)
    }

    /// The record that an earlier batch took without its end of line.
    ///
    /// It may go on now, and is decoded once more; a row of it that is there is known.
    private func lastRecord(before reader: ObjectReader) throws -> [UInt8] {
        guard reader.from > 0 else { return [] }
        var last: UInt8 = 0
        let count = try withUnsafeMutableBytes(of: &last) {
            try reader.readBehind(at: reader.from - 1, into: $0)
        }
        guard count == 1, last != UInt8(ascii: "\n") else { return [] }
        var decoder = CustomerCSVDecoder(settings: settings, columns: basis.columns.columns)
        decoder.begin(source: reader.key, from: reader.from)
        return try feed(reader, upTo: reader.from) { bytes, padding, offset in
            decoder.decode(bytes, paddingByteCount: padding, baseOffset: offset, isEnd: false).consumed
        }
    }

    /// Reads what earlier batches have of an object: its header, and which records it has so far.
    private func readBehind(_ reader: ObjectReader) throws {
        _ = try feed(reader, upTo: reader.from - UInt64(carried.count)) { bytes, padding, offset in
            try decodeWhole(bytes, paddingByteCount: padding, at: offset, isEnd: false)
        }
    }

    /// Hands over the first bytes of an object.
    ///
    /// - Parameters:
    ///   - reader: The object.
    ///   - end: Offset one past the last of them.
    ///   - decode: Takes bytes and how many more may be looked at behind them, with the offset of the first; gives how many it
    ///     is done with.
    /// - Returns: Those at the end that it was not done with.
    /// - Throws: `StorageError`, and what `decode` throws.
    private func feed(
        _ reader: ObjectReader,
        upTo end: UInt64,
        _ decode: (UnsafeRawBufferPointer, Int, UInt64) throws -> Int
    ) throws -> [UInt8] {
        var window = InputWindow()
        var offset: UInt64 = 0
        var kept = 0
        while offset + UInt64(kept) < end {
            let at = offset + UInt64(kept)
            let wanted = Int(min(UInt64(max(Self.chunkByteCount, kept)), end - at))
            let count = try window.fill(kept, wanted) { try reader.readBehind(at: at, into: $0) }
            guard count > 0 else { break }
            let filled = kept + count
            let consumed = try window.withBytes(filled) { try decode($0, $1, offset) }
            kept = filled - consumed
            window.drop(consumed, keeping: kept)
            offset += UInt64(consumed)
        }
        return window.withBytes(kept) { bytes, _ in Array(bytes) }
    }

    func decode(
        _ bytes: UnsafeRawBufferPointer,
        paddingByteCount: Int,
        at offset: UInt64,
        isEnd: Bool
    ) throws -> Int {
        guard !carried.isEmpty else {
            return try decodeWhole(bytes, paddingByteCount: paddingByteCount, at: offset, isEnd: isEnd)
        }
        let whole = carried + bytes
        let consumed = try whole.withUnsafeBytes {
            try decodeWhole($0, paddingByteCount: 0, at: offset - UInt64(carried.count), isEnd: isEnd)
        }
        guard consumed >= carried.count else { return 0 }
        defer { carried = [] }
        return consumed - carried.count
    }

    /// Decodes bytes that begin a record.
    private func decodeWhole(
        _ bytes: UnsafeRawBufferPointer,
        paddingByteCount: Int,
        at offset: UInt64,
        isEnd: Bool
    ) throws -> Int {
        var consumed = 0
        while true {
            let step = decoder.decode(
                UnsafeRawBufferPointer(rebasing: bytes[consumed...]),
                paddingByteCount: paddingByteCount,
                baseOffset: offset + UInt64(consumed),
                isEnd: isEnd
            )
            consumed += step.consumed
            switch step.stop {
            case .needsMoreInput: return consumed
            case .rowGroupFull: try decoder.flushLargest { try submit($0, $1) }
            case .needsDay(let day): try load(day)
            case .needsUndated: try loadUndated()
            }
        }
    }

    // MARK: Rows that are there

    private func load(_ day: Int32) throws {
        ids.open(day)
        try storedIDs()?.read(day: day) { ids.load($0, day: day) }
    }

    private func loadUndated() throws {
        ids.open(nil)
        for day in basis.undated.days { try storedIDs()?.read(day: day) { ids.load($0, day: nil) } }
    }

    private func storedIDs() throws -> EventIDs? {
        if let stored { return stored }
        guard let comparedVersion, let table = pipeline.customers?.delta else { return nil }
        let ids = try EventIDs(table, version: comparedVersion)
        stored = ids
        return ids
    }

    // MARK: Files

    private func submit(_ target: CustomerCSVTarget, _ batch: RecordBatch) throws {
        let settings = pipeline.settings
        let (table, storage, day) =
            switch target {
            case .quarantine: (settings.quarantine, TableShape.quarantine.storage, ingestDay)
            case .rows(let date): (settings.table, TableShape.customerStorage(of: batch), Int64(date))
            }
        guard wanted?.contains(table) ?? true else { return }
        let file = FileTarget(
            folder: table.folder,
            schema: batch.schema,
            storage: storage + batch.plainTexts(besides: storage),
            partition: (name: "date", value: UTCDay.text(days: day))
        )
        try encoder.submit(batch, to: file)
    }

    /// Makes every file durable.
    func finish() throws -> StagedBatch {
        try orCancel { try decoder.flushAll { try submit($0, $1) } }
        var staged = StagedBatch()
        let files = try encoder.finish()
        let totals = decoder.totals
        let columns = decoder.columns
        if totals.rowCount > 0 { try pipeline.openCustomers(columns) }
        for table in pipeline.tables { staged.files[table.name] = files[table.folder] }
        if staged.files[pipeline.settings.table] != nil {
            if try !pipeline.hasRoom(for: columns) {
                staged.grown[pipeline.settings.table] = TableShape.customers(columns).schema
            }
            staged.comparedVersion = comparedVersion
        }
        if totals.duplicateCount > 0 { staged.leftOut = ["duplicate": totals.duplicateCount] }
        staged.stateChanges = try basis.columns.changes(to: columns)
        if totals.undatedRowCount > 0, let change = basis.undated.change(adding: Int32(ingestDay)) {
            staged.stateChanges.append(change)
        }
        return staged
    }
}
