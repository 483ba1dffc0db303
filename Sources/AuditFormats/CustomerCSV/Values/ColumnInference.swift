/// Finds out what the values of a CSV column are, from a sample of them.
///
/// A type is chosen when every value fits it; what was seen is told besides, also which other formats of dates would fit.
package struct ColumnInference: Hashable, Sendable {
    /// Types that are told apart without being told of them.
    package enum Candidate: Int, Hashable, Sendable, CaseIterable {
        /// See ``CSVColumnType/integer``.
        case integer
        /// See ``CSVColumnType/double``; whole numbers count, too.
        case double
        /// See ``CSVColumnType/boolean``.
        case boolean
        /// ISO 8601 with a time of day, of which microseconds lose nothing.
        case timestamp
    }

    /// How often a type or a format fits, and where it did not.
    package struct Fit: Hashable, Sendable {
        /// Values that fit.
        package fileprivate(set) var count = 0
        /// Up to three values that do not, each of at most 100 bytes.
        package fileprivate(set) var misfits: [String] = []

        fileprivate mutating func note(_ value: UnsafeRawBufferPointer, isFit: Bool) {
            if isFit {
                count += 1
            } else if misfits.count < 3 {
                misfits.append(String(decoding: value.prefix(100), as: UTF8.self))
            }
        }

        fileprivate mutating func add(_ other: Fit) {
            count += other.count
            misfits += other.misfits.prefix(3 - misfits.count)
        }
    }

    /// Formats of dates and times that are no ISO 8601.
    package static let knownFormats: [TimestampFormat] = {
        let dates = [
            "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y-%m-%d", "%d %b %Y",
        ]
        let times = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"]
        return (dates.flatMap { date in times.map { date + $0 } } + ["%d/%b/%Y:%H:%M:%S %z"])
            .compactMap { try? TimestampFormat($0) }
    }()

    /// Values that are not empty.
    package private(set) var valueCount = 0
    /// Empty values.
    package private(set) var emptyCount = 0
    /// Numbers with a point or an exponent.
    package private(set) var fractionCount = 0
    /// The least and the greatest whole number.
    package private(set) var integerBounds: ClosedRange<Int64>?
    private var fits = Array(repeating: Fit(), count: Candidate.allCases.count)
    /// By index in ``knownFormats``; empty until a value looks like a date.
    private var formatCounts: [Int] = []

    /// Creates an inference that has seen nothing.
    package init() {}

    /// Looks at a value, which is valid UTF-8.
    package mutating func look(at value: UnsafeRawBufferPointer) {
        guard !value.isEmpty else {
            emptyCount += 1
            return
        }
        valueCount += 1
        let integer = CSVValue.integer(value)
        let isDouble = CSVValue.double(value) != nil
        if let integer {
            let bounds = integerBounds ?? integer...integer
            integerBounds = min(bounds.lowerBound, integer)...max(bounds.upperBound, integer)
        }
        if isDouble, CSVValue.hasFraction(value) { fractionCount += 1 }
        let time = isDouble ? nil : TimestampFormat.iso.read(value)
        note(.integer, value, integer != nil)
        note(.double, value, isDouble)
        note(.boolean, value, CSVValue.boolean(value) != nil)
        note(.timestamp, value, time.map { $0.hasTimeOfDay && !$0.isCut } ?? false)
        if !isDouble, Self.mayBeDate(value) { lookForDate(value) }
    }

    /// Whether the first number of a value is followed as a day, a month or a year is in a known format.
    private static func mayBeDate(_ value: UnsafeRawBufferPointer) -> Bool {
        guard (8...40).contains(value.count), value[0] &- 0x30 <= 9 else { return false }
        return [value[1], value[2], value[4]].contains { "/.- ".utf8.contains($0) }
    }

    private mutating func note(_ candidate: Candidate, _ value: UnsafeRawBufferPointer, _ isFit: Bool) {
        fits[candidate.rawValue].note(value, isFit: isFit)
    }

    private mutating func lookForDate(_ value: UnsafeRawBufferPointer) {
        if formatCounts.isEmpty { formatCounts = Array(repeating: 0, count: Self.knownFormats.count) }
        for (index, format) in Self.knownFormats.enumerated() {
            if let time = format.read(value), !time.isCut { formatCounts[index] += 1 }
        }
    }

    /// What is known of a type.
    package func fit(of candidate: Candidate) -> Fit { fits[candidate.rawValue] }

    /// The type that every value fits; `text` when there is none, nil without a value.
    ///
    /// Whole numbers alone are `integer`; with one fraction at least all are `double`.
    package var type: CSVColumnType? {
        guard valueCount > 0 else { return nil }
        if fitsAll(.integer) { return .integer }
        if fitsAll(.double), fractionCount > 0 { return .double }
        if fitsAll(.boolean) { return .boolean }
        if fitsAll(.timestamp) { return .timestamp(.iso) }
        return .text
    }

    private func fitsAll(_ candidate: Candidate) -> Bool { fits[candidate.rawValue].count == valueCount }

    /// Formats of dates and times, other than ISO 8601, that every value fits.
    ///
    /// They may be declared for the column. Several contradict each other, such as `%d/%m/%Y` and `%m/%d/%Y` while no day
    /// is above 12: which is meant only people know.
    package var fittingFormats: [TimestampFormat] {
        guard valueCount > 0 else { return [] }
        return zip(Self.knownFormats, formatCounts).filter { $0.1 == valueCount }.map(\.0)
    }

    /// Adds what another inference has seen.
    package mutating func merge(_ other: ColumnInference) {
        valueCount += other.valueCount
        emptyCount += other.emptyCount
        fractionCount += other.fractionCount
        if let bounds = other.integerBounds {
            let own = integerBounds ?? bounds
            integerBounds =
                min(own.lowerBound, bounds.lowerBound)...max(own.upperBound, bounds.upperBound)
        }
        for index in fits.indices { fits[index].add(other.fits[index]) }
        if formatCounts.isEmpty {
            formatCounts = other.formatCounts
        } else {
            for (index, count) in other.formatCounts.enumerated() { formatCounts[index] += count }
        }
    }
}
