import BatchProtocol

/// Objects of which other lines were read than they have now, and that stay as they are.
package struct LeftAloneObjects: Codable, Hashable, Sendable {
    /// Keys that are named at the most.
    static let namedCount = 5

    /// How many there are.
    package private(set) var count = 0
    /// The first of them, in the order of their keys.
    package private(set) var keys: [String] = []

    /// There are none.
    package init() {}

    /// Counts one.
    mutating func take(_ key: UnsafeRawBufferPointer) {
        count += 1
        keys.append(String(decoding: key, as: UTF8.self))
        keys.sort()
        if keys.count > Self.namedCount { keys.removeLast() }
    }
}

extension ObjectRange {
    /// What a batch keeps in mind of an object whose new lines it does not take: what was read of it before, and its new version.
    static func leftAlone(_ key: String, _ status: ObjectStatus, _ seen: SeenObject) -> ObjectRange {
        var range = ObjectRange(
            key: key,
            version: status.version,
            byteCount: status.byteCount,
            modified: status.modified,
            from: seen.to,
            to: seen.to,
            hash: RangeHasher().digest,
            chain: seen.chain.description,
            rest: seen.rest.description,
            isWhole: true
        )
        range.isLeftAlone = true
        return range
    }
}
