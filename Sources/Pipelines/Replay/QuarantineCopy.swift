import AuditFormats
import Columnar
import ParquetFiles

/// A row of a quarantine table; its texts are valid as long as the row group that it was read from.
struct QuarantineRow {
    var source: UnsafeRawBufferPointer
    var offset: Int64
    var length: Int64
    var reason: UnsafeRawBufferPointer
    var detail: UnsafeRawBufferPointer?
    var raw: UnsafeRawBufferPointer
    var encoding: UnsafeRawBufferPointer?
    var ingestTime: Int64

    /// Reads a row; nil when it lacks what every row has.
    init?(_ rows: ArrowView, _ index: Int) {
        func text(_ name: String) -> UnsafeRawBufferPointer? { rows.field(name)?.bytes(index)?.bytes }
        guard let source = text("source"), let offset = rows.field("source_offset")?.int64(index),
            let length = rows.field("length")?.int64(index), let reason = text("reason"),
            let raw = text("raw"), let time = rows.field("ingest_ts")?.int64(index)
        else { return nil }
        self.source = source
        self.offset = offset
        self.length = length
        self.reason = reason
        self.raw = raw
        detail = text("detail")
        encoding = text("raw_encoding")
        ingestTime = time
    }
}

/// Gathers rows of a quarantine as they are, one day of ingest at a time, and hands them on.
struct QuarantineCopy: ~Copyable {
    private let encoder: EncodingThread
    private let folder: String
    private var day = ""
    private var rowCount = 0
    private var source = DictionaryBuilder()
    private var offset = FixedWidthBuilder<Int64>()
    private var length = FixedWidthBuilder<Int64>()
    private var reason = DictionaryBuilder()
    private var detail = StringBuilder()
    private var raw = StringBuilder()
    private var encoding = DictionaryBuilder()
    private var ingestTime = FixedWidthBuilder<Int64>()

    /// Hands files of a folder of the lake to a thread.
    init(encoder: EncodingThread, folder: String) {
        self.encoder = encoder
        self.folder = folder
    }

    /// Bytes held.
    var byteCount: Int { detail.byteCount + raw.byteCount + source.byteCount + rowCount * 24 }

    /// Takes in a row; those of another day are handed on before.
    mutating func append(_ row: QuarantineRow) throws {
        let day = UTCDay.text(microseconds: row.ingestTime)
        if day != self.day { try flush() }
        self.day = day
        _ = source.append(row.source)
        offset.append(row.offset)
        length.append(row.length)
        _ = reason.append(row.reason)
        if let text = row.detail { detail.append(text) } else { detail.appendNull() }
        raw.append(row.raw)
        if let text = row.encoding { _ = encoding.append(text) } else { encoding.appendNull() }
        ingestTime.append(row.ingestTime)
        rowCount += 1
    }

    /// Hands on what is held.
    mutating func flush() throws {
        guard rowCount > 0 else { return }
        let columns = [
            source.finish(), offset.finish(as: .int64), length.finish(as: .int64), reason.finish(),
            detail.finish(), raw.finish(), encoding.finish(), ingestTime.finish(as: .timestamp),
        ]
        let target = FileTarget(
            folder: folder,
            schema: QuarantineRows.columns,
            storage: TableShape.quarantine.storage,
            partition: (name: "date", value: day)
        )
        let batch = RecordBatch(schema: QuarantineRows.columns, columns: columns, rowCount: rowCount)
        rowCount = 0
        try encoder.submit(batch, to: target)
    }
}
