import Glibc

/// Something that is to be done again and again, by a clock that nobody sets.
package struct Recurrence {
    private let interval: Duration
    private let uptime: () -> Int64
    /// When it was done last, by that clock.
    private var last: Int64?

    /// Was not done yet.
    ///
    /// - Parameters:
    ///   - interval: The longest time between two times.
    ///   - uptime: Nanoseconds since some instant.
    package init(every interval: Duration, uptime: @escaping () -> Int64 = Uptime.nanoseconds) {
        self.interval = interval
        self.uptime = uptime
    }

    /// Whether it was done at all.
    package var wasDone: Bool { last != nil }

    /// Whether it is to be done now.
    package var isDue: Bool { last.map { .nanoseconds(uptime() - $0) >= interval } ?? true }

    /// It is done now.
    package mutating func note() { last = uptime() }
}

/// The time since this machine began.
package enum Uptime {
    /// In nanoseconds; goes on while the machine sleeps, and is not set by anybody.
    package static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
