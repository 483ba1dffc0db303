import CByteScan

extension LogRecord {
    /// Checks that the fields of a jsonlog record hold what PostgreSQL writes there.
    ///
    /// - Returns: What is wrong, nil when nothing is.
    func jsonFault() -> (code: RecordFault.Code, detail: String)? {
        let time = stored(LogField.logTime)
        let begins = time.withMemoryRebound(to: UInt8.self) {
            bs_csvlog_starts($0.baseAddress, $0.count) != 0
        }
        // A zone has no blank: with one, another record's beginning was glued to this one's.
        guard begins, time.count > 24, !time.dropFirst(24).contains(UInt8(ascii: " ")),
            !isEscaped(LogField.logTime)
        else {
            return (.timestamp, "`timestamp` is not YYYY-MM-DD HH:MM:SS.mmm and a time zone")
        }
        // Without them two torn records were joined into what reads like one.
        for (index, key) in Self.requiredKeys where stored(index).isEmpty {
            return (.fieldValue, "`\(key)` is missing; PostgreSQL always writes it")
        }
        for (index, key) in Self.checkedKeys where !stored(index).isEmpty && !isSound(index) {
            return (.fieldValue, "`\(key)` holds what PostgreSQL never writes there")
        }
        return nil
    }

    private static let requiredKeys = [
        (LogField.sessionID, "session_id"), (LogField.sessionLineNumber, "line_num"),
        (LogField.errorSeverity, "error_severity"),
    ]

    private static let checkedKeys = [
        (LogField.processID, "pid"), (LogField.sessionID, "session_id"),
        (LogField.sessionLineNumber, "line_num"), (LogField.virtualTransactionID, "vxid"),
        (LogField.transactionID, "txid"), (LogField.errorSeverity, "error_severity"),
        (LogField.sqlState, "state_code"),
    ]

    private func isSound(_ index: Int) -> Bool {
        let text = stored(index)
        switch index {
        case LogField.sessionID: return text.allSatisfy(Self.isSessionIDByte)
        case LogField.virtualTransactionID: return isEscaped(index) || text.allSatisfy(Self.isVirtualIDByte)
        case LogField.errorSeverity: return !isEscaped(index)
        case LogField.sqlState: return text.count == 5 && !isEscaped(index)
        default: return text[0] != UInt8(ascii: "-")
        }
    }
}
