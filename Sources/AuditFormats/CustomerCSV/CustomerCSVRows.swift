import CByteScan
import Columnar

/// The open row group of one day.
final class CustomerCSVRows {
    let date: Int32
    var columns = CustomerCSVColumns()
    /// Roughly the bytes held.
    var byteCount = 0

    init(date: Int32) { self.date = date }
}

/// Where the values of a column are built: which kind of builder, and which one of them.
struct ColumnSlot {
    enum Kind: UInt8 {
        case text
        case integer
        case double
        case boolean
    }

    var kind: Kind
    var index: Int
}

/// The slots of all columns, in their order.
struct ColumnLayout {
    private(set) var slots: [ColumnSlot] = []
    private var counts = [0, 0, 0, 0]

    mutating func add(_ type: CSVColumnType) {
        let kind: ColumnSlot.Kind =
            switch type {
            case .text: .text
            case .integer, .timestamp: .integer
            case .double: .double
            case .boolean: .boolean
            }
        slots.append(ColumnSlot(kind: kind, index: counts[Int(kind.rawValue)]))
        counts[Int(kind.rawValue)] += 1
    }
}

/// The columns of a table of customers' events.
struct CustomerCSVColumns: ~Copyable {
    // Many days may be open at once, so an empty builder takes little.
    private var customer = DictionaryBuilder(slotCount: 16)
    private var eventID = StringBuilder(count: 0, byteCount: 0)
    private var texts = BuilderList<SparseTextBuilder>()
    private var integers = BuilderList<FixedWidthBuilder<Int64>>()
    private var doubles = BuilderList<DoubleBuilder>()
    private var booleans = BuilderList<BooleanBuilder>()
    private var rescued = MapBuilder(slotCount: 16)
    private var source = DictionaryBuilder(slotCount: 16)
    private var sourceOffset = FixedWidthBuilder<Int64>(byteCount: 64)
    private var ingestTime = FixedWidthBuilder<Int64>(byteCount: 64)
    /// The file whose name was entered last, and its entry.
    private var recentFile = -1
    private var sourceEntry: Int32 = 0
    /// The entry of the last customer; -1 for none.
    private var recentCustomer: Int32 = -1
    /// The number of whole rows.
    private(set) var count = 0

    init() {}

    static let rescuedName = "_rescued"
    /// The columns that every table has, in the order of the table; the files' columns stand behind the second.
    static let ownFields = [
        ColumnField(CSVHeader.customerName, .string),
        ColumnField("event_id", .string, isNullable: false),
        ColumnField(rescuedName, .map(key: .string, value: .string)),
        ColumnField("source", .string),
        ColumnField("source_offset", .int64),
        ColumnField("ingest_ts", .timestamp, isNullable: false),
    ]

    /// The columns in order, without the partition column `date`.
    static func fields(_ columns: [CSVColumn]) -> [ColumnField] {
        ownFields[..<2] + columns.map { ColumnField($0.column, $0.type.columnType) } + ownFields[2...]
    }

    // MARK: The values of the present row

    @inline(__always)
    mutating func setText(_ text: UnsafeRawBufferPointer, at index: Int) {
        while texts.count <= index { texts.append(SparseTextBuilder()) }
        texts[index].append(text, at: count)
    }

    @inline(__always)
    mutating func setInteger(_ value: Int64, at index: Int) {
        while integers.count <= index { integers.append(FixedWidthBuilder(byteCount: 64)) }
        integers[index].appendNulls(upTo: count)
        integers[index].append(value)
    }

    mutating func setDouble(_ value: Double, at index: Int) {
        while doubles.count <= index { doubles.append(DoubleBuilder()) }
        doubles[index].appendNulls(upTo: count)
        doubles[index].append(value)
    }

    mutating func setBoolean(_ value: Bool, at index: Int) {
        while booleans.count <= index { booleans.append(BooleanBuilder()) }
        booleans[index].appendNulls(upTo: count)
        booleans[index].append(value)
    }

    /// Adds a pair to the column `_rescued`.
    mutating func rescue(_ name: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer) {
        rescued.appendNulls(upTo: count)
        rescued.append(name, text)
    }

    /// What every row has.
    struct RowEnd {
        var id: EventID
        var customer: UnsafeRawBufferPointer
        /// A number that no other file of the decoder has, and the name.
        var file: Int
        var source: UnsafeRawBufferPointer
        var offset: Int64
        var ingestTime: Int64
        var hasRescued: Bool
    }

    /// Ends the present row and begins the next.
    @inline(__always)
    mutating func close(_ row: RowEnd) {
        eventID.append(atMost: EventID.hexByteCount) {
            row.id.writeHex(to: $0)
            return EventID.hexByteCount
        }
        if !row.customer.isEmpty { append(customer: row.customer) }
        if row.file != recentFile {
            sourceEntry = source.entry(of: row.source)
            recentFile = row.file
        }
        source.append(entry: sourceEntry)
        sourceOffset.append(row.offset)
        ingestTime.append(row.ingestTime)
        if row.hasRescued { rescued.closeMap() }
        count &+= 1
    }

    /// Appends a customer, which is mostly that of the row before.
    @inline(__always)
    private mutating func append(customer text: UnsafeRawBufferPointer) {
        customer.appendNulls(upTo: count)
        if recentCustomer >= 0, customer[entry: recentCustomer].equals(text) {
            customer.append(entry: recentCustomer)
        } else {
            recentCustomer = customer.append(text)
        }
    }

    /// The rows as a batch; empty again.
    mutating func finish(_ columns: [CSVColumn], _ slots: [ColumnSlot]) -> RecordBatch {
        defer { count = 0 }
        recentFile = -1
        recentCustomer = -1
        customer.appendNulls(upTo: count)
        rescued.appendNulls(upTo: count)
        var values = [customer.finish(), eventID.finish(withBounds: false)]
        for (column, slot) in zip(columns, slots) {
            values.append(finish(slot, as: column.type.columnType))
        }
        values += [
            rescued.finish(), source.finish(), sourceOffset.finish(as: .int64),
            ingestTime.finish(as: .timestamp),
        ]
        return RecordBatch(schema: Self.fields(columns), columns: values, rowCount: count)
    }

    private mutating func finish(_ slot: ColumnSlot, as type: ColumnType) -> Column {
        let index = slot.index
        switch slot.kind {
        case .text:
            while texts.count <= index { texts.append(SparseTextBuilder()) }
            return texts[index].finish(count: count)
        case .integer:
            while integers.count <= index { integers.append(FixedWidthBuilder(byteCount: 64)) }
            integers[index].appendNulls(upTo: count)
            return integers[index].finish(as: type)
        case .double:
            while doubles.count <= index { doubles.append(DoubleBuilder()) }
            doubles[index].appendNulls(upTo: count)
            return doubles[index].finish()
        case .boolean:
            while booleans.count <= index { booleans.append(BooleanBuilder()) }
            booleans[index].appendNulls(upTo: count)
            return booleans[index].finish()
        }
    }
}
