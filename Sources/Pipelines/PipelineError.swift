/// Why a pipeline stopped.
package struct PipelineError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of stop.
    package enum Code: String, Hashable, Sendable {
        /// A plan, receipt or state object cannot be read.
        case damagedState
        /// Bytes that a plan names are gone.
        case sourceLost
        /// Files are damaged, or several cannot be read.
        case unreadable
        /// A time zone abbreviation needs the setting `timezone`.
        case timeZone
        /// A library that the files' format needs is not installed.
        case missingLibrary
        /// A rule is broken that may not be.
        case expectationFailed
        /// Files would bring every record into a table twice.
        case sourceConflict
        /// A table of this name has other columns.
        case tableMismatch
        /// Another process is at work on the shard, or work was left for later.
        case unsettled
        /// The run was asked to stop.
        case cancelled
    }

    /// The kind of stop.
    package var code: Code
    /// What happened, with file, byte or table.
    package var message: String
    /// What a person can do.
    package var mend: String

    /// Creates an error.
    package init(code: Code, message: String, mend: String) {
        self.code = code
        self.message = message
        self.mend = mend
    }

    /// What happened.
    package var description: String { message }
}
