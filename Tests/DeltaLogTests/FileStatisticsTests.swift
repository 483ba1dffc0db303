import FoundationEssentials
import JSONText
import SeededRandom
import Testing

@testable import DeltaLog

@Suite struct FileStatisticsTests {
    private static let prefix = repeated("a", 31)

    private static func repeated(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    private static func bounds(_ value: StatisticValue) -> (lower: JSONValue?, upper: JSONValue?) {
        (value.bound(.lower), value.bound(.upper))
    }

    private static func string(_ text: String) -> StatisticValue {
        .string(Array(text.utf8))
    }

    @Test func theTextIsNestedAsTheSchemaIs() throws {
        let statistics = FileStatistics(
            recordCount: 3,
            columns: [
                ColumnStatistics(
                    path: ["time"],
                    minimum: .timestamp(microseconds: 1_714_521_600_123_456),
                    maximum: .timestamp(microseconds: 1_714_521_600_123_456),
                    nullCount: 0
                ),
                ColumnStatistics(path: ["s", "code"], minimum: .long(-1), maximum: .long(2), nullCount: 1),
                ColumnStatistics(path: ["s", "t", "x"], minimum: .double(0), maximum: .double(0)),
                ColumnStatistics(path: ["day"], minimum: .date(days: 19_844), maximum: .boolean(true)),
                ColumnStatistics(path: ["none"], nullCount: 3),
            ]
        )
        let expected = #"""
            {"numRecords":3,"minValues":{"time":"2024-05-01T00:00:00.123Z","s":{"code":-1,"t":{"x":-0.0}},"day":"2024-05-01"},"maxValues":{"time":"2024-05-01T00:00:00.124Z","s":{"code":2,"t":{"x":0.0}},"day":true},"nullCount":{"time":0,"s":{"code":1},"none":3}}
            """#
        #expect(statistics.json == expected)
        #expect(try FileStatistics.recordCount(in: expected) == 3)
        #expect(try FileStatistics.recordCount(in: "{}") == nil)
        #expect(throws: DeltaLogError.self) { try FileStatistics.recordCount(in: "[") }
    }

    private static let strings: [(String, String, String?)] = [
        ("short", "short", "short"),
        (prefix + "b", prefix + "b", prefix + "b"),
        (prefix + "bc", prefix + "b", prefix + "c"),
        (prefix + "\u{D7FF}x", prefix + "\u{D7FF}", prefix + "\u{E000}"),
        (prefix + "\u{7F}x", prefix + "\u{7F}", prefix + "\u{80}"),
        (prefix + "\u{10FFFF}x", prefix + "\u{10FFFF}", repeated("a", 30) + "b"),
        (prefix + "e\u{301}", prefix + "e", prefix + "f"),
        (repeated("😀", 33), repeated("😀", 32), repeated("😀", 31) + "😁"),
        (repeated("\u{10FFFF}", 33), repeated("\u{10FFFF}", 32), nil),
    ]

    @Test(arguments: strings)
    func longStringsAreCutAndTheMaximumRoundedUp(text: String, lower: String, upper: String?) {
        let bounds = Self.bounds(Self.string(text))
        #expect(bounds.lower?.string.map { Array($0.utf8) } == Array(lower.utf8))
        #expect(bounds.upper?.string.map { Array($0.utf8) } == upper.map { Array($0.utf8) })
    }

    @Test func boundsOfRandomUnicodeHoldInByteOrder() throws {
        var random = SeededGenerator(seed: 1)
        let blocks: [ClosedRange<UInt32>] = [
            0...0x7F, 0x80...0x7FF, 0xD700...0xD7FF, 0xE000...0xE0FF, 0xFFF0...0x1_0010,
            0x10_FFF0...0x10_FFFF,
        ]
        for _ in 0..<5_000 {
            let block = blocks.randomElement(using: &random) ?? 0...0x7F
            let scalars = (0..<Int.random(in: 28...40, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: block, using: &random))
            }
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            let string = String(text)
            let (lower, upper) = Self.bounds(Self.string(string))
            let least = try #require(lower?.string)
            #expect(!utf8Precedes(string, least))
            #expect(least.unicodeScalars.count <= 32)
            if let most = upper?.string {
                #expect(!utf8Precedes(most, string))
                #expect(most.unicodeScalars.count <= 32)
            } else {
                #expect(scalars.prefix(32).allSatisfy { $0.value == 0x10FFFF })
            }
        }
    }

    private static let timestamps: [(Int64, String?, String?)] = [
        (0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z"),
        (-1_000, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        (-1_001, "1969-12-31T23:59:59.998Z", "1969-12-31T23:59:59.999Z"),
        (951_782_399_999_001, "2000-02-28T23:59:59.999Z", "2000-02-29T00:00:00.000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        (-62_135_596_800_000_001, nil, "0001-01-01T00:00:00.000Z"),
        (253_402_300_799_999_000, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        (253_402_300_799_999_001, "9999-12-31T23:59:59.999Z", nil),
        (.min, nil, nil), (.max, nil, nil),
    ]

    @Test(arguments: timestamps)
    func timestampsAreRoundedOutward(microseconds: Int64, lower: String?, upper: String?) {
        let bounds = Self.bounds(.timestamp(microseconds: microseconds))
        #expect(bounds.lower?.string == lower)
        #expect(bounds.upper?.string == upper)
    }

    @Test func everyDayOfTheCalendarFollowsTheOneBefore() {
        var expected = CivilDate(days: -719_163)
        #expect(expected.text == nil)
        for days in Int64(-719_162)...2_932_896 {
            expected = Self.successor(expected)
            guard CivilDate(days: days) == expected else {
                Issue.record("day \(days) is \(CivilDate(days: days)), not \(expected)")
                return
            }
        }
        #expect(expected.text == "9999-12-31")
        #expect(CivilDate(days: 2_932_897).text == nil)
    }

    private static func successor(_ date: CivilDate) -> CivilDate {
        let leap =
            date.year.isMultiple(of: 4) && (!date.year.isMultiple(of: 100) || date.year.isMultiple(of: 400))
        let lengths: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var next = date
        next.day += 1
        if next.day > lengths[Int(date.month) - 1] {
            next.day = 1
            next.month += 1
        }
        if next.month > 12 {
            next.month = 1
            next.year += 1
        }
        return next
    }

    @Test func whatHasNoBoundIsLeftOut() {
        let values: [StatisticValue] = [
            .string([0xFF]), .double(.nan), .double(.infinity), .double(-.infinity), .date(days: .max),
            .date(days: .min),
        ]
        for value in values {
            #expect(value.bound(.lower) == nil)
            #expect(value.bound(.upper) == nil)
        }
    }
}
