/// How the timestamps of a column are written.
package struct TimestampFormat: Hashable, Sendable {
    /// One part of a format.
    enum Part: Hashable, Sendable {
        case literal(UInt8)
        case year
        case yearOfCentury
        case month
        case monthName
        case day
        case hour
        case hourOfHalfDay
        case halfOfDay
        case minute
        case second
        case fraction
        case offset
        case utc
    }

    /// What a format is made of.
    enum Rule: Hashable, Sendable {
        case iso
        /// A count since 1970-01-01 UTC; so many microseconds each.
        case epoch(Int64)
        case parts([Part])
    }

    /// The format as it is written down; empty for ISO 8601.
    package let text: String
    let rule: Rule

    /// ISO 8601: `2026-11-21T10:00:00.123456Z`, with a blank for the `T`, another offset or none (UTC), or the date alone.
    package static let iso = TimestampFormat(text: "", rule: .iso)

    private init(text: String, rule: Rule) {
        self.text = text
        self.rule = rule
    }

    /// Reads a format: `epoch_s`, `epoch_ms`, `epoch_us`, or directives as `strptime` of Python has them.
    ///
    /// `%Y %y %m %b %d %H %I %p %M %S %f %T %z %Z %%`; `%Z` is `UTC` alone. A format names year, month and day.
    package init(_ text: String) throws(UnknownCSVType) {
        switch text {
        case "epoch_s": self.init(text: text, rule: .epoch(1_000_000))
        case "epoch_ms": self.init(text: text, rule: .epoch(1_000))
        case "epoch_us": self.init(text: text, rule: .epoch(1))
        default: self.init(text: text, rule: .parts(try Self.parts(of: text)))
        }
    }

    private static func parts(of text: String) throws(UnknownCSVType) -> [Part] {
        var parts: [Part] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "%") else {
                parts.append(.literal(byte))
                continue
            }
            guard let letter = bytes.next(), let named = directive(letter) else {
                throw UnknownCSVType(
                    name: text,
                    reason: "a format has %Y %y %m %b %d %H %I %p %M %S %f %T %z %Z %% and no other directive"
                )
            }
            parts += named
        }
        try demandDate(parts, text)
        return parts
    }

    private static func directive(_ letter: UInt8) -> [Part]? {
        switch Unicode.Scalar(letter) {
        case "Y": [.year]
        case "y": [.yearOfCentury]
        case "m": [.month]
        case "b": [.monthName]
        case "d": [.day]
        case "H": [.hour]
        case "I": [.hourOfHalfDay]
        case "p": [.halfOfDay]
        case "M": [.minute]
        case "S": [.second]
        case "f": [.fraction]
        case "T": [.hour, .literal(UInt8(ascii: ":")), .minute, .literal(UInt8(ascii: ":")), .second]
        case "z": [.offset]
        case "Z": [.utc]
        case "%": [.literal(letter)]
        default: nil
        }
    }

    private static func demandDate(_ parts: [Part], _ text: String) throws(UnknownCSVType) {
        func has(_ wanted: Part...) -> Bool { parts.contains { wanted.contains($0) } }
        guard has(.year, .yearOfCentury), has(.month, .monthName), has(.day) else {
            throw UnknownCSVType(
                name: text,
                reason: "a format names year, month and day: %Y or %y, %m or %b, %d"
            )
        }
        guard has(.hourOfHalfDay) == has(.halfOfDay) else {
            throw UnknownCSVType(name: text, reason: "%I and %p go together")
        }
    }
}
