import CSimdJSON
import Columnar

/// Columns whose texts silver and gold share.
enum SharedColumn: Int, CaseIterable {
    case version
    case accountID
    case workspaceID
    case sourceIPAddress
    case userAgent
    case sessionID
    case email
    case subjectName
    case serviceName
    case actionName
    case auditLevel
    case source

    static let count = allCases.count
}

/// One event, ready to be appended to silver and to gold.
struct EventRow {
    var eventID = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Microseconds since 1970-01-01 UTC.
    var time: EventTime?
    /// One entry a ``SharedColumn``.
    var entries: UnsafePointer<Int32>
    var requestID: UnsafeRawBufferPointer?
    var hasResponse = false
    var statusCode: Int64?
    var errorMessage: UnsafeRawBufferPointer?
    var result: UnsafeRawBufferPointer?
    var ingestTime: Int64 = 0
    var sourceOffset: Int64 = 0

    /// Roughly the bytes that the row takes besides what stands in `requestParams` and in maps.
    var byteCount: Int {
        SharedColumn.count * 4 + 80 + eventID.count + (requestID?.count ?? 0) + (errorMessage?.count ?? 0)
            + (result?.count ?? 0)
    }
}

/// A pair of a map; a value that is missing is null.
struct TextPair {
    var key: UnsafeRawBufferPointer
    var value: UnsafeRawBufferPointer?
}

/// The columns that silver and every gold table have in common: all but `requestParams`.
struct EventColumns: ~Copyable {
    // Many days and services may be open at once, so an empty builder takes little.
    private var eventID = StringBuilder(count: 0, byteCount: 0)
    private var timestamp = FixedWidthBuilder<Int64>(byteCount: 64)
    private var dateTime = FixedWidthBuilder<Int64>(byteCount: 64)
    private let shared: UnsafeMutablePointer<PooledColumnBuilder>
    private var requestID = StringBuilder(count: 0, byteCount: 0)
    private var statusCode = FixedWidthBuilder<Int64>(byteCount: 64)
    private var errorMessage = StringBuilder(count: 0, byteCount: 0)
    private var result = StringBuilder(count: 0, byteCount: 0)
    private var response = ValidityBuilder()
    private var metadata = MapBuilder(slotCount: 16)
    private var rescued = MapBuilder(slotCount: 16)
    private var ingestTime = FixedWidthBuilder<Int64>(byteCount: 64)
    private var sourceOffset = FixedWidthBuilder<Int64>(byteCount: 64)
    /// The number of rows.
    private(set) var count = 0

    init() {
        shared = .allocate(capacity: SharedColumn.count)
        for index in 0..<SharedColumn.count { (shared + index).initialize(to: PooledColumnBuilder()) }
    }

    deinit {
        shared.deinitialize(count: SharedColumn.count)
        shared.deallocate()
    }

    static let responseFields = [
        ColumnField("statusCode", .int64), ColumnField("errorMessage", .string),
        ColumnField("result", .string),
    ]

    /// The columns in order around one for `requestParams`, without the partition column `date`.
    static func fields(params: ColumnType) -> [ColumnField] {
        [
            ColumnField("event_id", .string, isNullable: false), ColumnField("version", .string),
            ColumnField("timestamp", .int64), ColumnField("date_time", .timestamp),
            ColumnField("accountId", .string), ColumnField("workspaceId", .string),
            ColumnField("sourceIPAddress", .string), ColumnField("userAgent", .string),
            ColumnField("sessionId", .string), ColumnField("email", .string),
            ColumnField("subjectName", .string), ColumnField("serviceName", .string),
            ColumnField("actionName", .string), ColumnField("requestId", .string),
            ColumnField("requestParams", params), ColumnField("response", .structure(responseFields)),
            ColumnField("auditLevel", .string),
            ColumnField("identity_metadata", .map(key: .string, value: .string)),
            ColumnField("_rescued", .map(key: .string, value: .string)),
            ColumnField("ingest_ts", .timestamp, isNullable: false),
            ColumnField("source", .string, isNullable: false),
            ColumnField("source_offset", .int64, isNullable: false),
        ]
    }

