extension PostgresDecoder {
    /// Whether the settings leave a record out; counts it when they do.
    @inline(__always)
    mutating func leavesOut(_ record: LogRecord, kind: RecordKind, time: Int64) -> Bool {
        if let start = settings.startTime, time < start {
            leftOut.start += 1
        } else if settings.excludesNames, isExcluded(record, kind: kind) {
            leftOut.exclude += 1
        } else if settings.keepsAuditEventsOnly, !kind.isEvent {
            leftOut.keep += 1
        } else {
            return false
        }
        return true
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
