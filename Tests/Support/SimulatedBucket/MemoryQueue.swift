import Glibc
import Intake
import ObjectStorage

/// A queue in memory that forgets a handle when it gives out the next one.
///
/// A message that was handed out is hidden until a test shows it again; no time passes by itself.
///
/// `@unchecked Sendable`: everything is read and written under the lock.
package final class MemoryQueue: MessageQueue, @unchecked Sendable {
    private struct Held {
        var body: String
        /// What it was handed out with last; nil as long as it can be received.
        var handle: String?
    }

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var held: [(id: String, message: Held)] = []
    private var handleCount = 0
    private var sentCount = 0
    private var isClosed = false
    private var failure: StorageError?
    private var deletionFailure: StorageError?
    private var isHiding = true
    private var requests = 0

    /// Has no messages.
    package init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(lock)
        }
        return try body()
    }

    // MARK: What a test does

    /// Sends a message.
    ///
    /// - Returns: Its name.
    @discardableResult
    package func send(_ body: String) -> String {
        locked {
            sentCount += 1
            held.append(("message-\(sentCount)", Held(body: body)))
            return "message-\(sentCount)"
        }
    }

    /// Sends what S3 sends when an object was put; the key stands as it is.
    @discardableResult
    package func notify(
        _ key: String,
        etag: String,
        bucket: String = "bucket",
        event: String = "ObjectCreated:Put"
    ) -> String {
        send(
            #"{"Records":[{"eventName":"\#(event)","s3":{"bucket":{"name":"\#(bucket)"},"object":{"key":"\#(key)","eTag":"\#(etag)"}}}]}"#
        )
    }

    /// The time for which messages are hidden is over.
    package func showAgain() {
        locked { for index in held.indices { held[index].message.handle = nil } }
    }

    /// From now on messages are handed out again at once.
    package func hidesNothing() { locked { isHiding = false } }

    /// From now on requests fail, or deletions alone; nil for an end of that.
    package func fail(_ error: StorageError?, deletions: StorageError? = nil) {
        locked {
            failure = error
            deletionFailure = deletions
        }
    }

    /// Names of the messages that were not deleted.
    package var messages: [String] { locked { held.map(\.id) } }

    /// Requests so far.
    package var requestCount: Int { locked { requests } }

    /// Ends the waits that are under way, and those to come.
    package func close() { locked { isClosed = true } }

    /// Waits until no message is left.
    package func waitUntilEmpty() {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !held.isEmpty { pthread_cond_wait(changed, lock) }
    }

    // MARK: MessageQueue

    package func receive(wait: Duration) throws -> [QueueMessage] {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        requests += 1
        // A short wait is over at once, a long one with the test.
        while wait > .seconds(1), !isClosed, failure == nil,
            !held.contains(where: { $0.message.handle == nil })
        {
            pthread_cond_wait(changed, lock)
        }
        if let failure { throw failure }
        var given: [QueueMessage] = []
        for index in held.indices where (held[index].message.handle == nil || !isHiding) && given.count < 10 {
            handleCount += 1
            held[index].message.handle = "handle-\(handleCount)"
            let (id, message) = held[index]
            given.append(QueueMessage(id: id, receiptHandle: "handle-\(handleCount)", body: message.body))
        }
        return given
    }

    package func delete(_ messages: [QueueMessage]) throws {
        try locked {
            requests += 1
            if let failure = failure ?? deletionFailure { throw failure }
            let handles = Set(messages.map(\.receiptHandle))
            precondition(handles.count == messages.count, "SQS takes each handle once")
            held.removeAll { $0.message.handle.map(handles.contains) ?? false }
        }
    }

    package func check() throws -> Int { messages.count }
}
