extension DatabricksDecoder {
    /// What a decoder has made since it was created.
    package struct Totals: Hashable, Sendable {
        /// Lines that are not blank; of a line in pieces, each piece.
        package var lineCount = 0
        /// Records: the events of lines, each element of a `records` array, and lines that hold neither.
        package var recordCount = 0
        /// Rows of bronze: lines, also when bronze is not built.
        package var bronzeRowCount = 0
        /// Rows of silver: events that are not in the quarantine.
        package var silverRowCount = 0
        /// Records in the quarantine: `recordCount` = `silverRowCount` + `quarantineRowCount`.
        package var quarantineRowCount = 0
        /// Rows of gold by index of the service; they sum up to `silverRowCount`.
        package var goldRowCounts: [Int] = []
        /// What became of each rule, in the order of `EventRule.allCases`.
        package var rules = EventRule.allCases.map { RuleTotals(rule: $0) }

        /// Creates totals of nothing.
        package init() {}
    }

    /// How often a rule was looked at.
    package struct RuleTotals: Hashable, Sendable {
        /// The rule.
        package var rule: EventRule
        /// Events that it was asked of.
        package var checkedCount = 0
        /// Those that broke it.
        package var failedCount = 0
        /// Up to five of them, as `source:offset`.
        package var samples: [String] = []

        static let maxSampleCount = 5
    }

    /// An event that broke a rule whose action is `fail`.
    package struct RuleFailure: Error, Hashable, Sendable {
        /// The rule.
        package var rule: EventRule
        /// The name of the source.
        package var source: String
        /// Where the record begins, in bytes.
        package var offset: UInt64
    }

    /// Why `decode` came back.
    package enum Stop: Hashable, Sendable {
        /// The rest of the bytes begins a line whose end has not been read.
        case needsMoreInput
        /// The open row groups are full: some are to be taken before the next call.
        case rowGroupFull
    }
}
