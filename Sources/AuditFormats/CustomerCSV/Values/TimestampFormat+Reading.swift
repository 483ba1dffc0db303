/// A point in time that a text tells.
struct ReadTimestamp: Equatable {
    /// Microseconds since 1970-01-01 UTC.
    var microseconds: Int64
    /// The text tells more than microseconds hold.
    var isCut = false
    /// The text tells a time of day.
    var hasTimeOfDay = true
}

extension TimestampFormat {
    /// Reads a timestamp; nil when the text is none of this format, or no time from year 1 to 9999.
    func read(_ text: UnsafeRawBufferPointer) -> ReadTimestamp? {
        let read: ReadTimestamp? =
            switch rule {
            case .iso: Self.readISO(text)
            case .epoch(let unit): Self.readEpoch(text, unit: unit)
            case .parts(let parts): Self.read(text, parts)
            }
        guard let read, EventTime.range.contains(read.microseconds) else { return nil }
        return read
    }

    private static func readISO(_ text: UnsafeRawBufferPointer) -> ReadTimestamp? {
        var scan = TimestampScan(text)
        var fields = TimestampFields()
        guard let year = scan.digits(4), scan.take("-"), let month = scan.digits(2), scan.take("-"),
            let day = scan.digits(2)
        else { return nil }
        fields.year = year
        fields.month = month
        fields.day = day
        if scan.isAtEnd { return fields.timestamp(hasTimeOfDay: false) }
        guard scan.take("T") || scan.take(" ") || scan.take("t"), let hour = scan.digits(2), scan.take(":"),
            let minute = scan.digits(2)
        else { return nil }
        fields.hour = hour
        fields.minute = minute
        if scan.take(":") {
            guard let second = scan.digits(2) else { return nil }
            fields.second = second
            if scan.take(".") || scan.take(",") {
                guard let fraction = scan.fraction() else { return nil }
                fields.fraction = fraction
            }
        }
        if !scan.isAtEnd {
            guard let offset = scan.offset() else { return nil }
            fields.offset = offset
        }
        return scan.isAtEnd ? fields.timestamp() : nil
    }

    private static func readEpoch(_ text: UnsafeRawBufferPointer, unit: Int64) -> ReadTimestamp? {
        let point = text.firstIndex(of: UInt8(ascii: "."))
        let whole = UnsafeRawBufferPointer(rebasing: text[..<(point ?? text.count)])
        guard let count = Int64(wholeNumber: whole) else { return nil }
        let (microseconds, isTooLarge) = count.multipliedReportingOverflow(by: unit)
        guard !isTooLarge else { return nil }
        guard let point else { return ReadTimestamp(microseconds: microseconds) }
        var scan = TimestampScan(UnsafeRawBufferPointer(rebasing: text[(point + 1)...]))
        guard let fraction = scan.fraction(), scan.isAtEnd else { return nil }
        // Billionths of a unit.
        let part = fraction * unit / 1_000_000_000
        let isCut = fraction * unit % 1_000_000_000 != 0
        let isNegative = text.first == UInt8(ascii: "-")
        // Cut times lie before what the text tells, as those with a date do.
        let sum = isNegative ? microseconds - part - (isCut ? 1 : 0) : microseconds + part
        return ReadTimestamp(microseconds: sum, isCut: isCut)
    }

    private static func read(_ text: UnsafeRawBufferPointer, _ parts: [Part]) -> ReadTimestamp? {
        var scan = TimestampScan(text)
        var fields = TimestampFields()
        for part in parts {
            guard scan.read(part, into: &fields) else { return nil }
        }
        return scan.isAtEnd ? fields.timestamp() : nil
    }
}

/// What the parts of a timestamp say.
struct TimestampFields {
    var year: Int64 = 1970
    var month: Int64 = 1
    var day: Int64 = 1
    var hour: Int64 = 0
    var isAfternoon: Bool?
    var minute: Int64 = 0
    var second: Int64 = 0
    /// Billionths of a second.
    var fraction: Int64 = 0
    /// Seconds east of UTC.
    var offset: Int64 = 0

