import Glibc

/// The time, waiting and chance of a store, so that a test can give its own.
package struct StoreClock: Sendable {
    /// Microseconds since 1970-01-01 UTC.
    package var now: @Sendable () -> Int64
    /// Blocks the calling thread until the time is over, or until soon after it is called off.
    package var wait: @Sendable (Duration, _ isCalledOff: () -> Bool) -> Void
    /// A random number from 0 to 1.
    package var random: @Sendable () -> Double

    /// Creates a clock.
    package init(
        now: @escaping @Sendable () -> Int64,
        wait: @escaping @Sendable (Duration, _ isCalledOff: () -> Bool) -> Void,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.wait = wait
        self.random = random
    }

    /// After so long it is asked whether a wait is called off.
    private static let slice = Duration.milliseconds(100)

    /// The machine's own.
    package static let system = StoreClock(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        },
        wait: { duration, isCalledOff in
            let end = ContinuousClock.now + duration
            while !isCalledOff() {
                let left = end - ContinuousClock.now
                guard left > .zero else { return }
                let (seconds, attoseconds) = min(left, slice).components
                // A signal ends the call early.
                var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
                nanosleep(&time, nil)
            }
        },
        random: { Double.random(in: 0...1) }
    )
}
