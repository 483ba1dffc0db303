import CSimdJSON

extension DatabricksDecoder {
    /// Asks all rules of the event that was parsed last.
    ///
    /// - Returns: The first broken rule that sends the event to the quarantine.
    mutating func brokenRule(_ time: EventTime?, _ record: Record) -> EventRule? {
        let workspace = found.fields[SJ_FIELD_WORKSPACE_ID].textUnlessNull
        var dropped: EventRule?
        if workspace != nil || found.is_diagnostic == 0 {
            let isKept = workspace.map { (Int64(wholeNumber: $0) ?? -1) >= 0 } ?? false
            check(.validWorkspaceID, isKept, record, &dropped)
        }
        check(.timestampNotNull, time != nil, record, &dropped)
        let hasService = found.fields[SJ_FIELD_SERVICE_NAME].textUnlessNull != nil
        check(.serviceNameNotNull, hasService, record, &dropped)
        let hasAction = found.fields[SJ_FIELD_ACTION_NAME].textUnlessNull != nil
        check(.actionNameNotNull, hasAction, record, &dropped)
        return dropped
    }

    @inline(__always)
    private mutating func check(_ rule: EventRule, _ isKept: Bool, _ record: Record, _ dropped: inout EventRule?) {
        totals.rules[rule.order].checkedCount &+= 1
        if !isKept, note(rule, record), dropped == nil { dropped = rule }
    }

    /// Counts a broken rule; returns whether it sends the event to the quarantine.
    private mutating func note(_ rule: EventRule, _ record: Record) -> Bool {
        let index = rule.order
        totals.rules[index].failedCount += 1
        if totals.rules[index].samples.count < RuleTotals.maxSampleCount {
            totals.rules[index].samples.append("\(sourceName):\(record.range.lowerBound)")
        }
        let action = settings.actions[rule] ?? .warn
        if action == .fail, failure == nil {
            failure = RuleFailure(rule: rule, source: sourceName, offset: record.range.lowerBound)
        }
        return action == .drop
    }
}

extension EventRule {
    /// Its index in `allCases`.
    @inline(__always)
    var order: Int {
        switch self {
        case .validWorkspaceID: 0
        case .timestampNotNull: 1
        case .serviceNameNotNull: 2
        case .actionNameNotNull: 3
        }
    }

    /// The reason that the quarantine gives.
    var faultCode: RecordFault.Code {
        switch self {
        case .validWorkspaceID: .ruleValidWorkspaceID
        case .timestampNotNull: .ruleTimestampNotNull
        case .serviceNameNotNull: .ruleServiceNameNotNull
        case .actionNameNotNull: .ruleActionNameNotNull
        }
    }
}
