import Foundation
import ObjectStorage
import Testing

/// Times as S3 writes them, against Foundation's calendar.
@Suite struct UTCTimeTests {
    @Test("every day from 1960 to 2110 is written and read as Foundation does")
    func days() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "GMT"))
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        for day in Int64(-3653)..<51_135 {
            // Another time of day each day.
            let seconds = day * 86_400 + (day + 4000) * 7919 % 86_400
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: Double(seconds))
            )
            let year = try #require(parts.year)
            let month = try #require(parts.month)
            let date = try #require(parts.day)
            let clock = [parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0].map(two)
            let basic = "\(year)\(two(month))\(two(date))T\(clock.joined())Z"
            let iso = "\(year)-\(two(month))-\(two(date))T\(clock.joined(separator: ":")).250Z"
            let http = "Day, \(two(date)) \(names[month - 1]) \(year) \(clock.joined(separator: ":")) GMT"
            guard UTCTime(microseconds: seconds * 1_000_000 + 999_999).basic == basic,
                UTCTime.microseconds(iso8601: iso) == seconds * 1_000_000 + 250_000,
                UTCTime.microseconds(httpDate: http) == seconds * 1_000_000
            else {
                Issue.record("\(iso) is not \(seconds) seconds after 1970")
                return
            }
        }
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    @Test(
        "what is no time is nil",
        arguments: [
            "", "T", "2009-10-12", "2009-10-12T17:50:30", "2009-13-12T17:50:30Z", "2009-10-12T24:50:30Z",
            "2009-10-12T17:50Z", "2009-10-12T17:50:30.x1Z", "2009-10-12T17:50:30+01:00", "x-10-12T17:50:30Z",
            "2009-10-12T17:50:+3Z", "Wed, 21 Oct 2015 07:28:00", "Wed, 21 Okt 2015 07:28:00 GMT",
        ]
    )
    func noTime(text: String) {
        #expect(UTCTime.microseconds(iso8601: text) == nil)
        #expect(UTCTime.microseconds(httpDate: text) == nil)
    }
}
