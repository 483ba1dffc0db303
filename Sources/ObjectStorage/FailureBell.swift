import Synchronization

/// Tells at once that a store fails or keeps silent, while its calls are still waited for or tried again.
package final class FailureBell: Sendable {
    private let listeners = Mutex<[@Sendable (StorageError) -> Void]>([])

    /// Creates a bell that nobody listens to.
    package init() {}

    /// Calls `listener` at each failed or unanswered attempt from now on, from any thread; it must not block.
    package func listen(_ listener: @escaping @Sendable (StorageError) -> Void) {
        listeners.withLock { $0.append(listener) }
    }

    /// Tells of an attempt that failed, or has no answer.
    package func ring(_ error: StorageError) {
        for listener in listeners.withLock({ $0 }) { listener(error) }
    }
}
