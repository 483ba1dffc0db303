import Glibc
import ObjectStorage

/// Messages that one thread receives and another one takes.
///
/// `@unchecked Sendable`: everything is read and written under the lock.
package final class NotificationInbox: @unchecked Sendable {
    /// Messages that may lie in it before it receives no more.
    private static let limit = 1_000
    /// The pause after a failure, and after an answer without messages that came at once.
    private static let pause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var messages: [QueueMessage] = []
    private var failure: StorageError?
    private var isClosed = false

    /// Creates an inbox without messages.
    package init() {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

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
        locked {
            while !isClosed, messages.count >= Self.limit { pthread_cond_wait(changed, lock) }
            return !isClosed
        }
    }

    private func put(_ received: [QueueMessage]) {
        locked {
            failure = nil
            messages += received
            pthread_cond_broadcast(changed)
        }
    }

    private func fail(_ error: any Error) {
        let failed =
            error as? StorageError
            ?? StorageError(errno: EIO, operation: "receive messages of", path: "queue")
        locked { failure = failed }
    }

    private func sleep(_ duration: Duration) {
        var deadline = Self.time(in: duration)
        locked {
            while !isClosed, pthread_cond_timedwait(changed, lock, &deadline) != ETIMEDOUT {}
        }
    }

    // MARK: The thread that takes

    /// All messages that came since the last call, and why none can be received now.
    package func take() -> (messages: [QueueMessage], failure: StorageError?) {
        locked {
            defer {
                messages = []
                pthread_cond_broadcast(changed)
            }
            return (messages, failure)
        }
    }

    /// Waits until there are messages, the inbox is closed, or an instant.
    package func wait(until instant: ContinuousClock.Instant) {
        var deadline = Self.time(in: instant - ContinuousClock.now)
        locked {
            while !isClosed, messages.isEmpty {
                if pthread_cond_timedwait(changed, lock, &deadline) == ETIMEDOUT { return }
            }
        }
    }

    /// Ends every wait, and the receiving.
    package func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(changed)
        }
    }

    // MARK: The lock

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }

    private static func time(in duration: Duration) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let (seconds, attoseconds) = max(duration, .zero).components
        let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
        return timespec(
            tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000,
            tv_nsec: nanoseconds % 1_000_000_000
        )
    }
}
