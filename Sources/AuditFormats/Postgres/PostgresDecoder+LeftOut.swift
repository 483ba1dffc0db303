extension PostgresDecoder {
    /// Why the settings leave a record out; nil when they do not.
    @inline(__always)
    mutating func reasonToLeaveOut(_ record: LogRecord, kind: RecordKind, time: Int64) -> LeftOut.Reason? {
        if let start = settings.startTime, time < start { return .start }
        if settings.excludesNames, isExcluded(record, kind: kind) { return .exclude }
        return settings.keepsAuditEventsOnly && !kind.isEvent ? .keep : nil
    }

    /// Whether the record is of an excluded role or application.
    ///
    /// One who was turned away has claimed a name and no more.
    private mutating func isExcluded(_ record: LogRecord, kind: RecordKind) -> Bool {
        guard !kind.isFailedLogin else { return false }
        return isNamed(in: settings.excludedRoles, record, LogField.userName)
            || isNamed(in: settings.excludedApplications, record, LogField.applicationName)
    }

    private mutating func isNamed(in names: [String], _ record: LogRecord, _ index: Int) -> Bool {
        guard !names.isEmpty else { return false }
        let text = plainText(record, index)
        return !text.isEmpty && names.contains { $0.utf8.count == text.count && text.elementsEqual($0.utf8) }
    }
}
