import Glibc
import Monitors
import ObjectStorage

/// Messages that one thread receives and another one takes.
package final class NotificationInbox: Sendable {
    private struct State: Sendable {
        var messages: [QueueMessage] = []
        var failure: StorageError?
        var isClosed = false
    }

    /// Messages that may lie in it before it receives no more.
    private static let limit = 1_000
    /// The pause after a failure, and after an answer without messages that came at once.
    private static let pause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    private let state = Monitor(State())

    /// Creates an inbox without messages.
    package init() {}

    // MARK: The thread that receives

    /// Receives messages until the inbox is closed; blocks the calling thread.
    ///
    /// The last request may go on until its wait is over. Messages that nobody takes then are handed out again later.
    package func receive(from queue: any MessageQueue) {
        var failures = 0
        while waitForRoom() {
            let start = ContinuousClock.now
            do {
                let received = try queue.receive(wait: QueueClient.longestWait)
                failures = 0
                put(received)
                // Not every service waits when it is asked to.
                if received.isEmpty, ContinuousClock.now - start < Self.pause { sleep(Self.pause) }
            } catch {
                failures += 1
                fail(error)
                sleep(min(Self.pause * (1 << min(failures - 1, 10)), Self.longestPause))
            }
        }
    }

    private func waitForRoom() -> Bool {
        state.change(once: { $0.isClosed || $0.messages.count < Self.limit }, { !$0.isClosed })
    }

    private func put(_ received: [QueueMessage]) {
        state.change { state in
            state.failure = nil
            state.messages += received
        }
    }

    private func fail(_ error: any Error) {
        let failed =
            error as? StorageError
            ?? StorageError(errno: EIO, operation: "receive messages of", path: "queue")
        state.change { $0.failure = failed }
    }

    private func sleep(_ duration: Duration) { state.wait(for: duration, until: \.isClosed) }

    // MARK: The thread that takes

    /// All messages that came since the last call, and why none can be received now.
    package func take() -> (messages: [QueueMessage], failure: StorageError?) {
        state.change { state in
            defer { state.messages = [] }
            return (state.messages, state.failure)
        }
    }

    /// Waits until there are messages, the inbox is closed, or an instant.
    package func wait(until instant: ContinuousClock.Instant) {
        state.wait(for: instant - .now) { $0.isClosed || !$0.messages.isEmpty }
    }

    /// Ends every wait, and the receiving.
    package func close() { state.change { $0.isClosed = true } }
}
