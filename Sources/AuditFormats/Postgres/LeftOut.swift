/// Records that became no rows because the settings say so, by reason; each is counted once, under the first that holds.
package struct LeftOut: Hashable, Sendable {
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

    /// The counts above zero, by the name of the setting.
    package var bySetting: [String: Int] {
        ["start": start, "exclude": exclude, "keep": keep].filter { $0.value > 0 }
    }
}
