/// A pipeline that reads Databricks audit events into a bronze, a silver and one gold table per service.
package struct DatabricksPipelineConfiguration: Hashable, Sendable {
    /// A value without content, with which a key of `requestParams` can be left out.
    package enum EmptyValue: String, CaseIterable, Sendable {
        /// `null`.
        case null
        /// `""`.
        case emptyString
        /// `{}`.
        case emptyObject
        /// `[]`.
        case emptyArray
    }

    /// What is expected of the events and of the tables.
    package enum Rule: String, CaseIterable, Sendable {
        /// `workspaceId` is a number of zero or more.
        case validWorkspaceID = "valid_workspace_id"
        /// The event says when it happened.
        case timestampNotNull = "timestamp_is_not_null"
        /// The event names its service.
        case serviceNameNotNull = "service_name_is_not_null"
        /// The event names its action.
        case actionNameNotNull = "action_name_is_not_null"
        /// Every record of bronze is in silver or in the quarantine.
        case noRowsDropped = "no_rows_dropped"
        /// The gold tables together have the rows of silver.
        case goldMatchesSilver = "gold_matches_silver"

        /// Whether the rule is about one event, which can be dropped, and not about the tables of a batch.
        package var concernsEvents: Bool { self != .noRowsDropped && self != .goldMatchesSilver }
    }

    /// What happens when a rule is broken.
    package enum RuleAction: String, CaseIterable, Sendable {
        /// It is counted and reported.
        case warn
        /// The event goes to the quarantine instead of silver and gold.
        case drop
        /// The pipeline stops before the batch is committed.
        case fail
    }

    /// The pipeline's name, unique in the file without regard to letter case.
    package var name: String
    /// The files of events.
    package var source: ObjectSourceConfiguration
    /// The schema of the tables `bronze` and `silver`.
    package var schema: Setting<String>
    /// Keys of `requestParams` with these values are left out.
    package var strip: Set<EmptyValue>
    /// What happens when a rule is broken, for every rule.
    package var expectations: [Rule: RuleAction]
    /// What happens when planned bytes have vanished.
    package var onDataLoss: DataLossPolicy
    /// The longest time from a file that was found to its rows in the tables, while following.
    package var commitEvery: Duration
    /// Longest line that is decoded, in bytes; a longer one goes to the quarantine.
    package var maxRecordByteCount: Int
    /// Where the rows of the main table go besides the lake; nil for nowhere.
    package var load: LoadConfiguration?
    /// Largest commit unit, in bytes of input.
    package var batchByteCount: Int
    /// Longest beginning of a line that waits for its end, in bytes.
    package var maxPendingByteCount: Int

    /// The schema of the gold tables.
    package var goldSchema: Setting<String> { schema.map { "\($0)_gold" } }
}
