import JSONText

/// The smallest or largest value of a column in one file, before it is rounded for the log.
package enum StatisticValue: Hashable, Sendable {
    /// UTF-8 bytes.
    case string([UInt8])
    /// An integer of any width.
    case long(Int64)
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    case timestamp(microseconds: Int64)
    /// Days since 1970-01-01.
    case date(days: Int32)
    /// A floating-point number.
    case double(Double)
    /// `true` or `false`.
    case boolean(Bool)
}

/// The side from which a bound limits the values of a column.
enum BoundSide {
    case lower
    case upper
}

extension StatisticValue {
    /// Longest string in statistics, in Unicode scalars; the default of every writer.
    static let stringLimit = 32

    /// A value for `minValues` or `maxValues` that bounds this one from `side`, or nil when there is none.
    ///
    /// Nil stands for invalid UTF-8, NaN and infinities, years outside 1…9999, and strings that cannot be
    /// rounded up.
    func bound(_ side: BoundSide) -> JSONValue? {
        switch self {
        case .string(let bytes):
            Self.bound(bytes, side).map(JSONValue.string)
        case .long(let value):
            .integer(value)
        case .timestamp(let microseconds):
            Self.bound(microseconds, side).map(JSONValue.string)
        case .date(let days):
            CivilDate(days: Int64(days)).text.map(JSONValue.string)
        case .double(let value):
            Self.bound(value, side).map(JSONValue.double)
        case .boolean(let value):
            .boolean(value)
        }
    }

    /// The first 32 scalars; for an upper bound the last one that can grow is replaced by its successor.
    ///
    /// Scalars order as their UTF-8 bytes do, so a prefix with a greater last scalar is above every string
    /// with the original prefix.
    private static func bound(_ bytes: [UInt8], _ side: BoundSide) -> String? {
        guard let string = String(validating: bytes, as: UTF8.self) else { return nil }
        let scalars = string.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: stringLimit, limitedBy: scalars.endIndex),
            end < scalars.endIndex
        else { return string }
        var prefix = scalars[..<end]
        guard side == .upper else { return String(prefix) }
        while let last = prefix.popLast() {
            guard let successor = successor(of: last) else { continue }
            return String(prefix) + String(Character(successor))
        }
        return nil
    }

    /// The next Unicode scalar: surrogates are none, and after U+10FFFF there is nothing.
    private static func successor(of scalar: Unicode.Scalar) -> Unicode.Scalar? {
        scalar.value == 0xD7FF ? Unicode.Scalar(0xE000) : Unicode.Scalar(scalar.value + 1)
    }

    /// ISO 8601 in UTC with milliseconds, rounded away from the values inside.
    private static func bound(_ microseconds: Int64, _ side: BoundSide) -> String? {
        let (floor, rest) = floorDivide(microseconds, by: 1_000)
        let milliseconds = side == .upper && rest > 0 ? floor + 1 : floor
        let (days, timeOfDay) = floorDivide(milliseconds, by: 86_400_000)
        guard let date = CivilDate(days: days).text else { return nil }
        let (seconds, fraction) = timeOfDay.quotientAndRemainder(dividingBy: 1_000)
        let time = [seconds / 3_600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
        return "\(date)T\(time.joined(separator: ":")).\(padded(fraction, 3))Z"
    }

    /// Zero takes the sign that lies outside: readers may tell -0.0 from 0.0.
    private static func bound(_ value: Double, _ side: BoundSide) -> Double? {
        guard value.isFinite else { return nil }
        guard value == 0 else { return value }
        return side == .lower ? -0.0 : 0.0
    }
}
