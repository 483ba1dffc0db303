import Yams

extension Section {
    private static let queueExample = "\"https://sqs.eu-central-1.amazonaws.com/111122223333/audit-objects\""

    /// The queue that tells of new objects; nil when absent, and with a fault when there cannot be one.
    func notifications(
        _ key: String,
        of objects: [Setting<String>],
        for pipeline: String
    ) -> NotificationsConfiguration? {
        guard let node = node(key) else { return nil }
        let buckets = objects.map { S3URL($0.value)?.bucket }
        guard buckets.allSatisfy({ $0 != nil }) else {
            let mend = "take it out: folders of this machine send none, and a look at them costs no requests"
            refuse(node, "\(path(key)) is for objects in a bucket", mend: mend)
            return nil
        }
        if buckets.contains(where: { $0.map(Self.isAccessPoint) ?? false }) {
            let mend = "name the bucket itself in objects: its notifications do not know access points"
            refuse(node, "\(path(key)) stands beside the name of an access point", mend: mend)
            return nil
        }
        let keys = ["queue_url", "region", "profile", "list_every"]
        guard let section = Section(node, name: path(key), keys: keys, context: context) else { return nil }
        let listEvery = section.duration("list_every", default: .seconds(3_600))
        let (region, profile) = (section.text("region"), section.text("profile"))
        guard let text = section.requiredText("queue_url", example: Self.queueExample),
            let urlNode = section.node("queue_url")
        else { return nil }
        guard let url = QueueURL(text.value) else {
            let mend = "write queue_url: \(Self.queueExample)"
            section.refuse(urlNode, "\(section.path("queue_url")) “\(text)” is no URL of a queue", mend: mend)
            return nil
        }
        if let other = context.claim(queue: text.value, for: pipeline) {
            let mend = "give each pipeline a queue of its own: what one takes from it the other does not see"
            section.refuse(
                urlNode,
                "\(section.path("queue_url")) is the queue of pipelines.\(other)",
                mend: mend
            )
        }
        return NotificationsConfiguration(
            queueURL: text,
            region: region ?? url.region.map { name in text.map { _ in name } },
            profile: profile,
            listEvery: listEvery
        )
    }

    private static func isAccessPoint(_ bucket: String) -> Bool {
        bucket.hasPrefix("arn:") || bucket.hasSuffix("-s3alias")
    }
}
