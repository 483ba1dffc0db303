import Columnar

/// The columns of a PostgreSQL audit table, in order, without the partition column `ingest_date`.
package enum PostgresSchema {
    /// The version of the rules that turn bytes into rows: a plan records it, and a change of any rule raises it.
    package static let parserVersion = 2

    /// The columns.
    package static let columns: [ColumnField] = [
        ColumnField("event_time", .timestamp, isNullable: false),
        ColumnField("db_name", .string),
        ColumnField("user_name", .string),
        ColumnField("client_addr", .string),
        ColumnField("session_id", .string),
        ColumnField("command_tag", .string),
        ColumnField("object_type", .string),
        ColumnField("object_name", .string),
        ColumnField("statement", .string),
        ColumnField("audit_class", .string),
        ColumnField("result", .string),
        ColumnField("error_code", .string),
        ColumnField("extra", .map(key: .string, value: .string)),
        ColumnField("ingest_ts", .timestamp, isNullable: false),
        ColumnField("src", .string, isNullable: false),
        ColumnField("raw", .string, isNullable: false),
    ]
}
