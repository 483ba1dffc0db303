/// Which record of its server one is: the session and its line in it.
package struct RecordIdentity: Codable, Hashable, Sendable {
    /// The log's session id.
    package var session: String
    /// The record's number in the session.
    package var line: Int64

    /// Names a record.
    package init(session: String, line: Int64) {
        self.session = session
        self.line = line
    }

    /// Reads fields 6 and 7 of a csvlog record; nil when they are not there.
    init?(csvRecord bytes: UnsafeRawBufferPointer) {
        var fields: [Range<Int>] = []
        var start = 0
        var isQuoted = false
        for index in 0..<bytes.count where fields.count < 7 {
            switch bytes[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                fields.append(start..<index)
                start = index + 1
            default: continue
            }
        }
        guard fields.count == 7 else { return nil }
        self.init(session: Self.text(bytes[fields[5]]), line: Self.text(bytes[fields[6]]))
    }

    /// Reads the keys `session_id` and `line_num` of a JSON object, also of one that is quoted in another.
    ///
    /// PostgreSQL writes both before any text that a user controls, but for the names of user and database, in which a
    /// quote is escaped once more than the keys are.
    init?(jsonLine bytes: UnsafeRawBufferPointer) {
        guard let session = Self.value(of: "session_id", in: bytes),
            let line = Self.value(of: "line_num", in: bytes)
        else { return nil }
        self.init(session: session, line: line)
    }

    private init?(session: String, line: String) {
        guard let line = Int64(line), !session.isEmpty else { return nil }
        self.init(session: session, line: line)
    }

    private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func value(of key: String, in bytes: UnsafeRawBufferPointer) -> String? {
        for quote in ["\"", "\\\""] {
            let name = Array("\(quote)\(key)\(quote):".utf8)
            guard let start = firstIndex(of: name, in: bytes) else { continue }
            let rest = bytes[(start + name.count)...].drop { $0 == UInt8(ascii: " ") }
            let isDelimiter = { (byte: UInt8) in byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }
            return text(
                Slice(
                    base: bytes,
                    bounds: rest.drop(while: isDelimiter).prefix {
                        !isDelimiter($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}")
                    }.indices
                )
            )
        }
        return nil
    }

    private static func firstIndex(of needle: [UInt8], in bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { at in
            bytes[at] == needle[0] && bytes[at..<at + needle.count].elementsEqual(needle)
        }
    }
}
