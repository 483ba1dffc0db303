/// A moment in UTC by calendar fields, as the protocols of S3 write it.
package struct UTCTime: Hashable, Sendable {
    /// Days since 1970-01-01.
    private let day: Int64
    /// Microseconds since midnight.
    private let microseconds: Int64

    /// Creates a time from microseconds since 1970-01-01 UTC.
    package init(microseconds: Int64) {
        day = microseconds >= 0 ? microseconds / Self.perDay : (microseconds + 1) / Self.perDay - 1
        self.microseconds = microseconds - day * Self.perDay
    }

    private static let perDay: Int64 = 86_400_000_000
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `20130524`.
    package var basicDate: String {
        let date = Self.date(ofDay: day)
        return Self.digits(date.year, 4) + Self.digits(date.month, 2) + Self.digits(date.day, 2)
    }

    /// `20130524T000000Z`.
    package var basic: String {
        let seconds = microseconds / 1_000_000
        return basicDate + "T" + Self.digits(seconds / 3600, 2) + Self.digits(seconds / 60 % 60, 2)
            + Self.digits(seconds % 60, 2) + "Z"
    }

    /// Reads `2009-10-12T17:50:30.000Z` as microseconds since 1970-01-01 UTC; nil when it is no such text.
    package static func microseconds(iso8601 text: String) -> Int64? {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].last == "Z" else { return nil }
        let date = parts[0].split(separator: "-", omittingEmptySubsequences: false).map(number)
        let time = parts[1].dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard date.count == 3, time.count <= 2, let year = date[0], let month = date[1], let day = date[2],
            let clock = clockSeconds(time[0]), let days = Self.day(year: year, month: month, day: day)
        else { return nil }
        var fraction: Int64 = 0
        if time.count == 2 {
            let digits = time[1].prefix(6)
            guard number(time[1]) != nil, let value = number(digits) else { return nil }
            fraction = (digits.count..<6).reduce(value) { value, _ in value * 10 }
        }
        return days * perDay + clock * 1_000_000 + fraction
    }

    /// Reads `Wed, 21 Oct 2015 07:28:00 GMT` as microseconds since 1970-01-01 UTC; nil when it is no such text.
    package static func microseconds(httpDate text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = number(parts[1]), let year = number(parts[3]),
            let month = months.firstIndex(of: String(parts[2])), let clock = clockSeconds(parts[4]),
            let days = Self.day(year: year, month: Int64(month) + 1, day: day)
        else { return nil }
        return days * perDay + clock * 1_000_000
    }

    private static func clockSeconds(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(number)
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }

    private static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar.
    private static func day(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        // Years begin in March, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}
