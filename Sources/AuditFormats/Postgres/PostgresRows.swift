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

    /// Creates an empty row group.
    package init() { keys = ExtraKeys(in: &extra) }

    /// The number of rows.
    package var count: Int { eventTime.count }

    /// Bytes held.
    package var byteCount: Int {
        raw.byteCount + extra.byteCount + statement.byteCount + sessionID.byteCount + objectName.byteCount
            + count * 56
    }

    /// The rows as a batch; the row group is empty again.
    package mutating func finish() -> RecordBatch {
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
        return RecordBatch(schema: PostgresSchema.columns, columns: columns, rowCount: rowCount)
    }
}
