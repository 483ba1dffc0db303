/// Reads `YYYY-MM-DD HH:MM:SS.mmm ZONE` into microseconds since 1970-01-01 00:00 UTC.
///
/// Log records of one second follow each other, so the second and the zone are remembered as text: the common case is
/// one comparison and three digits.
package struct LogTimestamp {
    private var rememberedSecond: (UInt64, UInt64, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
    private var rememberedZone: [UInt8] = []
    private var second: Int64 = 0
    private let zone: LogTimeZone

    /// Creates a reader for timestamps of one source.
    package init(zone: LogTimeZone) { self.zone = zone }

    /// What a timestamp says.
    package enum Reading: Equatable {
        /// Microseconds since 1970-01-01 00:00 UTC.
        case time(Int64)
        /// No such day or time.
        case impossible
        /// A zone that needs the setting `timezone`.
        case zone(String, LogTimeZone.Meaning)
    }

    /// Reads a field that has the shape of a log timestamp (`bs_csvlog_starts`).
    package mutating func read(_ text: UnsafeRawBufferPointer) -> Reading {
        guard text.count > 24, let base = text.baseAddress else { return .impossible }
        let key = (
            base.loadUnaligned(as: UInt64.self), base.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            text[16], text[17],
            text[18]
        )
        let milliseconds = Int64(digits(text, 20, 3))
        let zoneText = UnsafeRawBufferPointer(rebasing: text[24...])
        if key != rememberedSecond || !zoneText.elementsEqual(rememberedZone) {
            guard let local = localSeconds(text) else { return .impossible }
            let abbreviation = String(decoding: zoneText, as: UTF8.self)
            switch zone.meaning(of: abbreviation, localSeconds: local) {
            case .offset(let offset): second = local - offset
            case let other: return .zone(abbreviation, other)
            }
            rememberedSecond = key
            rememberedZone = Array(zoneText)
        }
        return .time(second * 1_000_000 + milliseconds * 1_000)
    }

    private func digits(_ text: UnsafeRawBufferPointer, _ at: Int, _ count: Int) -> Int {
        var value = 0
        for index in at..<at + count { value = value * 10 + Int(text[index] &- 0x30) }
        return value
    }

    private func localSeconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        let (year, month, day) = (digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
        let (hour, minute, second) = (digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2))
        guard year > 0, 1...12 ~= month, 1...Self.days(inMonth: month, year: year) ~= day, hour < 24,
            minute < 60, second <= 60
        else { return nil }
        return Self.daysSinceEpoch(year: year, month: month, day: day) * 86_400
            + Int64(hour * 3_600 + minute * 60 + second)
    }

    private static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar (years from 1 on).
    package static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return Int64(era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468)
    }
}
