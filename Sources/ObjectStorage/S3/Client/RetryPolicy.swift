/// How often a request is repeated, and how long is waited before it.
///
/// "Full jitter": https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
package struct RetryPolicy: Hashable, Sendable {
    /// Attempts in all.
    package var attempts: Int
    /// The longest wait before the second attempt; it doubles with each further one.
    package var base: Duration
    /// No wait is longer.
    package var cap: Duration
    /// After this long no further attempt begins.
    package var total: Duration

    /// Creates a policy.
    package init(
        attempts: Int = 8,
        base: Duration = .milliseconds(200),
        cap: Duration = .seconds(10),
        total: Duration = .seconds(300)
    ) {
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.total = total
    }

    /// The wait after the given number of failed attempts.
    ///
    /// - Parameters:
    ///   - failures: At least 1.
    ///   - random: From 0 to 1.
    /// - Returns: The wait.
    func delay(after failures: Int, random: Double) -> Duration {
        let longest = (1..<max(1, min(failures, 32))).reduce(base) { wait, _ in min(wait * 2, cap) }
        return min(longest, cap) * random
    }

    /// Whether one more attempt may begin.
    func allows(after failures: Int, elapsed: Duration) -> Bool { failures < attempts && elapsed < total }
}
