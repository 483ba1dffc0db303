/// Tells the customer of an object by its key.
package struct CustomerPath: Hashable, Sendable {
    private static let mark = "{customer}"

    /// The parts of the pattern; `*` stands for any part.
    private let parts: [Substring]
    /// Which of them holds the customer, and the text before and behind it there.
    private let marked: (index: Int, prefix: Substring, suffix: Substring)
    /// Whether the last part is the last one of the key.
    private let isAnchored: Bool
    private let pattern: String

    /// Reads a pattern such as `csv/{customer}/`: parts of a path, one of which has the customer; nil for one that does not name
    /// `{customer}` once.
    ///
    /// - Parameter pattern: One that ends with a slash may be followed by anything; the last part of another one is that of the
    ///   key.
    package init?(_ pattern: String) {
        let parts = pattern.split(separator: "/")
        let places = parts.indices.filter { parts[$0].contains(Self.mark) }
        guard places.count == 1, let index = places.first else { return nil }
        let texts = parts[index].split(separator: Self.mark, omittingEmptySubsequences: false)
        guard texts.count == 2 else { return nil }
        self.parts = parts
        marked = (index, texts[0], texts[1])
        isAnchored = !pattern.hasSuffix("/")
        self.pattern = pattern
    }

    /// The customer of an object; of several places that fit the one furthest behind counts.
    ///
    /// - Parameter key: A path or URL.
    /// - Returns: nil when the key does not fit the pattern, or the customer would be empty.
    package func customer(of key: String) -> String? {
        let names = key.split(separator: "/")
        // What ends with a slash is followed by a name.
        let last = names.count - parts.count - (isAnchored ? 0 : 1)
        let first = isAnchored ? max(last, 0) : 0
        guard first <= last else { return nil }
        for start in stride(from: last, through: first, by: -1) {
            if let customer = customer(in: names[start..<start + parts.count]) { return customer }
        }
        return nil
    }

    private func customer(in names: ArraySlice<Substring>) -> String? {
        for (part, name) in zip(parts, names) where part != "*" && !part.contains(Self.mark) {
            guard part == name else { return nil }
        }
        let name = names[names.startIndex + marked.index]
        guard name.hasPrefix(marked.prefix), name.hasSuffix(marked.suffix),
            name.utf8.count > marked.prefix.utf8.count + marked.suffix.utf8.count
        else { return nil }
        return String(name.dropFirst(marked.prefix.count).dropLast(marked.suffix.count))
    }

    package static func == (left: CustomerPath, right: CustomerPath) -> Bool { left.pattern == right.pattern }
    package func hash(into hasher: inout Hasher) { hasher.combine(pattern) }
}
