/// What lies at the start of some bytes of a log.
package enum LogStep {
    /// A sound record of `byteCount` bytes, line end included; the splitter has its fields.
    case record(byteCount: Int)
    /// A line of `byteCount` bytes around records: the splitter finds them one by one.
    case envelope(byteCount: Int)
    /// `byteCount` bytes without content.
    case blank(byteCount: Int)
    /// `byteCount` bytes that are no record; a record may follow them.
    case fault(byteCount: Int, code: RecordFault.Code, detail: String)
    /// The bytes end before the record does.
    case incomplete
}
