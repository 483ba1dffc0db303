extension CustomerCSVDecoder {
    /// What a decoder has made since it was created; records before the offset that a file was begun from do not count.
    package struct Totals: Hashable, Sendable {
        /// Rows.
        package var rowCount = 0
        /// Rows of the quarantine.
        package var quarantineRowCount = 0
        /// Records that were known, and became no rows.
        package var duplicateCount = 0
        /// Empty lines.
        package var blankLineCount = 0
        /// Rows without a time.
        package var undatedRowCount = 0
        /// Values that do not fit their column, and stand in `_rescued`.
        package var rescuedValueCount = 0
        /// Bytes of files whose header is unusable, and which were not read for this.
        package var unreadByteCount = 0

        /// Creates totals of nothing.
        package init() {}
    }

    /// Why `decode` came back.
    package enum Stop: Hashable, Sendable {
        /// The rest of the bytes is part of something whose end has not been read: call again with more bytes behind it.
        case needsMoreInput
        /// The open row groups are full: some are to be taken before the next call.
        case rowGroupFull
        /// The next record is of this day, in days since 1970-01-01, which the index is to know before the next call.
        case needsDay(Int32)
        /// The next record has no time, and the index is to know such rows before the next call.
        case needsUndated
    }
}
