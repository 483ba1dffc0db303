import AuditFormats
import Columnar
import ParquetFiles

/// Tells on which day of silver records of the quarantine lie, or would lie were they not dropped.
struct RecordDays: ~Copyable {
    /// What parts the numbers of rows, which the decoder takes for offsets: more than the bytes of any record.
    private static let rowDistance: Int64 = 1 << 36

    private var decoder: DatabricksDecoder

    /// Decodes by these settings, but drops nothing.
    init(_ given: DatabricksDecoderSettings) {
        var settings = given
        settings.actions = [:]
        settings.buildsBronze = false
        settings.buildsSilver = true
        settings.buildsGold = false
        decoder = DatabricksDecoder(settings: settings)
    }

    /// The day of each row, in days since 1970-01-01: the event's, and the day of ingest for what is no event.
    mutating func days(of rows: ArrowView) -> [Int64] {
        guard let raw = rows.field("raw"), let encoding = rows.field("raw_encoding"),
            let time = rows.field("ingest_ts")
        else { return [] }
        var days = (0..<rows.count).map { UTCDay.days(microseconds: time.int64($0) ?? 0) }
        decoder.begin(source: "", sourceTime: nil)
        for index in 0..<rows.count {
            guard let text = raw.bytes(index) else { continue }
            decoder.ingestTime = time.int64(index) ?? 0
            let offset = UInt64(Int64(index) * Self.rowDistance)
            let stop: DatabricksDecoder.Stop?
            if encoding.isValid(index) {
                stop = BronzeReader.latin1(text.bytes).withUnsafeBytes {
                    decoder.decode(record: $0, offset: offset)
                }
            } else {
                stop = decoder.decode(
                    record: text.bytes,
                    paddingByteCount: text.paddingByteCount,
                    offset: offset
                )
            }
            if stop == .rowGroupFull { decoder.flushAll { Self.note($0, $1, in: &days) } }
        }
        decoder.flushAll { Self.note($0, $1, in: &days) }
        return days
    }

    private static func note(_ target: DatabricksTarget, _ batch: RecordBatch, in days: inout [Int64]) {
        guard case .silver(let date) = target,
            let index = batch.schema.firstIndex(where: { $0.name == "source_offset" }),
            let numbers = batch.columns[index].buffers.first
        else { return }
        for number in numbers.bytes.bindMemory(to: Int64.self).prefix(batch.rowCount) {
            days[Int(number / rowDistance)] = Int64(date)
        }
    }
}
