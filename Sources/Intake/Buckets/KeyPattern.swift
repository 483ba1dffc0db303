/// A pattern of URLs of one bucket, for keys that come in order.
struct KeyPattern {
    /// As it was written, without braces.
    let text: String
    /// What all keys begin with that are meant.
    let prefix: String
    private let patterns: [ObjectPattern]
    /// The folder of the last key; nil for the bucket itself.
    ///
    /// A key that begins with a slash lies in a folder without a name.
    private var folder: [UInt8]?
    /// Where in each pattern that folder stands.
    private var positions: [[Int]]

    /// Takes a pattern apart.
    ///
    /// - Parameters:
    ///   - text: The URL, without braces.
    ///   - bucket: The bucket's URL, with which it begins.
    init(_ text: String, bucket: String) {
        self.text = text
        let path = "/" + text.dropFirst(bucket.count).drop { $0 == "/" }
        prefix = String(path.dropFirst().prefix { !"*?[\\".contains($0) })
        // A name without wildcards may be that of an object, and may be what folders are called that have no existence.
        let isFolder = !path.contains { "*?[\\".contains($0) }
        patterns =
            [ObjectPattern(path, isFolder: false)] + (isFolder ? [ObjectPattern(path, isFolder: true)] : [])
        positions = patterns.map(\.start)
    }

    /// The folder below which all lies that is meant, with a slash at its end unless that is the whole bucket.
    var commonFolder: String { prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? "" }

    /// Whether an object is meant.
    mutating func means(_ key: String) -> Bool {
        let bytes = key.utf8
        guard let end = bytes.lastIndex(of: UInt8(ascii: "/")) else {
            if folder != nil { leave() }
            return meansName(bytes[...])
        }
        let parent = bytes[..<end]
        if folder.map({ !parent.elementsEqual($0) }) ?? true { enter(Array(parent)) }
        return meansName(bytes[bytes.index(after: end)...])
    }

    private mutating func leave() {
        folder = nil
        positions = patterns.map(\.start)
    }

    private mutating func enter(_ path: [UInt8]) {
        folder = path
        for index in patterns.indices {
            var next = patterns[index].start
            for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            where !next.isEmpty {
                next = withName(part) { patterns[index].positions(in: $0, from: next) }
            }
            positions[index] = next
        }
    }

    private mutating func meansName(_ bytes: Substring.UTF8View) -> Bool {
        guard !bytes.isEmpty else { return false }
        return withName(bytes) { name in
            patterns.indices.contains { index in
                !positions[index].isEmpty && patterns[index].meansFile(name, at: positions[index])
            }
        }
    }

    private func withName<Result>(
        _ bytes: some Collection<UInt8>,
        _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            var count = 0
            for byte in bytes {
                buffer[count] = CChar(bitPattern: byte)
                count += 1
            }
            buffer[count] = 0
            return buffer.baseAddress.map { body(UnsafePointer($0)) } ?? body([0])
        }
    }
}
