/// A log event of an envelope, whose message should be a record.
package struct LogEvent {
    /// What the message is.
    package enum Content {
        /// A sound record.
        case record(LogRecord)
        /// No record.
        case fault(code: RecordFault.Code, detail: String)
    }

    /// Where the message lies in the envelope's line, as it is stored; empty when the event has none.
    ///
    /// All of the line when that was Latin-1: places in it are those of the transcoded text.
    package var range: Range<Int>
    /// The message, escapes undone.
    package var text: UnsafeRawBufferPointer
    /// What the message is.
    package var content: Content
}
