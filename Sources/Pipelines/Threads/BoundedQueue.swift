import Glibc

/// Hands values from one thread to another, at most `capacity` waiting: the slower side sets the pace.
///
/// `@unchecked Sendable`: everything is read and written under the lock.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [Element] = []
    private var isClosed = false
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    /// Waits for room and adds a value; false when the queue is closed.
    func push(_ element: Element) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while waiting.count >= capacity, !isClosed { pthread_cond_wait(changed, lock) }
        guard !isClosed else { return false }
        waiting.append(element)
        pthread_cond_broadcast(changed)
        return true
    }

    /// Waits for a value; nil once the queue is closed and empty.
    func pop() -> Element? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while waiting.isEmpty, !isClosed { pthread_cond_wait(changed, lock) }
        guard !waiting.isEmpty else { return nil }
        let element = waiting.removeFirst()
        pthread_cond_broadcast(changed)
        return element
    }

    /// Lets waiting values through and refuses new ones; with `discarding`, drops them.
    func close(discarding: Bool = false) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        isClosed = true
        if discarding { waiting.removeAll() }
        pthread_cond_broadcast(changed)
    }
}
