import Yams

/// One mapping of the file: knows which keys it may have and hands out their values with their types checked.
///
/// Every method notes a fault in the context and answers with nil or the default, so that reading can go on.
struct Section {
    /// Faults and variables.
    let context: ReadingContext
    /// The way here in dotted form, as `pipelines.pg_primary`; empty for the whole file.
    let name: String
    /// Where the section begins.
    let position: SourcePosition
    private var nodes: [String: Node] = [:]
    private var positions: [String: SourcePosition] = [:]

    /// Opens `node`, which must be a mapping; reports every key that is not in `keys`.
    ///
    /// `<<` merges another mapping, or a list of them, below the keys written out here.
    init?(_ node: Node, name: String, keys: [String], context: ReadingContext) {
        self.context = context
        self.name = name
        self.position = SourcePosition(node)
        guard let pairs = Section.pairs(of: node, name: name, context: context) else { return nil }
        for (key, value) in pairs where nodes[key.value] == nil {
            if keys.contains(key.value) {
                nodes[key.value] = value
                positions[key.value] = key.position
            } else {
                let message = "unknown key “\(key.value)” in \(name.isEmpty ? "the file" : name)"
                let mend = NearestName.mend(key.value, among: keys)
                context.report(.unknownKey, at: key.position, message, mend: mend)
            }
        }
    }

    /// A key and where it stands.
    struct Key: Hashable {
        /// The key as written.
        var value: String
        /// Where it begins.
        var position: SourcePosition
    }

    /// The entries of a mapping in file order, merged mappings last; nil and a fault when `node` is none.
    static func pairs(of node: Node, name: String, context: ReadingContext) -> [(key: Key, value: Node)]? {
        guard case .mapping(let mapping) = node else {
            let place = name.isEmpty ? "the file" : name
            let mend = "write keys below it, indented: key: value"
            context.report(.wrongType, at: SourcePosition(node), "\(place) is not a mapping", mend: mend)
            return nil
        }
        var own: [(Key, Node)] = []
        var merged: [(Key, Node)] = []
        for (keyNode, value) in mapping {
            guard let key = context.literal(keyNode) else { continue }
            guard key == "<<" else {
                own.append((Key(value: key, position: SourcePosition(keyNode)), value))
                continue
            }
            for source in value.sequence.map(Array.init) ?? [value] {
                merged += pairs(of: source, name: "<<", context: context) ?? []
            }
        }
        return own + merged
    }

    /// The node of `key`; nil when the key is absent or its value left out.
    func node(_ key: String) -> Node? { nodes[key].flatMap { $0.isLeftOut ? nil : $0 } }

    /// Where `key` itself stands; nil when it is absent or its value left out.
    func position(of key: String) -> SourcePosition? { node(key).flatMap { _ in positions[key] } }

    /// The full name of `key`, for messages.
    func path(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    /// The node of `key`; a fault when it is missing.
    func required(_ key: String, example: String) -> Node? {
        if let node = node(key) { return node }
        let place = nodes[key].map(SourcePosition.init) ?? position
        context.report(.missingKey, at: place, "\(path(key)) is missing", mend: "add \(key): \(example)")
        return nil
    }
}

extension ReadingContext {
    /// A key's text, variables not replaced; a fault and nil for a key that is no scalar.
    func literal(_ key: Node) -> String? {
        if case .scalar(let scalar) = key { return scalar.string }
        report(.wrongType, at: SourcePosition(key), "a key is not a text", mend: "write key: value")
        return nil
    }
}
