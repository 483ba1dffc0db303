/// The profiles of AWS's tools: `~/.aws/config` and `~/.aws/credentials` read together.
package struct ProfileFiles: Hashable, Sendable {
    /// Settings by profile; those of the credentials file win.
    private var profiles: [String: [String: String]] = [:]

    /// Reads two texts.
    package init(config: String, credentials: String) {
        read(config, isConfig: true)
        read(credentials, isConfig: false)
    }

    /// Settings of a profile; nil when there is none of this name.
    package subscript(name: String) -> [String: String]? { profiles[name] }

    private mutating func read(_ text: String, isConfig: Bool) {
        var profile: String?
        for line in text.split(whereSeparator: \.isNewline) {
            // A line that begins with a blank goes on with a setting above: none of ours has several lines.
            guard let first = line.first, !first.isWhitespace, first != "#", first != ";" else { continue }
            if first == "[" {
                profile = Self.profile(line, isConfig: isConfig)
                if let profile, profiles[profile] == nil { profiles[profile] = [:] }
            } else if let profile, let equals = line.firstIndex(of: "=") {
                let value = Self.withoutComment(line[line.index(after: equals)...])
                let name = Self.trimmed(line[..<equals]).lowercased()
                profiles[profile]?[name] = Self.trimmed(value)
            }
        }
    }

    /// The profile that a section is about; nil for other sections.
    private static func profile(_ line: Substring, isConfig: Bool) -> String? {
        guard let end = line.firstIndex(of: "]") else { return nil }
        let words = line[line.index(after: line.startIndex)..<end].split(whereSeparator: \.isWhitespace)
            .map { $0.filter { $0 != "\"" && $0 != "'" } }
        if words == ["default"] { return "default" }
        if isConfig { return words.count == 2 && words[0] == "profile" ? words[1] : nil }
        return words.count == 1 ? words[0] : nil
    }

    /// A comment after a value begins with a blank and a sign.
    private static func withoutComment(_ text: Substring) -> Substring {
        var previous: Character = "="
        for index in text.indices {
            let character = text[index]
            if previous.isWhitespace, character == "#" || character == ";" { return text[..<index] }
            previous = character
        }
        return text
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
