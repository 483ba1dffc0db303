/// A half-open byte range inside one source, in bytes from its first byte.
package struct ByteRange: Hashable, Sendable {
    /// Offset of the first byte.
    package var lowerBound: UInt64
    /// Offset one past the last byte.
    package var upperBound: UInt64

    /// Creates a range.
    package init(_ lowerBound: UInt64, _ upperBound: UInt64) {
        self.lowerBound = lowerBound
        self.upperBound = upperBound
    }

    /// The number of bytes.
    package var byteCount: UInt64 { upperBound - lowerBound }
}

/// A record that does not follow its format: a value for the quarantine, not a reason to stop.
package struct RecordFault: Hashable, Sendable {
    /// What is wrong with the record.
    package enum Code: String, Hashable, Sendable {
        /// A quote stands where the format allows none, or a field ends wrongly.
        case malformedField = "malformed_field"
        /// A line of jsonlog is no object, or something else than one object.
        case malformedLine = "malformed_line"
        /// The record has a number of fields that no PostgreSQL writes.
        case fieldCount = "field_count"
        /// The record does not begin with a timestamp.
        case timestamp
        /// A field holds what PostgreSQL never writes there.
        case fieldValue = "field_value"
        /// Two records stand in one line: the end of the first was lost.
        case gluedRecords = "glued_records"
        /// The record is longer than may wait for its end.
        case tooLong = "too_long"
        /// The record is longer than one may be.
        case oversized
        /// A CSV record has another number of fields than the file's header.
        case raggedRecord = "ragged_record"
        /// A CSV record is no valid UTF-8.
        case badText = "bad_text"
        /// A CSV file ends inside quotes.
        case unclosedQuote = "unclosed_quote"
        /// The first record of a CSV file does not name its columns; nothing of the file is read.
        case unusableHeader = "unusable_header"
        /// A line of the log collector's own file, which holds no records.
        case collectorOutput = "collector_output"
        /// A line is no JSON.
        case malformedJSON = "malformed_json"
        /// A line is JSON, but no audit event.
        case noEvent = "no_event"
        /// An event breaks the rule of this name, which asks for the quarantine.
        case ruleValidWorkspaceID = "rule_valid_workspace_id"
        /// An event breaks the rule of this name, which asks for the quarantine.
        case ruleTimestampNotNull = "rule_timestamp_is_not_null"
        /// An event breaks the rule of this name, which asks for the quarantine.
        case ruleServiceNameNotNull = "rule_service_name_is_not_null"
        /// An event breaks the rule of this name, which asks for the quarantine.
        case ruleActionNameNotNull = "rule_action_name_is_not_null"
        /// A secret stands where it cannot be taken out of the record.
        case unredactable
    }

    /// The kind of fault.
    package var code: Code
    /// What was expected and found, for people.
    package var detail: String
    /// Where the bytes lie in their source.
    package var range: ByteRange
}
