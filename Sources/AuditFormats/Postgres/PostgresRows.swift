import Columnar

/// The open row group of a PostgreSQL audit table.
package struct PostgresRows: ~Copyable {
    var eventTime = FixedWidthBuilder<Int64>()
    var databaseName = DictionaryBuilder()
    var userName = DictionaryBuilder()
    var clientAddress = DictionaryBuilder()
    var sessionID = DictionaryBuilder()
    var commandTag = DictionaryBuilder()
    var objectType = DictionaryBuilder()
    var objectName = DictionaryBuilder()
    var statement = DictionaryBuilder()
    var auditClass = DictionaryBuilder()
    var result = DictionaryBuilder()
    var errorCode = DictionaryBuilder()
    var extra = MapBuilder()
    var ingestTime = FixedWidthBuilder<Int64>()
    var source = DictionaryBuilder()
    var raw = StringBuilder()
    var keys: ExtraKeys
    /// By row, the pair of `extra` that holds the outcome; negative for a row without.
    var outcomes: [Int32] = []

    /// Creates an empty row group.
    package init() { keys = ExtraKeys(in: &extra) }

    /// The number of rows.
    package var count: Int { eventTime.count }

    /// Bytes held.
    package var byteCount: Int {
        raw.byteCount + extra.byteCount + statement.byteCount + sessionID.byteCount + objectName.byteCount
            + count * 56
    }

    /// Takes it back that the statements of these rows succeeded.
    mutating func fail(row: Int32, state: UnsafeRawBufferPointer) {
        "FAILURE".withRawBytes { result.replace(at: Int(row), with: $0) }
        errorCode.replace(at: Int(row), with: state)
    }

    /// Notes that the statements of these rows may still fail; rows ascend.
    mutating func open(_ rows: [Int32]) {
        guard !rows.isEmpty else { return }
        let pairs = rows.map { Int(outcomes[Int($0)]) }
        "open".withRawBytes { extra.replaceValues(at: pairs, with: $0) }
    }

    /// The rows as a batch; the row group is empty again.
    mutating func finish() -> RecordBatch {
        let rowCount = count
        let columns = [
            eventTime.finish(as: .timestamp), databaseName.finish(), userName.finish(),
            clientAddress.finish(),
            sessionID.finish(), commandTag.finish(), objectType.finish(), objectName.finish(),
            statement.finish(),
            auditClass.finish(), result.finish(), errorCode.finish(), extra.finish(),
            ingestTime.finish(as: .timestamp),
            source.finish(), raw.finish(),
        ]
        keys = ExtraKeys(in: &extra)
        outcomes.removeAll(keepingCapacity: true)
        return RecordBatch(schema: PostgresSchema.columns, columns: columns, rowCount: rowCount)
    }
}
