import Testing

@testable import AuditFormats

@Suite struct EventTimeTests {
    private func iso(_ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBytes { EventTime(iso: $0)?.microseconds }
    }

    // Expected values from Python: int(datetime.fromisoformat(…).timestamp() * 10**6).
    @Test(arguments: [
        ("2026-11-01T00:00:00Z", 1_793_491_200_000_000), ("2026-11-01", 1_793_491_200_000_000),
        ("2026-11-01 01:02:03.5", 1_793_494_923_500_000),
        ("2026-11-01T01:02:03.123456789Z", 1_793_494_923_123_456),
        ("2026-11-01T01:02:03.1234567+05:30", 1_793_475_123_123_456),
        ("2026-11-01T01:02:03-0800", 1_793_523_723_000_000), ("2026-11-01T01:02+01", 1_793_491_320_000_000),
        ("1969-12-31T23:59:59.999Z", -1_000), ("2000-02-29T00:00:00Z", 951_782_400_000_000),
        ("1900-03-01T00:00:00Z", -2_203_891_200_000_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ] as [(String, Int64)])
    func isoTextsAreRead(_ text: String, _ microseconds: Int64) {
        #expect(iso(text) == microseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-02-29", "1900-02-29T00:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01T",
        "2026-11-01T00:00:60Z", "2026-11-01T00:00:00.Z", "2026-11-01T00:00:00ZZ", "2026-11-01T00:00:00+1",
        "0000-01-01", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "1793491200000",
        "2026-11-01T00:00:00 UTC",
    ])
    func otherTextsAreNoTimes(_ text: String) {
        #expect(iso(text) == nil)
    }

    @Test(arguments: ["", "-", "1e400", "9223372036854775807", "253402300800000", "0x10", "12a", "1.5", "NaN", " 1"])
    func otherNumbersAreNoEpochs(_ text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { EventTime(epochMilliseconds: $0) } == nil)
    }

    @Test func everyDayOfFourCenturiesHasItsNumber() {
        var day: Int64 = 0
        for year: Int64 in 1970..<2370 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (index, count) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                #expect(EventTime.days(year: year, month: Int64(index) + 1, day: 1) == day)
                day += Int64(count)
            }
        }
    }

    @Test(arguments: [
        ("0", 0), ("-9223372036854775808", .min), ("9223372036854775807", .max), ("007", 7),
    ] as [(String, Int64)])
    func wholeNumbersAreRead(_ text: String, _ number: Int64) {
        #expect(Array(text.utf8).withUnsafeBytes { Int64(wholeNumber: $0) } == number)
    }

    @Test(arguments: ["", "-", "9223372036854775808", "-9223372036854775809", "1 ", "+1", "1.0"])
    func otherTextsAreNoWholeNumbers(_ text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { Int64(wholeNumber: $0) } == nil)
    }
}
