import CByteScan

/// One csvlog record: its bytes and where its fields lie.
///
/// Valid while the bytes are.
@frozen
package struct CSVLogRecord {
    /// The record without its line end.
    package var bytes: UnsafeRawBufferPointer
    @usableFromInline var fields: UnsafePointer<bs_csv_field>
    /// The number of fields.
    package var fieldCount: Int

    /// The field as it stands between its quotes, doubled quotes still doubled; empty when the record has no such field.
    @inlinable @inline(__always)
    func stored(_ index: Int) -> UnsafeRawBufferPointer {
        guard index < fieldCount else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let field = fields[index]
        return UnsafeRawBufferPointer(rebasing: bytes[Int(field.start)..<Int(field.end)])
    }

    /// Whether the field holds doubled quotes.
    @inlinable @inline(__always)
    func hasDoubledQuotes(_ index: Int) -> Bool { index < fieldCount && fields[index].doubled != 0 }

    /// Whether the field stood in quotes.
    @inlinable @inline(__always)
    func isQuoted(_ index: Int) -> Bool { fields[index].quoted != 0 }

    /// Offset of the field's text from the record's first byte.
    @inlinable @inline(__always)
    func start(of index: Int) -> Int { Int(fields[index].start) }
}

extension CSVLogRecord {
    /// Checks what a strict split cannot see: that each of the first fields holds what PostgreSQL writes there.
    ///
    /// - Parameter isWhole: False for the part of a record that has been read so far; only complete fields are checked.
    /// - Returns: What is wrong, nil when nothing is.
    func fault(isWhole: Bool) -> (code: RecordFault.Code, detail: String)? {
        if fieldCount > 0 || !isWhole, let fault = timestampFault(isWhole: isWhole) { return fault }
        if isWhole, !CSVLogField.isKnown(count: fieldCount) || fieldCount > CSVLogField.knownCount {
            if let glued = gluedField() {
                return (.gluedRecords, "another record begins inside field \(glued + 1)")
            }
            if !CSVLogField.isKnown(count: fieldCount) {
                return (.fieldCount, "\(fieldCount) fields; PostgreSQL writes 23, 24 or 26")
            }
        }
        return fieldValueFault()
    }

    private func timestampFault(isWhole: Bool) -> (code: RecordFault.Code, detail: String)? {
        let text = fieldCount > 0 ? stored(CSVLogField.logTime) : bytes
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
        for index in 0..<min(fieldCount, CSVLogField.sqlState + 1) {
            let text = stored(index)
            let isSound =
                switch index {
                case CSVLogField.processID, CSVLogField.sessionLineNumber, CSVLogField.transactionID:
                    !isQuoted(index) && text.allSatisfy { $0 &- 0x30 <= 9 }
                case CSVLogField.sessionID: !isQuoted(index) && text.allSatisfy(Self.isSessionIDByte)
                case CSVLogField.virtualTransactionID:
                    !isQuoted(index) && text.allSatisfy(Self.isVirtualIDByte)
                case CSVLogField.sqlState: !isQuoted(index) && text.count == 5
                case CSVLogField.logTime, CSVLogField.sessionStartTime, CSVLogField.errorSeverity:
                    !isQuoted(index)
                default: text.isEmpty || isQuoted(index)
                }
            if !isSound {
                return (.fieldValue, "field \(index + 1) holds what PostgreSQL never writes there")
            }
        }
        return nil
    }

    private static func isSessionIDByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || byte &- 0x61 <= 5 || byte == UInt8(ascii: ".")
    }

    private static func isVirtualIDByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-")
    }
}
