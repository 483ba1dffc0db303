/// How the records of a batch stood to one rule.
package struct ExpectationResult: Codable, Hashable, Sendable {
    /// What happens to a record that breaks the rule.
    package enum Action: String, Codable, Hashable, Sendable {
        /// It is kept, and reported.
        case warn
        /// It goes to the quarantine.
        case drop
        /// The batch is not committed.
        case fail
    }

    /// The rule, such as `session_line_gap`.
    package var name: String
    /// The rule in words.
    package var rule: String
    /// What happens to a record that breaks it.
    package var action: Action
    /// Things that were held against the rule.
    package var checked: Int
    /// Things that broke it.
    package var failed: Int
    /// The first of them, for people.
    package var samples: [String]

    /// Creates a result.
    package init(
        name: String,
        rule: String,
        action: Action,
        checked: Int,
        failed: Int,
        samples: [String]
    ) {
        self.name = name
        self.rule = rule
        self.action = action
        self.checked = checked
        self.failed = failed
        self.samples = samples
    }
}
