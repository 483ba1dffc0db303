/// Reads a duration written by a person: `500ms`, `1s`, `10m`, `7d`.
enum DurationText {
    /// Milliseconds per unit.
    private static let units: [String: Int64] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    /// The duration that `text` names.
    ///
    /// - Returns: nil when `text` is not a whole number above zero with a known unit, or is longer than some centuries.
    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let count = Int64(digits), count > 0, let scale = units[unit] else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: scale)
        guard !overflow, milliseconds < 1 << 53 else { return nil }
        return .milliseconds(milliseconds)
    }
}
