import Logging

/// One log line before it is written.
struct LogLine {
    /// Microseconds since 1970-01-01 UTC.
    var time: Int64
    /// How grave it is.
    var level: Logger.Level
    /// What happened, for people; facts that matter to them are in it.
    var message: String
    /// The event's name, the pipeline's and the facts as values.
    var fields: Logger.Metadata

    /// The line in a format, without its line end.
    func text(_ format: LogFormat) -> String {
        switch format {
        case .text:
            let subject = fields["pipeline"].map { "\($0): " } ?? ""
            let words = [UTCTime.text(microseconds: time), level.rawValue, subject + message]
            return Self.printable(words.joined(separator: " "))
        case .json: return json
        }
    }

    private static let leading = ["event", "message", "pipeline"]

    private var json: String {
        var members = [
            ("time", JSONText.string(UTCTime.text(microseconds: time))),
            ("level", JSONText.string(level.rawValue)),
        ]
        var values = fields
        values["message"] = .string(message)
        let rest = values.keys.filter { !Self.leading.contains($0) }.sorted()
        for key in Self.leading + rest {
            if let value = values[key] { members.append((key, JSONText.value(value))) }
        }
        return "{\(members.map { "\(JSONText.string($0)):\($1)" }.joined(separator: ","))}"
    }

    /// A name with a line break in it must not look like a line of its own.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            return text
        }
        return text.unicodeScalars.map { scalar in
            guard scalar.properties.generalCategory == .control else { return String(scalar) }
            return scalar == "\n" ? "\\n" : scalar == "\t" ? "\\t" : "\\u{\(String(scalar.value, radix: 16))}"
        }.joined()
    }
}

/// JSON as RFC 8259 has it, of a log line's values.
enum JSONText {
    /// A text in quotes.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A field's value: numbers and truth values keep their type.
    static func value(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): string(text)
        case .stringConvertible(let number as any BinaryInteger): "\(number)"
        case .stringConvertible(let number as Double): number.isFinite ? "\(number)" : "null"
        case .stringConvertible(let truth as Bool): "\(truth)"
        case .stringConvertible(let other): string("\(other)")
        case .array(let values): "[\(values.map(self.value).joined(separator: ","))]"
        case .dictionary(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(string($0.key)):\(self.value($0.value))" }
                .joined(separator: ",") + "}"
        }
    }
}