    /// Appends a row.
    ///
    /// - Returns: Roughly the bytes that it took.
    mutating func append(_ row: EventRow, metadata pairs: [TextPair]?, rescued others: [TextPair]) -> Int {
        var byteCount = row.byteCount
        eventID.append(row.eventID)
        if let time = row.time {
            timestamp.append(time.milliseconds)
            dateTime.append(time.microseconds)
        } else {
            timestamp.appendNull()
            dateTime.appendNull()
        }
        for index in 0..<SharedColumn.count { shared[index].append(row.entries[index]) }
        if let id = row.requestID { requestID.append(id) } else { requestID.appendNull() }
        appendResponse(row)
        if let pairs { byteCount += Self.append(pairs, to: &metadata, row: count) }
        if !others.isEmpty { byteCount += Self.append(others, to: &rescued, row: count) }
        ingestTime.append(row.ingestTime)
        sourceOffset.append(row.sourceOffset)
        count += 1
        return byteCount
    }

    private mutating func appendResponse(_ row: EventRow) {
        if !row.hasResponse { response.appendNull(at: count) }
        if let code = row.statusCode {
            statusCode.appendNulls(upTo: count)
            statusCode.append(code)
        }
        if let message = row.errorMessage {
            errorMessage.appendNulls(upTo: count)
            errorMessage.append(message)
        }
        if let text = row.result {
            result.appendNulls(upTo: count)
            result.append(text)
        }
    }

    private static func append(_ pairs: [TextPair], to map: inout MapBuilder, row: Int) -> Int {
        map.appendNulls(upTo: row)
        var byteCount = 0
        for pair in pairs {
            if let value = pair.value {
                map.append(pair.key, value)
                byteCount += value.count
            } else {
                map.appendNull(pair.key)
            }
            byteCount += 8
        }
        map.closeMap()
        return byteCount
    }

    /// The rows as a batch; empty again.
    ///
    /// - Parameters:
    ///   - params: Column `requestParams` of as many rows.
    ///   - fieldType: What readers see of it.
    ///   - pools: Of the shared columns.
    ///   - numbers: See ``PooledColumnBuilder/finish(from:numbers:)``.
    /// - Returns: The rows.
    mutating func finish(
        params: Column,
        fieldType: ColumnType,
        pools: borrowing SharedPools,
        numbers: inout [Int32]
    ) -> RecordBatch {
        defer { count = 0 }
        func taken(_ column: SharedColumn) -> Column {
            shared[column.rawValue].finish(from: pools[column], numbers: &numbers)
        }
        metadata.appendNulls(upTo: count)
        rescued.appendNulls(upTo: count)
        let columns = [
            eventID.finish(withBounds: false), taken(.version), timestamp.finish(as: .int64),
            dateTime.finish(as: .timestamp),
            taken(.accountID), taken(.workspaceID), taken(.sourceIPAddress), taken(.userAgent),
            taken(.sessionID), taken(.email), taken(.subjectName), taken(.serviceName), taken(.actionName),
            requestID.finish(withBounds: false), params, finishResponse(), taken(.auditLevel),
            metadata.finish(),
            rescued.finish(),
            ingestTime.finish(as: .timestamp), taken(.source), sourceOffset.finish(as: .int64),
        ]
        return RecordBatch(schema: Self.fields(params: fieldType), columns: columns, rowCount: count)
    }

    private mutating func finishResponse() -> Column {
        statusCode.appendNulls(upTo: count)
        errorMessage.appendNulls(upTo: count)
        result.appendNulls(upTo: count)
        let (bitmap, nullCount) = response.finish(count: count)
        return Column(
            type: .structure(Self.responseFields),
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            children: [statusCode.finish(as: .int64), errorMessage.finish(), result.finish()]
        )
    }
}

/// The texts of the shared columns.
struct SharedPools: ~Copyable {
    private let pools: UnsafeMutablePointer<TextPool>

    init() {
        pools = .allocate(capacity: SharedColumn.count)
        for index in 0..<SharedColumn.count { (pools + index).initialize(to: TextPool()) }
    }

    deinit {
        pools.deinitialize(count: SharedColumn.count)
        pools.deallocate()
    }

    subscript(column: SharedColumn) -> TextPool {
        _read { yield pools[column.rawValue] }
        _modify { yield &pools[column.rawValue] }
    }

    /// Bytes held.
    var byteCount: Int {
        var total = 0
        for index in 0..<SharedColumn.count { total += pools[index].byteCount }
        return total
    }

    mutating func removeAll() {
        for index in 0..<SharedColumn.count { pools[index].removeAll() }
    }
}
