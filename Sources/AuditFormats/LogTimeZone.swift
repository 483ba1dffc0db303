/// What the time zone at the end of a log timestamp means.
///
/// Numeric zones and `UTC` always mean the same. An abbreviation is taken from the configured zone when there is one,
/// else from the short list of abbreviations that only one zone in the world uses.
package struct LogTimeZone: Hashable, Sendable {
    /// From an instant on, an abbreviation and what is added to UTC.
    package struct Transition: Hashable, Sendable {
        /// Seconds since 1970-01-01 00:00 UTC.
        package var instant: Int64
        /// What local time is ahead of UTC, in seconds.
        package var offset: Int64
        /// The abbreviation in force.
        package var abbreviation: String

        /// Creates a transition.
        package init(instant: Int64, offset: Int64, abbreviation: String) {
            self.instant = instant
            self.offset = offset
            self.abbreviation = abbreviation
        }
    }

    /// What an abbreviation means.
    package enum Meaning: Hashable, Sendable {
        /// Seconds that local time is ahead of UTC.
        case offset(Int64)
        /// Several zones use it: the configuration has to name one.
        case ambiguous
        /// Neither the configured zone nor the list knows it.
        case unknown
    }

    private var transitions: [Transition]

    /// Creates the rules.
    ///
    /// - Parameter transitions: The history of the configured zone, ascending; empty when none is configured.
    package init(transitions: [Transition] = []) { self.transitions = transitions }

    /// What `abbreviation` means at a local time.
    ///
    /// - Parameters:
    ///   - abbreviation: The text after the time, such as `UTC`, `CEST`, `+03` or `-03:30`.
    ///   - localSeconds: The local time as if it were UTC, in seconds since 1970-01-01.
    /// - Returns: The offset, or why there is none.
    package func meaning(of abbreviation: String, localSeconds: Int64) -> Meaning {
        if let offset = Self.numericOffset(abbreviation) { return .offset(offset) }
        if transitions.isEmpty { return Self.worldwide(abbreviation) }
        var nearest: (distance: Int64, offset: Int64)?
        for (index, transition) in transitions.enumerated() where transition.abbreviation == abbreviation {
            let start = transition.instant
            let end = index + 1 < transitions.count ? transitions[index + 1].instant : Int64.max
            let instant = localSeconds - transition.offset
            let distance = instant < start ? start - instant : instant >= end ? instant - end + 1 : 0
            if distance < nearest?.distance ?? .max { nearest = (distance, transition.offset) }
        }
        if let nearest { return .offset(nearest.offset) }
        return abbreviation == "UTC" || abbreviation == "GMT" ? .offset(0) : .unknown
    }

    private static func numericOffset(_ text: String) -> Int64? {
        if text == "UTC" || text == "Z" { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        var digits = parts.joined()
        guard parts.allSatisfy({ $0.count == 2 || parts.count == 1 }), [2, 4, 6].contains(digits.count),
            digits.allSatisfy(\.isASCII), digits.allSatisfy(\.isNumber)
        else { return nil }
        digits += String(repeating: "0", count: 6 - digits.count)
        guard let number = Int64(digits) else { return nil }
        let seconds = number / 10_000 * 3_600 + number / 100 % 100 * 60 + number % 100
        return sign == "-" ? -seconds : seconds
    }

    /// Abbreviations of the tz database that all zones using them today agree on; others are ambiguous or unknown.
    private static func worldwide(_ abbreviation: String) -> Meaning {
        let hours: [String: Int64] = [
            "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "WIB": 7,
            "WITA": 8,
            "HKT": 8, "WIT": 9, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "CAT": 2,
            "EAT": 3,
            "WAT": 1, "SAST": 2, "PKT": 5, "AWST": 8, "AKST": -9, "AKDT": -8, "EDT": -4, "MDT": -6, "PDT": -7,
            "ADT": -3, "HST": -10, "HDT": -9,
        ]
        let ambiguous: Set<String> = [
            "CST", "CDT", "IST", "EST", "MST", "PST", "AST", "BST", "SST", "NST", "NDT", "ACST", "ECT", "AMT",
        ]
        if ambiguous.contains(abbreviation) { return .ambiguous }
        return hours[abbreviation].map { .offset($0 * 3_600) } ?? .unknown
    }
}
