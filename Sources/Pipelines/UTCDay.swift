/// Days of the proleptic Gregorian calendar in UTC.
package enum UTCDay {
    /// `YYYY-MM-DD` of an instant.
    ///
    /// - Parameter microseconds: Since 1970-01-01 00:00 UTC.
    /// - Returns: Ten characters for the years 1 to 9999.
    package static func text(microseconds: Int64) -> String {
        text(days: days(microseconds: microseconds))
    }

    /// The day of an instant in microseconds since 1970-01-01 00:00 UTC, in days since then.
    package static func days(microseconds: Int64) -> Int64 {
        let day = 86_400_000_000 as Int64
        return (microseconds >= 0 ? microseconds : microseconds - day + 1) / day
    }

    /// `YYYY-MM-DD` of a day.
    ///
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    ///
    /// - Parameter days: Since 1970-01-01.
    /// - Returns: Ten characters for the years 1 to 9999.
    package static func text(days: Int64) -> String {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        return [(year, 4), (calendarMonth, 2), (dayOfMonth, 2)].map { value, width in
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }.joined(separator: "-")
    }

    /// The day that a text names, in days since 1970-01-01.
    ///
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    ///
    /// - Parameter text: `YYYY-MM-DD`; years may have more digits.
    /// - Returns: nil for what is no day, such as `2026-02-30`.
    package static func days(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count >= 4, parts[1].count == 2, parts[2].count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int64(parts[0]), year < 1_000_000, let month = Int64(parts[1]),
            let day = Int64(parts[2]), 1...12 ~= month
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return self.text(days: days) == text ? days : nil
    }
}
