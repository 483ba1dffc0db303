import Glibc

/// The time, waiting and chance of a store, so that a test can give its own.
package struct StoreClock: Sendable {
    /// Microseconds since 1970-01-01 UTC.
    package var now: @Sendable () -> Int64
    /// Blocks the calling thread.
    package var wait: @Sendable (Duration) -> Void
    /// A random number from 0 to 1.
    package var random: @Sendable () -> Double

    /// Creates a clock.
    package init(
        now: @escaping @Sendable () -> Int64,
        wait: @escaping @Sendable (Duration) -> Void,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.wait = wait
        self.random = random
    }

    /// The machine's own.
    package static let system = StoreClock(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        },
        wait: { duration in
            let (seconds, attoseconds) = duration.components
            var left = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
            // A signal ends the call early.
            var rest = timespec()
            while nanosleep(&left, &rest) != 0 && errno == EINTR { left = rest }
        },
        random: { Double.random(in: 0...1) }
    )
}
