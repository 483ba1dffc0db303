import Synchronization

/// Tells at once that a store fails, while its calls are still tried again.
package final class FailureBell: Sendable {
    private let listeners = Mutex<[@Sendable (StorageError) -> Void]>([])

    /// Creates a bell that nobody listens to.
    package init() {}

    /// Calls `listener` at each failed attempt from now on, from any thread; it must not block.
    package func listen(_ listener: @escaping @Sendable (StorageError) -> Void) {
        listeners.withLock { $0.append(listener) }
    }

    /// Tells of a failed attempt.
    package func ring(_ error: StorageError) {
        for listener in listeners.withLock({ $0 }) { listener(error) }
    }
}
