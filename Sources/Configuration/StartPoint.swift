import FoundationEssentials

/// Where a pipeline begins that has no batch yet.
package enum StartPoint: Hashable, Sendable {
    /// With all that is there.
    case earliest
    /// With what is written from now on.
    case latest
    /// With records of this time and later, in microseconds since 1970-01-01 UTC.
    case time(Int64)

    /// Reads `earliest`, `latest`, or a time: `2026-11-21`, `2026-11-21 10:00:00`, `2026-11-21T10:00:00.5+01:00`.
    ///
    /// A time without a zone is in UTC.
    ///
    /// - Returns: nil when `text` is none of them.
    static func parse(_ text: String) -> StartPoint? {
        switch text {
        case "earliest": return .earliest
        case "latest": return .latest
        default: break
        }
        let parts = text.split(whereSeparator: { $0 == " " || $0 == "T" }).map(String.init)
        guard let day = parts.first, day.count == 10, parts.count <= 2 else { return nil }
        var clock = parts.count > 1 ? parts[1] : "00:00:00"
        if !clock.hasSuffix("Z"), !clock.dropFirst(2).contains(where: { $0 == "+" || $0 == "-" }) {
            clock += "Z"
        }
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: clock.contains("."))
        guard let date = try? style.parse("\(day)T\(clock)") else { return nil }
        return .time(Int64((date.timeIntervalSince1970 * 1_000_000).rounded()))
    }
}
