import CByteScan
import Columnar
import Crypto
import SQLText

extension PostgresDecoder {
    /// Appends the pairs of column `extra` that are copies of log fields.
    mutating func appendExtra(_ record: CleanRecord, message: UnsafeRawBufferPointer, kind: RecordKind) {
        let keys = rows.keys
        let fields = record.fields
        let limit = record.derivedTextLimit
        settings.node.withRawBytes { rows.extra.append(entry: keys.node, $0) }
        (fields.isJSON ? "json" : "csv").withRawBytes { rows.extra.append(entry: keys.logFormat, $0) }
        if kind.isAudit {
            appendPair(keys.auditType, payload.stored(PgAuditPayload.type), limit: limit)
            appendPair(keys.statementID, payload.stored(PgAuditPayload.statementID), limit: limit)
            appendPair(keys.substatementID, payload.stored(PgAuditPayload.substatementID), limit: limit)
            let parameter = payload.stored(PgAuditPayload.parameter)
            appendPair(
                keys.parameter,
                parameter,
                undoing: payload.escape(PgAuditPayload.parameter),
                limit: limit
            )
            appendPair(keys.rows, payload.stored(PgAuditPayload.rows), limit: limit)
        } else {
            appendPair(keys.message, message, limit: limit)
        }
        appendField(keys.detail, fields, LogField.detail, limit: limit)
        appendField(keys.hint, fields, LogField.hint, limit: limit)
        appendField(keys.context, fields, LogField.context, limit: limit)
        appendField(keys.applicationName, fields, LogField.applicationName, limit: limit)
        appendField(keys.backendType, fields, LogField.backendType, limit: limit)
        appendPair(keys.processID, fields.stored(LogField.processID), limit: limit)
        appendPair(keys.sessionLineNumber, fields.stored(LogField.sessionLineNumber), limit: limit)
        appendPair(keys.severity, fields.stored(LogField.errorSeverity), limit: limit)
        appendField(keys.virtualTransactionID, fields, LogField.virtualTransactionID, limit: limit)
        appendNumber(keys.transactionID, fields.stored(LogField.transactionID))
        appendNumber(keys.queryID, fields.stored(LogField.queryID))
        appendUnknownFields(fields, limit: limit)
    }

    @inline(__always)
    private mutating func appendField(_ key: Int32, _ record: LogRecord, _ index: Int, limit: Int) {
        appendPair(key, record.stored(index), undoing: record.escape(index), limit: limit)
    }

    @inline(__always)
    private mutating func appendPair(
        _ key: Int32,
        _ stored: UnsafeRawBufferPointer,
        undoing escape: bs_escape = BS_ESCAPE_NONE,
        limit: Int
    ) {
        guard !stored.isEmpty else { return }
        guard escape != BS_ESCAPE_NONE else {
            return rows.extra.append(entry: key, stored.clipped(to: limit))
        }
        let bytes = stored.bindMemory(to: UInt8.self)
        rows.extra.append(entry: key, atMost: bytes.count) { target in
            let written = bs_unescape(
                bytes.baseAddress,
                bytes.count,
                escape,
                target.assumingMemoryBound(to: UInt8.self)
            )
            return UnsafeRawBufferPointer(start: target, count: written).clipped(to: limit).count
        }
    }

    /// Appends a number unless it is 0, which PostgreSQL writes for "none".
    @inline(__always)
    private mutating func appendNumber(_ key: Int32, _ stored: UnsafeRawBufferPointer) {
        guard !stored.isEmpty, !(stored.count == 1 && stored[0] == UInt8(ascii: "0")) else { return }
        rows.extra.append(entry: key, stored)
    }

    /// Keeps columns and keys that a later PostgreSQL added: `csv_27` and so on, `json_<key>`.
    private mutating func appendUnknownFields(_ record: LogRecord, limit: Int) {
        guard record.fieldCount > LogField.knownCount else { return }
        for index in LogField.knownCount..<record.fieldCount {
            scratch.name.removeAll()
            if let name = record.name(of: index) {
                "json_".withRawBytes { scratch.name.append($0) }
                scratch.name.append(name.stored, undoing: name.escape)
            } else {
                "csv_\(index + 1)".withRawBytes { scratch.name.append($0) }
            }
            appendField(rows.extra.entry(of: scratch.name.bytes), record, index, limit: limit)
        }
    }

    /// Appends the fingerprint, and what the SQL of a failed statement would have done.
    mutating func appendShape(_ kind: RecordKind, normalized: NormalizedStatement?) {
        guard let normalized else { return }
        let fingerprint = normalized.fingerprint
        rows.extra.append(entry: rows.keys.fingerprint, atMost: 16) { target in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: fingerprint &>> UInt64(60 - index * 4)) & 15
                target.storeBytes(
                    of: digit < 10 ? 0x30 + digit : 0x57 + digit,
                    toByteOffset: index,
                    as: UInt8.self
                )
            }
            return 16
        }
        guard kind.isFailure, let shape = shape(of: normalized) else { return }
        appendPair(rows.keys.parsedClass, shape.auditClass.rawValue)
        appendPair(rows.keys.parsedObjectType, shape.objectType)
        appendPair(rows.keys.parsedObjectName, shape.objectName)
    }

    private mutating func appendPair(_ key: Int32, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        text.withRawBytes { rows.extra.append(entry: key, $0) }
    }

    /// Notes what was done to the record's bytes.
    mutating func appendOrigin(_ record: CleanRecord) {
        if record.isLatin1 { appendPair(rows.keys.rawEncoding, "latin1") }
        if record.isLarge {
            let digest = SHA256.hash(data: record.fields.bytes)
            appendPair(
                rows.keys.truncated,
                digest.map { byte in String(byte, radix: 16).leftPadded }.joined()
            )
        }
    }

    /// The entry of column `src` in the present row group.
    @inline(__always)
    mutating func roleEntry() -> Int32 { settings.role.withRawBytes { rows.source.entry(of: $0) } }
}

extension String {
    fileprivate var leftPadded: String { count < 2 ? "0" + self : self }
}
