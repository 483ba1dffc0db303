import Yams

extension Section {
    /// The text of `key`; nil when absent.
    func text(_ key: String) -> Setting<String>? { node(key).flatMap { context.text($0, of: path(key)) } }

    /// The text of a key that must be there and hold something.
    func requiredText(_ key: String, example: String) -> Setting<String>? {
        guard let node = required(key, example: example), let text = context.text(node, of: path(key)) else {
            return nil
        }
        guard text.value.isEmpty else { return text }
        refuse(node, "\(path(key)) is empty", mend: "write \(key): \(example)")
        return nil
    }

    /// One of the cases of `Choice`, by its raw value.
    func choice<Choice>(_ key: String, default standard: Choice) -> Choice
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return standard }
        if let choice = Choice(rawValue: text.value) { return choice }
        let names = Choice.allCases.map(\.rawValue)
        let all = "expected one of: \(names.joined(separator: ", "))"
        let mend = text.isSecret ? all : NearestName.mend(text.value, among: names)
        refuse(node, "\(path(key)) cannot be “\(text)”", mend: mend)
        return standard
    }

    /// A switch: YAML's `on`, `off`, `yes`, `no`, `true`, `false`.
    func flag(_ key: String, default standard: Bool) -> Bool {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return standard }
        switch text.value.lowercased() {
        case "on", "yes", "true": return true
        case "off", "no", "false": return false
        default:
            context.report(
                .wrongType,
                at: SourcePosition(node),
                "\(path(key)) is “\(text)”, not a switch",
                mend: "write on or off"
            )
            return standard
        }
    }

    /// A size in bytes.
    func byteCount(_ key: String, default standard: Int, atMost limit: Int = .max) -> Int {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return standard }
        if let byteCount = ByteSize.parse(text.value) {
            guard byteCount > limit else { return byteCount }
            refuse(node, "\(path(key)) cannot be “\(text)”", mend: "write at most \(limit >> 20)MiB")
            return standard
        }
        let mend = "write a size such as 64MB (millions), 1GiB (2^30) or plain bytes, above zero"
        refuse(node, "\(path(key)) cannot be “\(text)”", mend: mend)
        return standard
    }

    /// A size in bytes of one record: offsets in a column have 31 bits, and a record that is no UTF-8 doubles.
    func recordByteCount(_ key: String, default standard: Int) -> Int {
        byteCount(key, default: standard, atMost: 512 << 20)
    }

    /// A length of time.
    func duration(_ key: String, default standard: Duration) -> Duration {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return standard }
        if let duration = DurationText.parse(text.value) { return duration }
        let mend = "write a time such as 500ms, 1s, 10m, 12h or 7d, above zero"
        refuse(node, "\(path(key)) cannot be “\(text)”", mend: mend)
        return standard
    }

    /// Where to begin.
    func startPoint(_ key: String) -> StartPoint {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return .earliest }
        if let start = StartPoint.parse(text.value) { return start }
        let mend = "write earliest, latest or a time such as 2026-11-21 10:00:00+01:00"
        refuse(node, "\(path(key)) cannot be “\(text)”", mend: mend)
        return .earliest
    }

    /// One text or a list of texts, at least one, none empty.
    func requiredTexts(_ key: String, example: String) -> [Setting<String>]? {
        guard let node = required(key, example: example) else { return nil }
        let nodes = node.sequence.map(Array.init) ?? [node]
        let texts = nodes.compactMap { context.text($0, of: path(key)) }
        guard texts.count == nodes.count else { return nil }
        guard texts.isEmpty || texts.contains(where: \.value.isEmpty) else { return texts }
        refuse(node, "\(path(key)) is empty", mend: "write \(key): \(example)")
        return nil
    }

    /// One text or a list of texts, none empty; nil when the key is absent.
    func texts(_ key: String, example: String) -> [Setting<String>]? {
        node(key) == nil ? nil : requiredTexts(key, example: example)
    }

    /// Reports a value that has the right type but cannot be taken.
    func refuse(_ node: Node, _ message: String, mend: String) {
        context.report(.invalidValue, at: SourcePosition(node), message, mend: mend)
    }

    /// Reports each of `keys` that is used although this release lacks its feature.
    func refuseUnreleased(_ keys: [String], mend: String = "take it out") {
        for key in keys {
            guard let position = position(of: key) else { continue }
            context.reportUnreleased(path(key), at: position, mend: mend)
        }
    }
}

extension ReadingContext {
    /// Reports a known name whose feature this release does not have.
    func reportUnreleased(_ feature: String, at position: SourcePosition, mend: String) {
        report(.notInThisRelease, at: position, "\(feature) is not in this release", mend: mend)
    }
}
