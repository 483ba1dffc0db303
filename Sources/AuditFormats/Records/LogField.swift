/// The fields of a log record: the columns of PostgreSQL's csvlog, by position (PostgreSQL 18, "Using CSV-Format Log
/// Output"); the keys of jsonlog are brought to the same positions.
package enum LogField {
    static let logTime = 0
    static let userName = 1
    static let databaseName = 2
    static let processID = 3
    static let connectionFrom = 4
    /// The session, as `%c` of `log_line_prefix` has it.
    package static let sessionID = 5
    /// The number of the record in its session, from 1 on.
    package static let sessionLineNumber = 6
    static let commandTag = 7
    static let sessionStartTime = 8
    static let virtualTransactionID = 9
    static let transactionID = 10
    static let errorSeverity = 11
    static let sqlState = 12
    static let message = 13
    static let detail = 14
    static let hint = 15
    static let internalQuery = 16
    static let internalQueryPosition = 17
    static let context = 18
    static let query = 19
    static let queryPosition = 20
    static let location = 21
    static let applicationName = 22
    /// Since PostgreSQL 13.
    static let backendType = 23
    /// Since PostgreSQL 14.
    static let leaderPID = 24
    /// Since PostgreSQL 14.
    static let queryID = 25
    /// The number of columns of PostgreSQL 14 to 18.
    static let knownCount = 26
    /// Columns of 9.0 to 12, of 13, of 14 and later; more than the last are kept as `csv_27` and so on.
    static func isCSVCount(_ count: Int) -> Bool { count == 23 || count == 24 || count >= knownCount }
    /// More columns than any version will have for years: beyond it a record is damage.
    static let capacity = 64
}
