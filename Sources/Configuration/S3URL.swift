/// The parts of `s3://bucket/key`.
package struct S3URL: Hashable, Sendable {
    /// A bucket's name, an access point's alias, or the ARN of an access point.
    package var bucket: String
    /// What follows the bucket, without the slash between them.
    package var key: String

    /// Reads a URL; nil when it is none, or names no bucket that there could be.
    package init?(_ text: String) {
        guard text.hasPrefix("s3://") else { return nil }
        var parts = text.dropFirst("s3://".count).split(separator: "/", omittingEmptySubsequences: false)[...]
        guard var bucket = parts.popFirst().map(String.init) else { return nil }
        if bucket.hasPrefix("arn:") {
            guard let name = parts.popFirst() else { return nil }
            bucket += "/\(name)"
        }
        guard Self.isBucket(bucket) else { return nil }
        self.bucket = bucket
        key = parts.joined(separator: "/")
    }

    /// Whether a bucket can have a name; ARNs are those of access points.
    ///
    /// Source: S3's bucket naming rules, with the dots and capitals that older buckets may have left out.
    static func isBucket(_ name: String) -> Bool {
        if name.hasPrefix("arn:") {
            let parts = name.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 6, parts[2] == "s3", !parts[3].isEmpty, !parts[4].isEmpty else {
                return false
            }
            return parts[5].hasPrefix("accesspoint/") && isLabel(parts[5].dropFirst("accesspoint/".count))
        }
        return isLabel(Substring(name))
    }

    private static func isLabel(_ name: Substring) -> Bool {
        let isEdge = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) }
        guard (3...63).contains(name.utf8.count), let first = name.utf8.first, let last = name.utf8.last
        else { return false }
        return isEdge(first) && isEdge(last)
            && name.utf8.allSatisfy { isEdge($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }
}
