/// Why a query gave no result, or not all of it.
package struct QueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package enum Code: String, Hashable, Sendable {
        /// DuckDB's command line is not to be found, or does not start.
        case engineMissing
        /// DuckDB ended by a signal that nobody here sent.
        case engineCrashed
        /// The SQL holds no statement, an open quote, or a command that is not SQL.
        case invalidSQL
        /// A statement that would write files or bring in an extension.
        case writeRefused
        /// DuckDB refused the SQL or failed in it; the message is DuckDB's.
        case sql
        /// A table that the scope does not have.
        case unknownTable
        /// The result does not fit the memory limit.
        case outOfMemory
        /// The time limit passed.
        case timedOut
        /// The caller's task was cancelled, or the engine got an interrupt.
        case interrupted
        /// The reader of the output went away.
        case outputClosed
        /// The temporary folder or the output file cannot be written.
        case fileSystem
    }

    /// The kind of failure.
    package var code: Code
    /// What happened; for ``Code/sql`` DuckDB's own text.
    package var message: String
    /// What to do about it; nil when the message says it.
    package var mend: String?

    init(_ code: Code, _ message: String, mend: String? = nil) {
        self.code = code
        self.message = message
        self.mend = mend
    }

    /// Whether the same query may succeed when it is run again.
    package var canRetry: Bool { code == .timedOut || code == .interrupted }

    /// The message, and what to do on a second line.
    package var description: String { mend.map { "\(message)\n    \($0)" } ?? message }
}
