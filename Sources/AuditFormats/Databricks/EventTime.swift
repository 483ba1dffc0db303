import Columnar

/// The time of an event, from any of the ways in which it is written.
struct EventTime: Equatable {
    /// Microseconds since 1970-01-01 UTC.
    var microseconds: Int64

    /// From year 1 up to the end of year 9999, which every reader can show.
    static let range: Range<Int64> = -62_135_596_800_000_000..<253_402_300_800_000_000
    static let dayMicroseconds: Int64 = 86_400_000_000

    private init?(inRange microseconds: Int64) {
        guard Self.range.contains(microseconds) else { return nil }
        self.microseconds = microseconds
    }

    /// Milliseconds since 1970-01-01 UTC, rounded down.
    var milliseconds: Int64 { microseconds.floored(by: 1_000) }

    /// The UTC day, in days since 1970-01-01.
    var day: Int32 { Self.day(of: microseconds) }

    static func day(of microseconds: Int64) -> Int32 {
        Int32(truncatingIfNeeded: microseconds.floored(by: dayMicroseconds))
    }

    /// Reads epoch milliseconds, written as a number or as digits; a fraction may be zero only.
    init?(epochMilliseconds text: UnsafeRawBufferPointer) {
        guard let milliseconds = Int64(wholeNumber: text) ?? Self.withoutFraction(text) else { return nil }
        let (microseconds, isTooLarge) = milliseconds.multipliedReportingOverflow(by: 1_000)
        guard !isTooLarge else { return nil }
        self.init(inRange: microseconds)
    }

    /// Reads numbers such as `1.7932e12` and `1793491200000.0`.
    private static func withoutFraction(_ text: UnsafeRawBufferPointer) -> Int64? {
        // `Double` reads more than JSON's numbers: hexadecimal ones, `nan`.
        guard text.count <= 32, text.allSatisfy({ $0 &- 0x30 <= 9 || "+-.eE".utf8.contains($0) }),
            let number = Double(String(decoding: text, as: UTF8.self))
        else { return nil }
        return Int64(exactly: number)
    }

    /// Reads a time as ISO 8601 has it.
    ///
    /// `YYYY-MM-DD`, then `T` or a blank, `HH:MM`, `:SS`, `.ffffff` (further digits are dropped), then `Z`,
    /// `±HH:MM`, `±HHMM`, `±HH` or nothing, which is UTC. The time of day may be missing.
    init?(iso text: UnsafeRawBufferPointer) {
        var scan = Scan(text: text)
        guard let year = scan.number(4), scan.take("-"), let month = scan.number(2), scan.take("-"),
            let day = scan.number(2), (1...12).contains(month),
            (1...Self.dayCount(month: month, year: year)).contains(day), year >= 1
        else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if !scan.isAtEnd {
            guard scan.take("T") || scan.take("t") || scan.take(" "), let hour = scan.number(2), hour < 24,
                scan.take(":"), let minute = scan.number(2), minute < 60
            else { return nil }
            seconds = hour * 3_600 + minute * 60
            if scan.take(":") {
                guard let second = scan.number(2), second < 60 else { return nil }
                seconds += second
                if scan.take(".") || scan.take(",") {
                    guard let digits = scan.fraction() else { return nil }
                    fraction = digits
                }
            }
            guard let offset = scan.offset(), scan.isAtEnd else { return nil }
            seconds -= offset
        }
        let days = Self.days(year: year, month: month, day: day)
        self.init(inRange: (days * 86_400 + seconds) * 1_000_000 + fraction)
    }

    static func dayCount(month: Int64, year: Int64) -> Int64 {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
    }

    /// Days since 1970-01-01 of a Gregorian date (Howard Hinnant, `days_from_civil`).
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.floored(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// Reads a text from its start.
private struct Scan {
    let text: UnsafeRawBufferPointer
    var at = 0

    init(text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    private mutating func digit() -> Int64? {
        guard at < text.count, text[at] &- 0x30 <= 9 else { return nil }
        defer { at += 1 }
        return Int64(text[at] - 0x30)
    }

    mutating func number(_ digitCount: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digitCount {
            guard let next = digit() else { return nil }
            value = value * 10 + next
        }
        return value
    }

    /// Microseconds.
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var digitCount = 0
        while let next = digit() {
            if digitCount < 6 { value = value * 10 + next }
            digitCount += 1
        }
        guard digitCount > 0 else { return nil }
        while digitCount < 6 {
            value *= 10
            digitCount += 1
        }
        return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int64? {
        if isAtEnd || take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = number(2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if !isAtEnd {
            _ = take(":")
            guard let found = number(2), found < 60 else { return nil }
            minutes = found
        }
        return sign * (hours * 3_600 + minutes * 60)
    }
}

extension Int64 {
    /// The quotient, rounded down; `divisor` is positive.
    func floored(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    /// Reads digits, with a minus sign before them or without; nil for all else and for what does not fit.
    init?(wholeNumber text: UnsafeRawBufferPointer) {
        let isNegative = text.first == UInt8(ascii: "-")
        guard text.count > (isNegative ? 1 : 0) else { return nil }
        var value: Int64 = 0
        for byte in text.dropFirst(isNegative ? 1 : 0) {
            guard byte &- 0x30 <= 9 else { return nil }
            let (times10, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (next, isStillTooLarge) = times10.subtractingReportingOverflow(Int64(byte - 0x30))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            value = next
        }
        guard isNegative || value != .min else { return nil }
        self = isNegative ? value : -value
    }
}
