/// The text of `extra.amends` while a record is looked at: what it decides about lines before it.
///
/// `FAILURE:12 ROLLED_BACK:7-9`, and `ROLLED_BACK:7-9@6b01550a.3060` for lines of another session.
struct Amends {
    private(set) var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Adds what became of the audit records from one line to another.
    mutating func append(_ outcome: StaticString, _ range: LineRange, of session: UInt64? = nil) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: " ")) }
        outcome.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: String(range.first).utf8)
        if range.last > range.first {
            bytes.append(UInt8(ascii: "-"))
            bytes.append(contentsOf: String(range.last).utf8)
        }
        guard let session else { return }
        bytes.append(UInt8(ascii: "@"))
        bytes.append(contentsOf: LogNumbers.sessionID(session).utf8)
    }
}
