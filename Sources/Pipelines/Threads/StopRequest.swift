import Glibc

/// Asks a run to stop, from any thread, and lets it sleep until then.
///
/// `@unchecked Sendable`: everything is read and written under the lock.
package final class StopRequest: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var wasMade = false
    private var listeners: [@Sendable () -> Void] = []

    /// Creates a request that has not been made.
    package init() {
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that somebody sets back does not make a sleep longer.
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

    /// Whether the run is to stop.
    package var isMade: Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return wasMade
    }

    /// Asks the run to stop; ends every sleep and calls every listener, the first time.
    package func make() {
        pthread_mutex_lock(lock)
        let waiting = wasMade ? [] : listeners
        wasMade = true
        listeners = []
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(lock)
        for listener in waiting { listener() }
    }

    /// Calls `listener` once when the request is made; at once when it was.
    package func onceMade(_ listener: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(lock)
        let isLate = wasMade
        if !isLate { listeners.append(listener) }
        pthread_mutex_unlock(lock)
        if isLate { listener() }
    }

    /// Sleeps until the request is made, at most for `duration`.
    package func sleep(for duration: Duration) {
        guard duration > .zero else { return }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let (seconds, attoseconds) = duration.components
        let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !wasMade {
            if pthread_cond_timedwait(changed, lock, &deadline) == ETIMEDOUT { return }
        }
    }
}
