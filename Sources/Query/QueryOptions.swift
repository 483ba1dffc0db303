/// In which form a result is written.
package enum QueryFormat: Hashable, Sendable {
    /// A box for people: every statement's result.
    ///
    /// On a terminal it fits the width (from 80 columns up) and shows at most 1,000 rows; elsewhere it is whole.
    case table
    /// The last statement's result as one array of objects.
    case json
    /// The last statement's result with a header line; NULL is an empty field.
    case csv
    /// The last statement's result as a Parquet file at an absolute path; nothing goes to the output.
    case parquet(path: String)
}

/// What a query may use.
package struct QueryLimits: Hashable, Sendable {
    /// Memory of the engine, in bytes; beyond it the engine spills to the temporary folder.
    package var memoryByteCount: Int
    /// Time from the start of the engine to its end; nil for no limit.
    package var timeout: Duration?
    /// Threads of the engine, at least one.
    package var threadCount: Int

    package init(memoryByteCount: Int, timeout: Duration? = nil, threadCount: Int) {
        precondition(threadCount > 0 && memoryByteCount > 0, "limits are above zero")
        self.memoryByteCount = memoryByteCount
        self.timeout = timeout
        self.threadCount = threadCount
    }
}
