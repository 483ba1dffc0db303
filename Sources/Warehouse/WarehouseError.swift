/// Why rows did not get into a warehouse.
///
/// Never holds a password, nor values of rows: the server's DETAIL is left out.
package struct WarehouseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package enum Code: String, Hashable, Sendable {
        /// The server cannot be reached, or the connection was lost.
        case unreachable
        /// The server refuses the user, or lacks a right.
        case refused
        /// The server has no room left.
        case full
        /// A column of the target has another type, or another rule, than the lake's.
        case conflict
        /// The server refused a statement.
        case rejected
        /// The target cannot be brought forward batch by batch.
        case outOfStep
        /// The setting of the warehouse cannot be used.
        case setting
        /// The load was asked to stop.
        case cancelled
    }

    /// The kind of failure.
    package var code: Code
    /// What happened and where.
    package var message: String
    /// What a person can do.
    package var mend: String
    /// The server's code for the failure, five characters; nil where there is none.
    package var sqlState: String?
    /// Whether the same may succeed when it is tried again.
    package var isTransient = false

    /// Creates an error.
    package init(
        _ code: Code,
        _ message: String,
        mend: String,
        sqlState: String? = nil,
        isTransient: Bool = false
    ) {
        self.code = code
        self.message = message
        self.mend = mend
        self.sqlState = sqlState
        self.isTransient = isTransient
    }

    /// What happened.
    package var description: String { message }
}
