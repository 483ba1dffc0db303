/// How long a table keeps what it no longer needs: table properties with their defaults.
///
/// Source: protocol sections "Add File and Remove File" and "Metadata Cleanup".
package struct TableRetention: Hashable, Sendable {
    /// How long the files of tombstones stay, in milliseconds: `delta.deletedFileRetentionDuration`, 7 days.
    package var deletedFileMilliseconds: Int64
    /// How long commit files stay, in milliseconds: `delta.logRetentionDuration`, 30 days.
    package var logMilliseconds: Int64

    /// Reads a table's properties.
    ///
    /// - Throws: `DeltaLogError` with `malformedProperty` for a value such as `interval 1 month`: nothing may
    ///   be deleted on a guess.
    package init(_ metadata: TableMetadata) throws(DeltaLogError) {
        deletedFileMilliseconds = try Self.read("delta.deletedFileRetentionDuration", metadata, days: 7)
        logMilliseconds = try Self.read("delta.logRetentionDuration", metadata, days: 30)
    }

    private static func read(
        _ property: String,
        _ metadata: TableMetadata,
        days: Int64
    ) throws(DeltaLogError) -> Int64 {
        guard let text = metadata.configuration[property] else { return days * 86_400_000 }
        guard let milliseconds = milliseconds(text) else {
            throw DeltaLogError(
                .malformedProperty,
                "\(property) is '\(text)'; write it as 'interval 7 days' (units: weeks to milliseconds)"
            )
        }
        return milliseconds
    }

    /// `[interval] <number> <unit> …`, units from week to millisecond, singular or plural.
    private static func milliseconds(_ text: String) -> Int64? {
        var words = text.lowercased().split(separator: " ")[...]
        if words.first == "interval" {
            words = words.dropFirst()
        }
        guard !words.isEmpty, words.count.isMultiple(of: 2) else { return nil }
        var total: Int64 = 0
        while let number = words.popFirst().flatMap({ Int64($0) }), number >= 0, let unit = words.popFirst() {
            guard let length = unitMilliseconds(unit) else { return nil }
            let (product, productOverflow) = number.multipliedReportingOverflow(by: length)
            let (sum, sumOverflow) = total.addingReportingOverflow(product)
            guard !productOverflow, !sumOverflow else { return nil }
            total = sum
        }
        return words.isEmpty ? total : nil
    }

    private static func unitMilliseconds(_ unit: Substring) -> Int64? {
        switch unit.hasSuffix("s") ? unit.dropLast() : unit {
        case "week": 604_800_000
        case "day": 86_400_000
        case "hour": 3_600_000
        case "minute": 60_000
        case "second": 1_000
        case "millisecond": 1
        default: nil
        }
    }
}
