/// Which queue of SQS is asked, and how; no secrets.
package struct QueueSettings: Hashable, Sendable {
    /// The queue's URL, as `https://sqs.eu-central-1.amazonaws.com/111122223333/name`; its host is the one that is asked.
    package var url: String
    /// The region that requests are signed for.
    package var region: String
    /// A PEM file with the authorities that the service is trusted by; nil for those of the machine.
    package var certificates: String?
    /// Time limits and connections; a request that waits for messages is idle as long as it waits.
    package var limits: WebLimits
    /// Repeating; few times, because whoever asks comes again.
    package var retries: RetryPolicy

    /// Creates settings.
    package init(
        url: String,
        region: String,
        certificates: String? = nil,
        limits: WebLimits = WebLimits(idle: .seconds(45), total: .seconds(60), connections: 2),
        retries: RetryPolicy = RetryPolicy(attempts: 3, total: .seconds(15))
    ) {
        self.url = url
        self.region = region
        self.certificates = certificates
        self.limits = limits
        self.retries = retries
    }

    /// Scheme, host and port of the URL.
    ///
    /// - Throws: `S3Error` with code `invalidSettings`.
    func origin() throws -> String {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { throw invalid }
        let rest = url.dropFirst(scheme.utf8.count)
        let host = rest.prefix { $0 != "/" }
        guard !host.isEmpty, rest.count > host.count + 1 else { throw invalid }
        return scheme + host
    }

    private var invalid: S3Error {
        S3Error(
            .invalidSettings,
            "use the queue",
            url,
            message: "it is not of the form https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        )
    }
}

/// A message as a queue handed it out.
package struct QueueMessage: Hashable, Sendable {
    /// The message's own name, the same each time that it is handed out.
    package var id: String
    /// Names this handing out; needed to delete the message, which an old one does not do.
    package var receiptHandle: String
    /// What was sent.
    package var body: String

    /// Creates a message.
    package init(id: String, receiptHandle: String, body: String) {
        self.id = id
        self.receiptHandle = receiptHandle
        self.body = body
    }
}
