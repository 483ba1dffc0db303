/// A queue of SQS into which a bucket tells of new objects.
package struct NotificationsConfiguration: Hashable, Sendable {
    /// The queue's URL.
    package var queueURL: Setting<String>
    /// The queue's region: given, or as its URL says; nil when neither does.
    package var region: Setting<String>?
    /// A profile of AWS's files; nil for the credentials of the bucket.
    package var profile: Setting<String>?
    /// The longest time between two listings of the bucket, while following.
    package var listEvery: Duration
}

/// The parts of a queue's URL.
struct QueueURL: Hashable {
    /// The region, when the host names one: `sqs.eu-central-1.amazonaws.com`, `eu-central-1.queue.amazonaws.com`.
    var region: String?

    /// Reads `https://host/account/name`, or a longer path that other services have; nil when it is none.
    init?(_ text: String) {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return nil }
        let parts = text.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !text.contains { "@?#".contains($0) }
        guard isPlain, parts.count >= 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        let labels = parts[0].prefix { $0 != ":" }.split(separator: ".", omittingEmptySubsequences: false)
        if let service = labels.firstIndex(where: { $0 == "sqs" || $0 == "sqs-fips" }) {
            region = labels[(service + 1)...].first.map(String.init)
        } else if labels.dropFirst().first == "queue" {
            region = String(labels[0])
        }
        if let name = region, !Self.isRegion(name) { region = nil }
    }

    /// Whether it looks like `eu-central-1`, or `us-gov-west-1`.
    private static func isRegion(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count >= 3 && parts.last?.allSatisfy(\.isNumber) == true
            && parts.allSatisfy { !$0.isEmpty }
    }
}
