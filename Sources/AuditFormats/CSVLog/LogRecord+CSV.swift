import CByteScan

extension LogRecord {
    /// Checks what a strict split cannot see: that each of the first fields holds what PostgreSQL writes there.
    ///
    /// - Parameter isWhole: False for the part of a record that has been read so far; only complete fields are checked.
    /// - Returns: What is wrong, nil when nothing is.
    func csvFault(isWhole: Bool) -> (code: RecordFault.Code, detail: String)? {
        if fieldCount > 0 || !isWhole, let fault = timestampFault(isWhole: isWhole) { return fault }
        if isWhole, !LogField.isCSVCount(fieldCount) || fieldCount > LogField.knownCount {
            if let glued = gluedField() {
                return (.gluedRecords, "another record begins inside field \(glued + 1)")
            }
            if !LogField.isCSVCount(fieldCount) {
                return (.fieldCount, "\(fieldCount) fields; PostgreSQL writes 23, 24 or 26")
            }
        }
        return fieldValueFault()
    }

    private func timestampFault(isWhole: Bool) -> (code: RecordFault.Code, detail: String)? {
        let text = fieldCount > 0 ? stored(LogField.logTime) : bytes
        let begins = text.withMemoryRebound(to: UInt8.self) {
            bs_csvlog_starts($0.baseAddress, $0.count) != 0
        }
        // A zone has no blank: with one, another record's beginning was glued to this one's.
        let isZone = fieldCount == 0 || !text.dropFirst(24).contains(UInt8(ascii: " "))
        guard !begins || !isZone || (fieldCount > 0 && text.count < 24) else { return nil }
        return (.timestamp, "a record begins with YYYY-MM-DD HH:MM:SS.mmm and a time zone")
    }

    private func gluedField() -> Int? {
        for index in 1..<fieldCount where !isQuoted(index) {
            let text = stored(index)
            guard text.count >= 24 else { continue }
            for at in 0...(text.count - 24) {
                let rest = UnsafeRawBufferPointer(rebasing: text[at...])
                if rest.withMemoryRebound(to: UInt8.self, { bs_csvlog_starts($0.baseAddress, $0.count) != 0 })
                {
                    return index
                }
            }
        }
        return nil
    }

    private func fieldValueFault() -> (code: RecordFault.Code, detail: String)? {
        for index in 0..<min(fieldCount, LogField.sqlState + 1) {
            let text = stored(index)
            let isSound =
                switch index {
                case LogField.processID, LogField.sessionLineNumber, LogField.transactionID:
                    !isQuoted(index) && text.allSatisfy { $0 &- 0x30 <= 9 }
                case LogField.sessionID: !isQuoted(index) && text.allSatisfy(Self.isSessionIDByte)
                case LogField.virtualTransactionID:
                    !isQuoted(index) && text.allSatisfy(Self.isVirtualIDByte)
                case LogField.sqlState: !isQuoted(index) && text.count == 5
                case LogField.logTime, LogField.sessionStartTime, LogField.errorSeverity:
                    !isQuoted(index)
                default: text.isEmpty || isQuoted(index)
                }
            if !isSound {
                return (.fieldValue, "field \(index + 1) holds what PostgreSQL never writes there")
            }
        }
        return nil
    }

    static func isSessionIDByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || byte &- 0x61 <= 5 || byte == UInt8(ascii: ".")
    }

    static func isVirtualIDByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-")
    }
}
