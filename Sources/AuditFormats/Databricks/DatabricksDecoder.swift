import CSimdJSON
import Columnar

/// Turns lines of Databricks audit events into rows of bronze, silver and gold, and into quarantined faults.
///
/// One parse feeds all tables. Used from one thread at a time. Everything it gives is a function of the bytes, the
/// settings, the services it began with and the ingest time.
package struct DatabricksDecoder: ~Copyable {
    /// The version of the rules that turn bytes into rows: a plan records it, and a change of any rule raises it.
    package static let parserVersion = 2

    let settings: DatabricksDecoderSettings
    let parser: OpaquePointer
    var found = sj_event()
    var pools = SharedPools()
    var eventServices: EventServices
    var ordinals = RecordOrdinals()
    var bronze = BronzeRows()
    var quarantine = QuarantineRows()
    var silver: [Int32: SilverRows] = [:]
    var recentSilver: SilverRows?
    var scratch = Scratch()
    var envelope = EnvelopeFields()
    var longLine = LongLine()
    var sourceName = ""
    var sourceText: [UInt8] = []
    var sourceTime: Int64?
    /// Roughly the bytes that silver and gold hold, without the pools.
    var eventByteCount = 0
    /// Microseconds since 1970-01-01 UTC: column `ingest_ts` of the rows to come.
    package var ingestTime: Int64 = 0
    /// Bytes that the open row groups together may hold before `decode` asks for a flush.
    package var rowGroupByteCount = 96 << 20
    /// The longest row of bronze that is a piece of a longer line, in bytes.
    ///
    /// Rows of one batch are made and read again with the same.
    package var pieceByteCount = 8 << 20
    /// What was decoded since the decoder was created.
    package internal(set) var totals = Totals()
    /// The first event that broke a rule whose action is `fail`.
    package internal(set) var failure: RuleFailure?

    /// The services known so far, in order of first appearance; it grows as events are decoded.
    package var services: [ServiceSchema] { eventServices.schemas }

    /// Room that lives while one record is decoded.
    struct Scratch: ~Copyable {
        var latin1 = ByteBuffer()
        var spans: [sj_span] = []
        var keys = UnsafeMutablePointer<Int32>.allocate(capacity: 64)
        var keyCapacity = 64
        let entries = UnsafeMutablePointer<Int32>.allocate(capacity: SharedColumn.count)
        var rescued: [TextPair] = []
        var metadata: [TextPair] = []
        var numbers: [Int32] = []

        init() {}

        deinit {
            keys.deallocate()
            entries.deallocate()
        }

        mutating func reserveKeys(_ count: Int) {
            guard count > keyCapacity else { return }
            keys.deallocate()
            keyCapacity = max(count, keyCapacity * 2)
            keys = .allocate(capacity: keyCapacity)
        }
    }

    /// Creates a decoder.
    ///
    /// - Parameters:
    ///   - settings: How events become rows.
    ///   - services: Those known from earlier batches, with the names that they were given.
    package init(settings: DatabricksDecoderSettings, services: [ServiceSchema] = []) {
        self.settings = settings
        eventServices = EventServices(services)
        // Whoever reads JSON has asked `LogFormat.isReadable` before.
        guard let made = sj_event_parser_create(settings.stripFlags) else {
            preconditionFailure("simdjson is not there")
        }
        parser = made
        totals.goldRowCounts = Array(repeating: 0, count: services.count)
    }

    deinit { sj_event_parser_destroy(parser) }

    /// The columns of bronze, in order, without the partition column `date`.
    package static var bronzeColumns: [ColumnField] { BronzeRows.columns }

    /// The columns of silver, in order, without the partition column `date`.
    package static let silverColumns = EventColumns.fields(params: .map(key: .string, value: .string))

    /// The columns of a gold table, in order, without the partition column `date`.
    package static func goldColumns(_ service: ServiceSchema) -> [ColumnField] {
        EventColumns.fields(params: .structure(service.fieldNames.map { ColumnField($0, .string) }))
    }

    /// Begins a new source, or a new range of one; ordinals of equal records start again.
    ///
    /// - Parameters:
    ///   - source: Column `source` of the rows to come.
    ///   - sourceTime: When the source was last written, in microseconds since 1970-01-01 UTC; nil for unknown.
    package mutating func begin(source: String, sourceTime: Int64?) {
        endLine()
        sourceName = source
        sourceText = Array(source.utf8)
        self.sourceTime = sourceTime
        ordinals.removeAll()
    }

    /// Bytes held by all open row groups together.
    var heldByteCount: Int { eventByteCount + bronze.byteCount + quarantine.byteCount + pools.byteCount }

    /// Whether row groups are to be taken; never when there is no row to take.
    private var isFull: Bool {
        heldByteCount >= rowGroupByteCount && (eventByteCount > 0 || bronze.count > 0 || quarantine.count > 0)
    }

    /// Decodes lines from the start of `bytes`.
    ///
    /// A line ends with `\n` or `\r\n`; blank lines belong to no table. A line over `maxRecordBytes` is no event: it goes to
    /// bronze piece by piece, and once to the quarantine.
    ///
    /// - Parameters:
    ///   - bytes: Input, starting at the start of a line.
    ///   - paddingByteCount: Bytes behind `bytes` that may be read. None are needed.
    ///   - baseOffset: Offset of `bytes` in its source.
    ///   - isEnd: Nothing follows: the last line is whole without a newline.
    /// - Returns: Bytes that are done with, and why the rest is not.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        paddingByteCount: Int = 0,
        baseOffset: UInt64,
        isEnd: Bool = false
    ) -> (consumed: Int, stop: Stop) {
        var at = 0
        while true {
            if isFull { return (at, .rowGroupFull) }
            guard at < bytes.count else {
                if isEnd { endLine() }
                return (at, .needsMoreInput)
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            guard let count = decodeLine(rest, at: baseOffset + UInt64(at), isEnd: isEnd) else {
                return (at, .needsMoreInput)
            }
            at += count
        }
    }

    /// Decodes a row of bronze, without building bronze.
    ///
    /// Rows of a source come in the order of their offsets; `endLine` or `begin` follows the last of them.
    ///
    /// - Parameters:
    ///   - record: The bytes as they were in the source.
    ///   - paddingByteCount: Bytes behind `record` that may be read. None are needed.
    ///   - offset: Column `source_offset` of the row.
    /// - Returns: `rowGroupFull` when row groups are to be taken before the next call. The record is decoded in any case.
    package mutating func decode(
        record: UnsafeRawBufferPointer,
        paddingByteCount: Int = 0,
        offset: UInt64
    ) -> Stop? {
        decodeRow(record, at: offset)
        return isFull ? .rowGroupFull : nil
    }
}
