import CSimdJSON

extension DatabricksDecoder {
    /// Asks all rules of the event that was parsed last.
    ///
    /// - Returns: The first broken rule that sends the event to the quarantine.
    mutating func brokenRule(_ time: EventTime?, _ record: Record) -> EventRule? {
        var dropped: EventRule?
        let hasWorkspace = found.fields[SJ_FIELD_WORKSPACE_ID].isPresent
        for (index, rule) in EventRule.allCases.enumerated() {
            let isKept: Bool
            switch rule {
            case .validWorkspaceID:
                if !hasWorkspace, found.is_diagnostic != 0 { continue }
                isKept =
                    hasWorkspace && (Int64(wholeNumber: found.fields[SJ_FIELD_WORKSPACE_ID].text) ?? -1) >= 0
            case .timestampNotNull: isKept = time != nil
            case .serviceNameNotNull: isKept = found.fields[SJ_FIELD_SERVICE_NAME].textUnlessNull != nil
            case .actionNameNotNull: isKept = found.fields[SJ_FIELD_ACTION_NAME].textUnlessNull != nil
            }
            totals.rules[index].checkedCount += 1
            if !isKept, note(rule, index, record), dropped == nil { dropped = rule }
        }
        return dropped
    }

    /// Counts a broken rule; returns whether it sends the event to the quarantine.
    private mutating func note(_ rule: EventRule, _ index: Int, _ record: Record) -> Bool {
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
