import Glibc

/// A value that several threads read and change, and whose changes they wait for.
///
/// `@unchecked Sendable`: the value is touched under the lock alone.
package final class Monitor<State: Sendable>: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    /// Creates a monitor of a value.
    package init(_ state: State) {
        self.state = state
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A clock that somebody sets back does not make a wait longer.
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

    /// Looks at the value.
    package func read<Result>(_ body: (State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(state)
    }

    /// Changes the value; who waits looks at it again.
    package func change<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        try change(once: { _ in true }, body)
    }

    /// Waits until the value is as it is wanted, and changes it before anybody else does.
    package func change<Result>(
        once isWanted: (State) -> Bool,
        _ body: (inout State) throws -> Result
    ) rethrows -> Result {
        pthread_mutex_lock(lock)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(lock)
        }
        while !isWanted(state) { pthread_cond_wait(changed, lock) }
        return try body(&state)
    }

    /// Waits until the value is as it is wanted.
    ///
    /// - Parameters:
    ///   - duration: The longest wait.
    ///   - isWanted: Whether it is.
    package func wait(for duration: Duration, until isWanted: (State) -> Bool) {
        var deadline = Self.time(in: duration)
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !isWanted(state) {
            if pthread_cond_timedwait(changed, lock, &deadline) == ETIMEDOUT { return }
        }
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
