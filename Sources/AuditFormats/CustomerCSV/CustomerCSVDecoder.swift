import CByteScan
import Columnar

/// Turns CSV files of customers into rows, and into quarantined faults.
///
/// A file is fed from its first byte. Used from one thread at a time. Everything it gives is a function of the bytes, the
/// settings, the columns and the index that it began with, and the ingest time; how bytes are cut into calls does not count.
package struct CustomerCSVDecoder: ~Copyable {
    /// The version of the rules that turn bytes into rows: a plan records it, and a change of any rule raises it.
    package static let parserVersion = 1

    let settings: CustomerCSVSettings
    let index: EventIndex
    let hash: KeyedHash
    var splitter = CSVTableSplitter()
    var file = FileState()
    var fields = FileFields()
    /// The number of files begun.
    var fileNumber = 0
    var equalRecords = EqualRecords()
    var schema: CustomerCSVSchema
    var quarantine = QuarantineRows()
    var days: [Int32: CustomerCSVRows] = [:]
    var recentDay: CustomerCSVRows?
    /// Texts of the present record with their quotes undone.
    var unquoted = ByteBuffer()
    /// What the present record is hashed from.
    var identity = ByteBuffer()
    /// Roughly the bytes that the rows of all days hold.
    var rowByteCount = 0
    /// Microseconds since 1970-01-01 UTC: column `ingest_ts` of the rows to come.
    package var ingestTime: Int64 = 0
    /// Bytes that the open row groups together may hold before `decode` asks for a flush.
    package var rowGroupByteCount = 96 << 20
    /// No instructions are used that not every processor has.
    package var isPortable: Bool {
        get { splitter.dialect.portable != 0 }
        set { splitter.dialect.portable = newValue ? 1 : 0 }
    }
    /// What was decoded since the decoder was created.
    package internal(set) var totals = Totals()

    /// The columns known so far, in the order of the table; it grows as files are decoded.
    package var columns: [CSVColumn] { schema.columns }

    /// The columns of the table, in order, without the partition column `date`.
    package static func tableColumns(_ columns: [CSVColumn]) -> [ColumnField] {
        CustomerCSVColumns.fields(columns)
    }

    /// Creates a decoder.
    ///
    /// - Parameters:
    ///   - settings: How files become rows. With masks, they have a key.
    ///   - columns: Those known from earlier batches, as they were given then.
    ///   - index: The ids of rows that are known; it grows with those of the rows made. Not used without deduplication.
    package init(settings: CustomerCSVSettings, columns: [CSVColumn] = [], index: EventIndex = EventIndex()) {
        precondition(settings.masks.isEmpty || settings.maskKey?.isEmpty == false, "masks need a key")
        precondition((1...1 << 30).contains(settings.maxRecordBytes), "records of up to 1 GiB")
        self.settings = settings.folded
        self.index = index
        hash = KeyedHash(key: settings.masks.isEmpty ? nil : settings.maskKey)
        schema = CustomerCSVSchema(columns)
    }

    /// Begins a file; numbers of equal records start again.
    ///
    /// - Parameters:
    ///   - source: Column `source` of the rows to come.
    ///   - customer: Whose file it is, when its path says so: column `customer` of records that do not name theirs.
    ///   - from: Records that start before this offset were read by an earlier batch: they count among equal ones, and
    ///     become no rows.
    package mutating func begin(source: String, customer: String? = nil, from: UInt64 = 0) {
        fileNumber += 1
        file = FileState()
        file.sourceName = source
        file.source.append(contentsOf: source)
        file.customer.append(contentsOf: customer ?? "")
        file.from = from
        equalRecords.removeAll()
    }

    /// Bytes held by all open row groups together.
    var heldByteCount: Int { rowByteCount + quarantine.byteCount }

    private var isFull: Bool {
        heldByteCount >= rowGroupByteCount && (rowByteCount > 0 || quarantine.count > 0)
    }

    /// Decodes a file from the start of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: Input, starting where the last call has left off.
    ///   - paddingByteCount: Bytes behind `bytes` that may be read. None are needed.
    ///   - baseOffset: Offset of `bytes` in the file.
    ///   - isEnd: Nothing follows.
    /// - Returns: Bytes that are done with, and why the rest is not. At the end all are.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        paddingByteCount: Int = 0,
        baseOffset: UInt64,
        isEnd: Bool = false
    ) -> (consumed: Int, stop: Stop) {
        var at = 0
        while at < bytes.count {
            if isFull { return (at, .rowGroupFull) }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            let offset = baseOffset + UInt64(at)
            let step: Step =
                switch file.stage {
                case .header: readHeader(rest, at: offset, isEnd: isEnd)
                case .sampling: sample(rest, at: offset, isEnd: isEnd)
                case .records: decodeRecord(rest, at: offset, isEnd: isEnd)
                case .damage: passDamage(rest, at: offset, isEnd: isEnd)
                case .unusable: passUnread(rest, at: offset)
                }
            switch step {
            case .done(let count): at += count
            case .stop(let stop): return (at, stop)
            }
        }
        return (at, isFull ? .rowGroupFull : .needsMoreInput)
    }

    /// What was made of the start of some bytes.
    enum Step {
        /// So many bytes are done with; none when only the stage has changed.
        case done(Int)
        case stop(Stop)
    }
}

/// What is to be read next of a file.
enum FileStage {
    /// The first record that is not blank.
    case header
    /// Records that are looked at before they are decoded, to know the types of new columns.
    case sampling
    case records
    /// Bytes up to the next sound record.
    case damage
    /// Everything, unread.
    case unusable
}

/// The file that is being decoded.
struct FileState: ~Copyable {
    var stage = FileStage.header
    var sourceName = ""
    var source = ByteBuffer(capacity: 64)
    /// From the path; empty for none.
    var customer = ByteBuffer(capacity: 64)
    var from: UInt64 = 0
    /// Whether the types of the file's new columns are known.
    var isSampled = false
    /// What began the damage.
    var fault = (code: RecordFault.Code.malformedField, detail: "")
    /// The offset from which newlines have not been looked at.
    var searched: UInt64 = 0
}

extension ByteBuffer {
    fileprivate mutating func append(contentsOf text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }
}
