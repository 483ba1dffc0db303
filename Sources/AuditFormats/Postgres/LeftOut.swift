/// Records that became no rows because the settings say so, by reason; each is counted once, under the first that holds.
package struct LeftOut: Hashable, Sendable {
    /// Why a record became no row.
    package enum Reason: Sendable {
        /// Before the time from which on records are wanted.
        case start
        /// Of a role or an application that is excluded.
        case exclude
        /// No audit event, where only those are kept.
        case keep
    }

    /// Before the time from which on records are wanted.
    package var start = 0
    /// Of a role or an application that is excluded.
    package var exclude = 0
    /// No audit event, where only those are kept.
    package var keep = 0

    /// Creates counts of nothing.
    package init() {}

    /// Records left out for any reason.
    package var count: Int { start + exclude + keep }

    /// The counts above zero by the setting that is the reason.
    package var bySetting: [String: Int] {
        ["start": start, "exclude": exclude, "keep": keep].filter { $0.value > 0 }
    }

    /// Counts a record.
    mutating func add(_ reason: Reason) {
        switch reason {
        case .start: start += 1
        case .exclude: exclude += 1
        case .keep: keep += 1
        }
    }
}
