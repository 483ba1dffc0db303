/// Reads a size written by a person: `64MB`, `1GiB`, `512 kB`, or plain bytes.
enum ByteSize {
    /// Bytes per unit, by the unit's lower-case name: powers of 1000, and of 1024 with an `i`.
    private static let units: [String: Int] = [
        "": 1, "b": 1,
        "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    ]

    /// The number of bytes that `text` names.
    ///
    /// - Returns: nil when `text` is not a whole number above zero with a known unit, or does not fit an `Int`.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let count = Int(digits), count > 0, let scale = units[unit] else { return nil }
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: scale)
        return overflow ? nil : byteCount
    }
}
