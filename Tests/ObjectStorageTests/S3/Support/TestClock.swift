import ObjectStorage
import Synchronization

/// A clock that moves only when someone waits, or when a test says so.
final class TestClock: Sendable {
    private struct State {
        var now: Int64
        var waits: [Duration] = []
    }

    private let state: Mutex<State>

    private let random: Double

    /// Creates a clock that shows 2026-01-02T03:04:05Z.
    ///
    /// - Parameter random: The one random number there is.
    init(random: Double = 1) {
        self.random = random
        state = Mutex(State(now: 1_767_323_045_000_000))
    }

    /// Microseconds since 1970-01-01 UTC.
    var now: Int64 { state.withLock { $0.now } }
    /// What was waited for so far.
    var waits: [Duration] { state.withLock { $0.waits } }

    /// Moves the clock.
    func advance(_ duration: Duration) { state.withLock { $0.now += Self.microseconds(duration) } }

    /// The clock as stores take it; waits return at once.
    var clock: StoreClock {
        StoreClock(
            now: { self.now },
            wait: { duration, _ in
                self.state.withLock { state in
                    state.waits.append(duration)
                    state.now += Self.microseconds(duration)
                }
            },
            random: { self.random }
        )
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
    }
}
