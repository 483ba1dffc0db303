import Pipelines

/// Instants as RFC 3339 writes them.
package enum UTCTime {
    /// `YYYY-MM-DDTHH:MM:SS.mmmZ` of an instant.
    ///
    /// - Parameter microseconds: Since 1970-01-01 00:00 UTC.
    /// - Returns: 24 characters for the years 1 to 9999.
    package static func text(microseconds: Int64) -> String {
        let day = 86_400_000_000 as Int64
        let ofDay = (microseconds % day + day) % day / 1_000
        let parts = [
            (ofDay / 3_600_000, 2, ":"), (ofDay / 60_000 % 60, 2, ":"), (ofDay / 1_000 % 60, 2, "."),
            (ofDay % 1_000, 3, "Z"),
        ]
        return UTCDay.text(microseconds: microseconds) + "T"
            + parts.map { value, width, separator in
                let digits = String(value)
                return String(repeating: "0", count: width - digits.count) + digits + separator
            }.joined()
    }
}
