import BatchProtocol

/// The days of the table that have rows of which nobody knows when they happened: the days on which they were read.
struct UndatedDays {
    private static let key = "undated/days"

    /// Since 1970-01-01, in order.
    private(set) var days: [Int32]

    /// Reads the state after a batch.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(_ state: ShardState) throws {
        let texts = (state.values[Self.key] ?? "").split(separator: ",")
        days = texts.compactMap { Int32($0) }
        guard days.count == texts.count else {
            throw PipelineError(
                code: .damagedState,
                message: "the days that have rows without a time cannot be read from the pipeline's state",
                mend: "restore the lake's _auditlake folder from a backup"
            )
        }
    }

    /// What a batch adds that has rows without a time.
    ///
    /// - Parameter day: When it was planned.
    /// - Returns: nil when the day is known.
    func change(adding day: Int32) -> StateChange? {
        guard !days.contains(day) else { return nil }
        let all = (days + [day]).sorted()
        return StateChange(key: Self.key, value: all.map(String.init).joined(separator: ","))
    }
}
