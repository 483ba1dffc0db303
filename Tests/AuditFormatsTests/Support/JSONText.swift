import AuditFormats

/// The bytes of a JSON string as PostgreSQL writes it (`escape_json`): other bytes than these stay as they are.
func jsonQuoted(_ text: some Sequence<UInt8>) -> [UInt8] {
    var result = [UInt8(ascii: "\"")]
    for byte in text {
        switch byte {
        case 0x08: result += Array("\\b".utf8)
        case 0x0C: result += Array("\\f".utf8)
        case 0x0A: result += Array("\\n".utf8)
        case 0x0D: result += Array("\\r".utf8)
        case 0x09: result += Array("\\t".utf8)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
        case ..<0x20: result += Array(("\\u00" + (byte < 16 ? "0" : "1") + String(byte & 15, radix: 16)).utf8)
        default: result.append(byte)
        }
    }
    return result + [UInt8(ascii: "\"")]
}

/// The JSON string of a text.
func jsonQuoted(_ text: String) -> String { String(decoding: jsonQuoted(text.utf8), as: UTF8.self) }

/// The fields of one csvlog record, quotes undone; those of a strict writer.
func csvFields(_ record: some Sequence<UInt8>) -> [[UInt8]] {
    var fields: [[UInt8]] = [[]]
    var isQuoted = false
    var previous: UInt8 = 0
    for byte in record {
        if byte == UInt8(ascii: "\"") {
            if !isQuoted, previous == byte { fields[fields.count - 1].append(byte) }
            isQuoted.toggle()
        } else if byte == UInt8(ascii: ","), !isQuoted {
            fields.append([])
        } else {
            fields[fields.count - 1].append(byte)
        }
        previous = byte
    }
    return fields
}

/// The jsonlog record that tells what a csvlog record of 26 columns tells, without a line end (`write_jsonlog`).
func jsonRecord(csv record: some Sequence<UInt8>, furtherPairs: String = "") -> [UInt8] {
    let fields = csvFields(record)
    let keys = [
        "timestamp", "user", "dbname", "pid", "remote_host", "session_id", "line_num", "ps", "session_start",
        "vxid", "txid", "error_severity", "state_code", "message", "detail", "hint", "internal_query",
        "internal_position", "context", "statement", "cursor_position", "", "application_name",
        "backend_type",
        "leader_pid", "query_id",
    ]
    let numbers: Set = [
        "pid", "line_num", "txid", "internal_position", "cursor_position", "leader_pid", "query_id",
    ]
    var pairs: [[UInt8]] = []
    for (key, value) in zip(keys, fields) where !value.isEmpty && !key.isEmpty {
        if key == "state_code", value.elementsEqual("00000".utf8) { continue }
        let name = Array("\"\(key)\":".utf8)
        if key == "remote_host", let colon = value.lastIndex(of: UInt8(ascii: ":")) {
            pairs.append(name + jsonQuoted(value[..<colon]))
            pairs.append(Array("\"remote_port\":".utf8) + value[(colon + 1)...])
        } else {
            pairs.append(name + (numbers.contains(key) ? value : jsonQuoted(value)))
        }
    }
    return [UInt8(ascii: "{")] + pairs.joined(separator: [UInt8(ascii: ",")]) + Array(furtherPairs.utf8)
        + [UInt8(ascii: "}")]
}

extension LogRecord {
    /// The same record in jsonlog, without a line end.
    var json: String { String(decoding: jsonRecord(csv: text.utf8), as: UTF8.self) }

    /// The record with pairs behind its own: `,"key":1`.
    func json(with pairs: String) -> String {
        String(decoding: jsonRecord(csv: text.utf8, furtherPairs: pairs), as: UTF8.self)
    }
}

/// Decodes lines of jsonlog, each with its line end.
func decodeJSON(
    _ lines: [String],
    settings: PostgresDecoderSettings = .make(),
    isEnd: Bool = true
) throws -> Decoded {
    let bytes = Array(lines.joined(separator: "\n").utf8) + [UInt8(ascii: "\n")]
    return try decode(bytes, settings: settings, isEnd: isEnd, format: .jsonlog)
}

extension Row {
    /// What both formats of a record have in common.
    var withoutFormat: Row {
        var row = self
        row.texts["raw"] = nil
        row.extra["log_format"] = nil
        return row
    }
}
