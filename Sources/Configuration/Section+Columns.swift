import Yams

extension Section {
    private typealias ColumnType = CustomerCSVPipelineConfiguration.ColumnType
    private typealias Mask = CustomerCSVPipelineConfiguration.Mask

    /// The shortest key of hashes, in bytes.
    private static let shortestKey = 16

    /// Parts of a time that a format can have, as `strptime` names them.
    private static let timeParts: Set<Character> = [
        "Y", "y", "m", "d", "b", "H", "I", "M", "S", "f", "p", "z", "Z", "T", "%",
    ]

    /// Formats that are counts since 1970-01-01 UTC.
    private static let epochFormats: Set<String> = ["epoch_s", "epoch_ms", "epoch_us"]

    /// Types of columns, by the column's name.
    func columnTypes(_ key: String) -> [String: CustomerCSVPipelineConfiguration.ColumnType] {
        entries(key).reduce(into: [:]) { types, entry in
            if let type = columnType(entry.value, of: entry.path) { types[entry.name] = type }
        }
    }

    private func columnType(_ node: Node, of name: String) -> ColumnType? {
        var typeNode = node
        var format: (text: Setting<String>, node: Node)?
        if case .mapping = node {
            guard let given = Section(node, name: name, keys: ["type", "format"], context: context),
                let type = given.required("type", example: "timestamp")
            else { return nil }
            typeNode = type
            if let node = given.node("format"), let text = given.text("format") { format = (text, node) }
        }
        guard let text = context.text(typeNode, of: name) else { return nil }
        if let format {
            guard text.value == "timestamp" else {
                let mend = "only timestamps have a format"
                refuse(format.node, "\(name) has a format and is “\(text)”", mend: mend)
                return nil
            }
            guard Self.isTimeFormat(format.text.value) else {
                let mend =
                    "write the parts of strptime, such as %d/%m/%Y %H:%M:%S, or epoch_s, epoch_ms or epoch_us"
                refuse(format.node, "\(name).format “\(format.text)” is no format of times", mend: mend)
                return nil
            }
        }
        switch text.value {
        case "text": return .text
        case "integer": return .integer
        case "double": return .double
        case "boolean": return .boolean
        case "timestamp": return .timestamp(format: format?.text.value)
        default:
            let names = ["text", "integer", "double", "boolean", "timestamp"]
            let mend = NearestName.mend(text.value, among: names)
            refuse(typeNode, "\(name) cannot be “\(text)”", mend: mend)
            return nil
        }
    }

    /// Whether a text names a day and has only parts that are known.
    private static func isTimeFormat(_ format: String) -> Bool {
        if epochFormats.contains(format) { return true }
        var parts: Set<Character> = []
        var rest = format[...]
        while let index = rest.firstIndex(of: "%") {
            let next = rest.index(after: index)
            guard next < rest.endIndex, timeParts.contains(rest[next]) else { return false }
            parts.insert(rest[next])
            rest = rest[rest.index(after: next)...]
        }
        let hasYear = parts.contains("Y") || parts.contains("y")
        let hasMonth = parts.contains("m") || parts.contains("b")
        return hasYear && hasMonth && parts.contains("d") && parts.contains("I") == parts.contains("p")
    }

    /// What is masked, by the column's name.
    func masks(_ key: String) -> [String: CustomerCSVPipelineConfiguration.Mask] {
        entries(key).reduce(into: [:]) { masks, entry in
            if let mask = mask(entry.value, of: entry.path) { masks[entry.name] = mask }
        }
    }

    private func mask(_ node: Node, of name: String) -> Mask? {
        let mend = "write hash, drop or {truncate: 16}"
        if case .mapping = node {
            guard let given = Section(node, name: name, keys: ["truncate"], context: context),
                let length = given.required("truncate", example: "16"),
                let text = context.text(length, of: given.path("truncate"))
            else { return nil }
            if let count = Int(text.value), count >= 0 { return .truncate(count) }
            refuse(length, "\(given.path("truncate")) “\(text)” is no number of characters", mend: mend)
            return nil
        }
        guard let text = context.text(node, of: name) else { return nil }
        switch text.value {
        case "hash": return .hash
        case "drop": return .drop
        default:
            refuse(node, "\(name) cannot be “\(text)”", mend: mend)
            return nil
        }
    }

    /// The key of hashes; a fault when there are masks and none, or it stands in the file as it is.
    func maskKey(_ key: String, for masks: Node?) -> Setting<String>? {
        let mend =
            "add \(key): \"${AUDITLAKE_MASK_KEY}\", a variable with at least \(Self.shortestKey) random characters"
        guard let node = node(key), let text = context.text(node, of: path(key)) else {
            if let masks, self.node(key) == nil {
                context.report(
                    .missingKey,
                    at: SourcePosition(masks),
                    "\(path(key)) is missing: a hash without a key can be guessed",
                    mend: mend
                )
            }
            return nil
        }
        if !text.isSecret {
            refuse(node, "\(path(key)) stands in the file for all to read", mend: mend)
        } else if text.value.utf8.count < Self.shortestKey {
            refuse(node, "\(path(key)) has fewer than \(Self.shortestKey) bytes", mend: mend)
        }
        return text
    }

    /// The entries of a mapping by names of columns, which are compared without regard to case.
    private func entries(_ key: String) -> [(name: String, path: String, value: Node)] {
        guard let node = node(key), let pairs = Section.pairs(of: node, name: path(key), context: context)
        else { return [] }
        var names: Set<String> = []
        return pairs.compactMap { pair in
            let name = pair.key.value.lowercased()
            guard names.insert(name).inserted else {
                let mend = "keep one of them: names of columns are compared without regard to case"
                context.report(
                    .invalidValue,
                    at: pair.key.position,
                    "\(path(key)) has the column “\(pair.key.value)” twice",
                    mend: mend
                )
                return nil
            }
            return (name, "\(path(key)).\(pair.key.value)", pair.value)
        }
    }
}
