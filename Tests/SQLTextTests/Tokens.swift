import CByteScan
import CPgQuery

/// A token's borders and kind.
struct Token: Equatable, CustomStringConvertible {
    var start: Int
    var end: Int
    var kind: sql_token_kind
    var unterminated = false

    var description: String { "\(start)..<\(end):\(kind.rawValue)\(unterminated ? "!" : "")" }
}

/// All tokens of a text by our tokenizer.
func tokens(of bytes: [UInt8]) -> [Token] {
    bytes.withUnsafeBytes { text in
        var lexer = sql_lexer_start(text.baseAddress, text.count)
        var token = sql_token()
        var found: [Token] = []
        while sql_lexer_next(&lexer, &token) {
            found.append(
                Token(start: token.start, end: token.end, kind: token.kind, unterminated: token.unterminated)
            )
        }
        return found
    }
}

/// PostgreSQL's own scanner, as libpg_query hands it out.
enum ScanOracle {
    /// The borders of all tokens, or nil when PostgreSQL refuses the text.
    static func borders(of bytes: [UInt8]) -> [Range<Int>]? {
        let result = (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
            pg_query_scan($0.baseAddress)
        }
        defer { pg_query_free_scan_result(result) }
        guard result.error == nil else { return nil }
        var message = Protobuf(bytes: UnsafeRawBufferPointer(start: result.pbuf.data, count: result.pbuf.len))
        var borders: [Range<Int>] = []
        while let (field, value) = message.next() {
            guard field == 2, case .bytes(let token) = value else { continue }
            borders.append(border(of: token))
        }
        return borders
    }

    private static func border(of token: UnsafeRawBufferPointer) -> Range<Int> {
        var fields = Protobuf(bytes: token)
        var start = 0
        var end = 0
        while let (field, value) = fields.next() {
            guard case .varint(let number) = value else { continue }
            if field == 1 { start = Int(number) }
            if field == 2 { end = Int(number) }
        }
        return start..<max(start, end)
    }

    /// Reads the fields of a protobuf message; knows the two wire types that the scanner's result has.
    private struct Protobuf {
        enum Value {
            case varint(UInt64)
            case bytes(UnsafeRawBufferPointer)
        }

        var bytes: UnsafeRawBufferPointer
        var at = 0

        init(bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
        }

        mutating func varint() -> UInt64 {
            var number: UInt64 = 0
            var shift: UInt64 = 0
            while at < bytes.count {
                let byte = bytes[at]
                at += 1
                number |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            return number
        }

        mutating func next() -> (field: UInt64, value: Value)? {
            guard at < bytes.count else { return nil }
            let tag = varint()
            guard tag & 7 == 2 else { return (tag >> 3, .varint(varint())) }
            let count = Int(varint())
            let value = UnsafeRawBufferPointer(rebasing: bytes[at..<min(bytes.count, at + count)])
            at += count
            return (tag >> 3, .bytes(value))
        }
    }
}
