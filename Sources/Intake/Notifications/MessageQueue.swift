import ObjectStorage

/// Where notifications of objects are waited for.
///
/// May be used from several threads. Everything throws `StorageError`.
package protocol MessageQueue: Sendable {
    /// Takes messages; each is kept from others for a while and handed out again unless it is deleted.
    ///
    /// - Parameter wait: How long the first one is waited for.
    /// - Returns: Some of those that are there; none when none came in time.
    /// - Throws: `StorageError`.
    func receive(wait: Duration) throws -> [QueueMessage]

    /// Deletes messages, as they were handed out last; others stay.
    func delete(_ messages: [QueueMessage]) throws

    /// Makes sure that the queue is there and that messages can be received; all stay where they are.
    ///
    /// - Returns: About how many messages there are.
    /// - Throws: `StorageError`.
    func check() throws -> Int
}

/// A queue of SQS.
package struct SQSQueue: MessageQueue {
    private let client: QueueClient

    /// Asks through a client.
    package init(_ client: QueueClient) { self.client = client }

    package func receive(wait: Duration) throws -> [QueueMessage] {
        try translating { try client.receive(wait: wait) }
    }

    package func delete(_ messages: [QueueMessage]) throws { try translating { try client.delete(messages) } }

    package func check() throws -> Int {
        let name = "ApproximateNumberOfMessages"
        let attributes = try translating { try client.attributes([name]) }
        _ = try translating { try client.receive(wait: .zero, atMost: 1, hiddenFor: .zero) }
        return attributes[name].flatMap { Int($0) } ?? 0
    }

    private func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as S3Error {
            var translated = StorageError(error)
            switch error.code {
            case .notFound: translated.advice = "check queue_url, its account and its region"
            case .credentialsRefused:
                translated.advice = "check the access key, its secret, and the region of the queue"
            default: break
            }
            throw translated
        }
    }
}
