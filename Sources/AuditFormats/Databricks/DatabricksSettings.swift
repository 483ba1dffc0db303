import CSimdJSON

/// A value of `requestParams` that says nothing.
package enum EmptyValue: String, Codable, Hashable, Sendable, CaseIterable {
    /// `null`
    case null
    /// `""`
    case emptyString
    /// `{}`
    case emptyObject
    /// `[]`
    case emptyArray

    var flag: UInt32 {
        switch self {
        case .null: UInt32(SJ_STRIP_NULL)
        case .emptyString: UInt32(SJ_STRIP_STRING)
        case .emptyObject: UInt32(SJ_STRIP_OBJECT)
        case .emptyArray: UInt32(SJ_STRIP_ARRAY)
        }
    }
}

/// What each event is expected to satisfy.
package enum EventRule: String, Codable, CodingKeyRepresentable, Hashable, Sendable, CaseIterable {
    /// `workspaceId` is a whole number, not negative. Not asked of the diagnostic form, which has none.
    case validWorkspaceID = "valid_workspace_id"
    /// The event has a time that could be read.
    case timestampNotNull = "timestamp_is_not_null"
    /// `serviceName` is there.
    case serviceNameNotNull = "service_name_is_not_null"
    /// `actionName` is there.
    case actionNameNotNull = "action_name_is_not_null"
}

/// What becomes of an event that breaks a rule.
package enum RuleAction: String, Codable, Hashable, Sendable, CaseIterable {
    /// It is counted.
    case warn
    /// It goes to the quarantine, not to silver and gold.
    case drop
    /// The batch fails.
    case fail
}

/// How audit events become rows.
package struct DatabricksDecoderSettings: Codable, Hashable, Sendable {
    /// Values of `requestParams` that are left out with their keys.
    package var strip: Set<EmptyValue> = [.null, .emptyString]
    /// What becomes of events that break a rule; a rule that is missing here is `warn`.
    package var actions: [EventRule: RuleAction] = [:]
    /// The longest line that is decoded, in bytes; a longer one goes to the quarantine.
    package var maxRecordBytes = 16 << 20
    /// The longest beginning of a line that may wait for its end, in bytes.
    ///
    /// It waits as long as it is no whole piece, too.
    package var maxPendingBytes = 128 << 20
    /// Rows of bronze are built.
    package var buildsBronze = true
    /// Rows of silver are built.
    package var buildsSilver = true
    /// Rows of gold are built.
    package var buildsGold = true

    /// Creates settings with the defaults above.
    package init() {}

    var stripFlags: UInt32 { strip.reduce(0) { $0 | $1.flag } }
}

/// What a row group belongs to.
package enum DatabricksTarget: Hashable, Sendable {
    /// Lines and records that are no events.
    case quarantine
    /// Every line.
    case bronze
    /// Events of a UTC day, in days since 1970-01-01.
    case silver(date: Int32)
    /// Events of one service, by its index in ``DatabricksDecoder/services``, of a UTC day.
    case gold(service: Int, date: Int32)
}