    /// The point in time; nil when there is no such day or time of day.
    func timestamp(hasTimeOfDay: Bool = true) -> ReadTimestamp? {
        guard year >= 1, month >= 1, month <= 12, day >= 1,
            day <= 28 || day <= EventTime.dayCount(month: month, year: year),
            minute < 60, second < 60
        else { return nil }
        var hour = hour
        if let isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        guard hour < 24 else { return nil }
        let seconds =
            EventTime.days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
            - offset
        return ReadTimestamp(
            microseconds: seconds * 1_000_000 + fraction / 1_000,
            isCut: fraction % 1_000 != 0,
            hasTimeOfDay: hasTimeOfDay
        )
    }
}

/// Reads a timestamp from its start.
struct TimestampScan {
    private let text: UnsafeRawBufferPointer
    private var at = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    @inline(__always)
    mutating func take(_ byte: Unicode.Scalar) -> Bool { take(UInt8(ascii: byte)) }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    @inline(__always)
    private mutating func digit() -> Int64? {
        guard at < text.count, text[at] &- 0x30 <= 9 else { return nil }
        defer { at += 1 }
        return Int64(text[at] &- 0x30)
    }

    /// Exactly so many digits.
    @inline(__always)
    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let next = digit() else { return nil }
            value = value &* 10 &+ next
        }
        return value
    }

    /// One digit or two.
    private mutating func oneOrTwoDigits() -> Int64? {
        guard let first = digit() else { return nil }
        guard let second = digit() else { return first }
        return first * 10 + second
    }

    /// Billionths, of one digit to nine.
    @inline(__always)
    mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < 9, let next = digit() {
            value = value &* 10 &+ next
            count += 1
        }
        guard count > 0 else { return nil }
        while count < 9 {
            value &*= 10
            count += 1
        }
        return value
    }

    /// Seconds east of UTC: `Z`, `±HH:MM`, `±HHMM` or `±HH`.
    @inline(__always)
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), hours < 24 else { return nil }
        let hasColon = take(":")
        guard hasColon || (at < text.count && text[at] &- 0x30 <= 9) else { return sign * hours * 3_600 }
        guard let minutes = digits(2), minutes < 60 else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }

    private static let months = "janfebmaraprmayjunjulaugsepoctnovdec".utf8.map(\.self)

    private mutating func month() -> Int64? {
        guard text.count - at >= 3 else { return nil }
        let name = (text[at] | 0x20, text[at + 1] | 0x20, text[at + 2] | 0x20)
        let months = Self.months
        for index in 0..<12
        where (months[index * 3], months[index * 3 + 1], months[index * 3 + 2]) == name {
            at += 3
            return Int64(index + 1)
        }
        return nil
    }

    private mutating func takeLetters(_ first: UInt8, _ rest: StaticString) -> Bool {
        let count = rest.utf8CodeUnitCount
        guard text.count - at > count, text[at] | 0x20 == first else { return false }
        for index in 0..<count where text[at + 1 + index] | 0x20 != rest.utf8Start[index] { return false }
        at += count + 1
        return true
    }

    mutating func read(_ part: TimestampFormat.Part, into fields: inout TimestampFields) -> Bool {
        switch part {
        case .literal(let byte): return take(byte)
        case .year: return set(&fields.year, digits(4))
        case .yearOfCentury: return set(&fields.year, digits(2).map { $0 < 69 ? $0 + 2_000 : $0 + 1_900 })
        case .month: return set(&fields.month, oneOrTwoDigits())
        case .monthName: return set(&fields.month, month())
        case .day: return set(&fields.day, oneOrTwoDigits())
        case .hour, .hourOfHalfDay: return set(&fields.hour, oneOrTwoDigits())
        case .halfOfDay:
            let isAfternoon = takeLetters(UInt8(ascii: "p"), "m")
            guard isAfternoon || takeLetters(UInt8(ascii: "a"), "m") else { return false }
            fields.isAfternoon = isAfternoon
            return true
        case .minute: return set(&fields.minute, oneOrTwoDigits())
        case .second: return set(&fields.second, oneOrTwoDigits())
        case .fraction: return set(&fields.fraction, fraction())
        case .offset: return set(&fields.offset, offset())
        case .utc: return takeLetters(UInt8(ascii: "u"), "tc")
        }
    }

    private func set(_ field: inout Int64, _ value: Int64?) -> Bool {
        guard let value else { return false }
        field = value
        return true
    }
}
