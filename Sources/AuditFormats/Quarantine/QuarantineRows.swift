import CByteScan
import Columnar

/// Builds rows of a pipeline's quarantine table.
package struct QuarantineRows: ~Copyable {
    private var source = DictionaryBuilder()
    private var sourceOffset = FixedWidthBuilder<Int64>()
    private var length = FixedWidthBuilder<Int64>()
    private var reason = DictionaryBuilder()
    private var detail = StringBuilder()
    private var raw = StringBuilder()
    private var rawEncoding = DictionaryBuilder()
    private var ingestTime = FixedWidthBuilder<Int64>()
    /// The number of rows.
    package private(set) var count = 0

    /// The columns, in order, without the partition column `date`.
    package static let columns: [ColumnField] = [
        ColumnField("source", .string, isNullable: false),
        ColumnField("source_offset", .int64, isNullable: false),
        ColumnField("length", .int64, isNullable: false),
        ColumnField("reason", .string, isNullable: false),
        ColumnField("detail", .string),
        ColumnField("raw", .string, isNullable: false),
        ColumnField("raw_encoding", .string),
        ColumnField("ingest_ts", .timestamp, isNullable: false),
    ]

    /// Creates an empty builder.
    package init() {}

    /// Bytes held.
    package var byteCount: Int { detail.byteCount + raw.byteCount + source.byteCount + count * 24 }

    /// Appends a fault with its bytes; bytes that are not UTF-8 are kept as Latin-1 text.
    ///
    /// - Parameters:
    ///   - fault: What is wrong, and where.
    ///   - bytes: The bytes, or their text when they were made into UTF-8 before.
    ///   - isLatin1: The bytes were Latin-1 and have been made into UTF-8.
    ///   - name: The source's name.
    ///   - time: Column `ingest_ts`.
    package mutating func append(
        _ fault: RecordFault,
        raw bytes: UnsafeRawBufferPointer,
        isLatin1: Bool = false,
        source name: String,
        ingestTime time: Int64
    ) {
        Self.withBytes(name) { _ = source.append($0) }
        sourceOffset.append(Int64(fault.range.lowerBound))
        length.append(Int64(fault.range.byteCount))
        Self.withBytes(fault.code.rawValue) { _ = reason.append($0) }
        Self.withBytes(fault.detail) { detail.append($0) }
        let text = bytes.bindMemory(to: UInt8.self)
        if bs_is_utf8(text.baseAddress, text.count) != 0 {
            raw.append(bytes)
            if isLatin1 { appendLatin1() } else { rawEncoding.appendNull() }
        } else {
            raw.append(atMost: bytes.count * 2) {
                bs_latin1_to_utf8(text.baseAddress, text.count, $0.assumingMemoryBound(to: UInt8.self))
            }
            appendLatin1()
        }
        ingestTime.append(time)
        count += 1
    }

    private mutating func appendLatin1() { Self.withBytes("latin1") { _ = rawEncoding.append($0) } }

    private static func withBytes(_ text: String, _ body: (UnsafeRawBufferPointer) -> Void) {
        var text = text
        text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }

    /// The rows as a batch; the builder is empty again.
    package mutating func finish() -> RecordBatch {
        defer { count = 0 }
        return RecordBatch(
            schema: Self.columns,
            columns: [
                source.finish(), sourceOffset.finish(as: .int64), length.finish(as: .int64), reason.finish(),
                detail.finish(),
                raw.finish(), rawEncoding.finish(), ingestTime.finish(as: .timestamp),
            ],
            rowCount: count
        )
    }
}
