import Columnar

/// The open row group of a bronze table: the lines as they were.
struct BronzeRows: ~Copyable {
    private var raw = StringBuilder()
    private var rawEncoding = DictionaryBuilder(slotCount: 16)
    private var source = DictionaryBuilder(slotCount: 16)
    private var sourceOffset = FixedWidthBuilder<Int64>()
    private var sourcePartition = FixedWidthBuilder<Int32>()
    private var sourceKey = StringBuilder(count: 0, byteCount: 0)
    private var sourceTime = FixedWidthBuilder<Int64>()
    private var ingestTime = FixedWidthBuilder<Int64>()
    /// The number of rows.
    private(set) var count = 0

    static let columns: [ColumnField] = [
        ColumnField("raw", .string, isNullable: false), ColumnField("raw_encoding", .string),
        ColumnField("source", .string, isNullable: false),
        ColumnField("source_offset", .int64, isNullable: false), ColumnField("source_partition", .int32),
        ColumnField("source_key", .string), ColumnField("source_time", .timestamp),
        ColumnField("ingest_ts", .timestamp, isNullable: false),
    ]

    init() {}

    /// Bytes held.
    var byteCount: Int { raw.byteCount + count * 36 }

    /// Appends a line in valid UTF-8.
    mutating func append(
        _ line: UnsafeRawBufferPointer,
        isLatin1: Bool,
        source name: UnsafeRawBufferPointer,
        offset: UInt64,
        sourceTime time: Int64?,
        ingestTime ingested: Int64
    ) {
        raw.append(line)
        if isLatin1 {
            rawEncoding.appendNulls(upTo: count)
            "latin1".withRawBytes { _ = rawEncoding.append($0) }
        }
        source.append(name)
        sourceOffset.append(Int64(bitPattern: offset))
        if let time { sourceTime.append(time) } else { sourceTime.appendNull() }
        ingestTime.append(ingested)
        count += 1
    }

    /// The rows as a batch; empty again.
    mutating func finish() -> RecordBatch {
        rawEncoding.appendNulls(upTo: count)
        sourcePartition.appendNulls(upTo: count)
        sourceKey.appendNulls(upTo: count)
        defer { count = 0 }
        return RecordBatch(
            schema: Self.columns,
            columns: [
                raw.finish(withBounds: false), rawEncoding.finish(), source.finish(),
                sourceOffset.finish(as: .int64), sourcePartition.finish(as: .int32), sourceKey.finish(),
                sourceTime.finish(as: .timestamp), ingestTime.finish(as: .timestamp),
            ],
            rowCount: count
        )
    }
}
