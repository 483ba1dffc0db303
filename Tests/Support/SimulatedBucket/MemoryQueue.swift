import Intake
import Monitors
import ObjectStorage

/// A queue in memory that forgets a handle when it gives out the next one.
///
/// A message that was handed out is hidden until a test shows it again; no time passes by itself.
package final class MemoryQueue: MessageQueue {
    private struct Held: Sendable {
        var id: String
        var body: String
        /// What it was handed out with last; nil as long as it can be received.
        var handle: String?
    }

    private struct State: Sendable {
        var held: [Held] = []
        var handleCount = 0
        var sentCount = 0
        var requestCount = 0
        var isClosed = false
        var isHiding = true
        var failure: StorageError?
        var deletionFailure: StorageError?
    }

    private let state = Monitor(State())

    /// Has no messages.
    package init() {}

    // MARK: What a test does

    /// Sends a message.
    ///
    /// - Returns: Its name.
    @discardableResult
    package func send(_ body: String) -> String {
        state.change { state in
            state.sentCount += 1
            let id = "message-\(state.sentCount)"
            state.held.append(Held(id: id, body: body))
            return id
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
        state.change { state in
            for index in state.held.indices { state.held[index].handle = nil }
        }
    }

    /// From now on messages are handed out again at once.
    package func hidesNothing() { state.change { $0.isHiding = false } }

    /// From now on requests fail, or deletions alone; nil for an end of that.
    package func fail(_ error: StorageError?, deletions: StorageError? = nil) {
        state.change { state in
            state.failure = error
            state.deletionFailure = deletions
        }
    }

    /// Names of the messages that were not deleted.
    package var messages: [String] { state.read { $0.held.map(\.id) } }

    /// Requests so far.
    package var requestCount: Int { state.read(\.requestCount) }

    /// Ends the waits that are under way, and those to come.
    package func close() { state.change { $0.isClosed = true } }

    /// Waits until no message is left.
    package func waitUntilEmpty() { state.change(once: \.held.isEmpty) { _ in } }

    // MARK: MessageQueue

    package func receive(wait: Duration) throws -> [QueueMessage] {
        state.change { $0.requestCount += 1 }
        // A short wait is over at once, a long one with the test.
        let isOver = { (state: State) in
            wait <= .seconds(1) || state.isClosed || state.failure != nil
                || state.held.contains { $0.handle == nil }
        }
        return try state.change(once: isOver) { state in
            if let failure = state.failure { throw failure }
            var given: [QueueMessage] = []
            for index in state.held.indices where state.held[index].handle == nil || !state.isHiding {
                guard given.count < 10 else { break }
                state.handleCount += 1
                let handle = "handle-\(state.handleCount)"
                state.held[index].handle = handle
                let message = state.held[index]
                given.append(QueueMessage(id: message.id, receiptHandle: handle, body: message.body))
            }
            return given
        }
    }

    package func delete(_ messages: [QueueMessage]) throws {
        try state.change { state in
            state.requestCount += 1
            if let failure = state.failure ?? state.deletionFailure { throw failure }
            let handles = Set(messages.map(\.receiptHandle))
            precondition(handles.count == messages.count, "SQS takes each handle once")
            state.held.removeAll { $0.handle.map(handles.contains) ?? false }
        }
    }

    package func check() throws -> Int { messages.count }
}
