import CByteScan
import Columnar
import Crypto
import SQLText

/// What a record is, as far as several columns depend on it.
struct RecordKind {
    /// A pgaudit record; its fields are in the decoder's `payload`.
    var isAudit = false
    /// An ERROR, FATAL or PANIC.
    var isFailure = false
    /// A client came, or tried to.
    var isConnection = false
    /// A client was turned away: the names in the record are no more than its claims.
    var isFailedLogin = false
    /// A client left.
    var isDisconnection = false
    /// Neither context nor query: the server's own words, not those of `RAISE`.
    var isBare = false

    /// Whether the record tells of an audited event rather than of the server's own work.
    var isEvent: Bool { isAudit || isFailure || isConnection || isDisconnection }
}

/// A record on its way into a row: valid UTF-8, secrets taken out.
struct CleanRecord {
    var fields: LogRecord
    /// The bytes were Latin-1.
    var isLatin1: Bool
    /// The record is over `maxRecordBytes`.
    var isLarge: Bool
    /// Where the stored record lies in its source.
    var range: ByteRange

    /// The length that derived texts are cut to, in bytes.
    var derivedTextLimit: Int { isLarge ? 64 << 10 : .max }
}

extension PostgresDecoder {
    /// Appends the row of one record.
    ///
    /// - Throws: `SettingsError` before anything was appended.
    mutating func appendRow(_ record: CleanRecord) throws {
        let fields = record.fields
        let time: Int64
        switch timestamp.read(fields.stored(LogField.logTime)) {
        case .time(let value): time = value
        case .impossible:
            let fault = RecordFault(code: .timestamp, detail: "no such date or time", range: record.range)
            quarantine.append(
                fault,
                raw: fields.bytes,
                isLatin1: record.isLatin1,
                source: sourceName,
                ingestTime: ingestTime
            )
            return
        case .zone(let abbreviation, .unknown) where isDamagedZone(fields):
            let detail = "the time zone \(abbreviation) is not known, nor that of the session's start"
            let fault = RecordFault(code: .timestamp, detail: detail, range: record.range)
            quarantine.append(
                fault,
                raw: fields.bytes,
                isLatin1: record.isLatin1,
                source: sourceName,
                ingestTime: ingestTime
            )
            return
        case .zone(let abbreviation, let meaning):
            throw SettingsError(offset: record.range.lowerBound, abbreviation: abbreviation, meaning: meaning)
        }
        let message = messageText(fields)
        let kind = classify(fields, message: message)
        let sql = statementText(fields, message: message, kind: kind)
        let reason = reasonToLeaveOut(fields, kind: kind, time: time)
        let finding = noteSession(fields, kind: kind, sql: sql, time: time, isRow: reason == nil)
        // What decides about other rows is a row, also where only audit events are kept and whoever sent it.
        if let reason, reason == .start || !sessions.hasAmends { return leftOut.add(reason) }
        rows.eventTime.append(time)
        rows.ingestTime.append(ingestTime)
        Self.append(plainText(fields, LogField.databaseName), to: &rows.databaseName)
        Self.append(plainText(fields, LogField.userName), to: &rows.userName)
        Self.append(host(of: fields), to: &rows.clientAddress)
        Self.append(fields.stored(LogField.sessionID), to: &rows.sessionID)
        appendObject(kind)
        let normalized = normalize(sql)
        appendStatement(normalized?.text ?? sql, limit: record.derivedTextLimit)
        appendCommandTag(fields, kind: kind, normalized: normalized)
        appendOutcome(fields, kind: kind)
        appendExtra(record, message: message, kind: kind)
        appendShape(kind, normalized: normalized)
        appendOrigin(record)
        appendFinding(finding, fields, kind: kind)
        rows.extra.closeMap()
        rows.source.append(entry: roleEntry())
        rows.raw.append(fields.bytes)
        totals.rowCount += 1
    }

    /// Whether an unknown zone of the record's time is damage, which no setting can mend.
    ///
    /// A server writes both times of a record, in one zone: when the other's is known, or is not there, this one is damaged.
    private func isDamagedZone(_ record: LogRecord) -> Bool {
        let text = record.stored(LogField.sessionStartTime)
        let zoneStart = "YYYY-MM-DD HH:MM:SS ".utf8.count
        guard text.count > zoneStart else { return true }
        let abbreviation = String(decoding: text[zoneStart...], as: UTF8.self)
        if case .offset = settings.zone.meaning(of: abbreviation, localSeconds: 0) { return true }
        return false
    }

    // MARK: Columns

    @inline(__always)
    private static func append(_ text: UnsafeRawBufferPointer, to column: inout DictionaryBuilder) {
        if text.isEmpty { column.appendNull() } else { column.append(text) }
    }

    private mutating func messageText(_ record: LogRecord) -> UnsafeRawBufferPointer {
        let stored = record.stored(LogField.message)
        guard record.isEscaped(LogField.message) else { return stored }
        scratch.message.removeAll()
        scratch.message.append(stored, undoing: record.escape(LogField.message))
        return scratch.message.bytes
    }

    /// A short field without its quoting; valid until the next call.
    @inline(__always)
    mutating func plainText(_ record: LogRecord, _ index: Int) -> UnsafeRawBufferPointer {
        let stored = record.stored(index)
        guard record.isEscaped(index) else { return stored }
        scratch.name.removeAll()
        scratch.name.append(stored, undoing: record.escape(index))
        return scratch.name.bytes
    }

    private mutating func classify(_ record: LogRecord, message: UnsafeRawBufferPointer) -> RecordKind {
        var kind = RecordKind()
        let state = record.stored(LogField.sqlState)
        let isErrorState = state.count == 5 && !(state[0] == 0x30 && state[1] &- 0x30 <= 3)
        kind.isFailure = isErrorState && !Severity.isHarmless(record.stored(LogField.errorSeverity))
        // RAISE LOG can forge the message but not hide its context; pgaudit hides its own.
        let isBare = record.stored(LogField.context).isEmpty && record.stored(LogField.query).isEmpty
        kind.isAudit = payload.parse(message) && isBare && !kind.isFailure
        kind.isBare = isBare
        if kind.isAudit { return kind }
        let tag = record.stored(LogField.commandTag)
        let isLogin = tag.elementsEqual("authentication".utf8) || tag.elementsEqual("startup".utf8)
        kind.isFailedLogin = kind.isFailure && isLogin
        kind.isConnection = isBare && LogMessage.isConnection(message) || kind.isFailedLogin
        kind.isDisconnection = isBare && LogMessage.isDisconnection(message)
        return kind
    }

    /// The client's host: csvlog has the port after the last colon, jsonlog elsewhere; empty for a local socket.
    private mutating func host(of record: LogRecord) -> UnsafeRawBufferPointer {
        let connection = plainText(record, LogField.connectionFrom)
        if connection.elementsEqual("[local]".utf8) { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard !record.isJSON, let colon = connection.lastIndex(of: UInt8(ascii: ":")) else {
            return connection
        }
        return UnsafeRawBufferPointer(rebasing: connection[..<colon])
    }

    private mutating func appendObject(_ kind: RecordKind) {
        guard kind.isAudit else {
            rows.objectType.appendNull()
            rows.objectName.appendNull()
            rows.auditClass.appendNull()
            return
        }
        Self.append(payload.stored(PgAuditPayload.objectType), to: &rows.objectType)
        let auditClass = payload.stored(PgAuditPayload.auditClass)
        if auditClass.elementsEqual("MISC_SET".utf8) {
            Self.append("MISC", to: &rows.auditClass)
        } else {
            Self.append(auditClass, to: &rows.auditClass)
        }
        let name = payload.stored(PgAuditPayload.objectName)
        if payload.isEscaped(PgAuditPayload.objectName) {
            scratch.name.removeAll()
            scratch.name.append(name, undoing: BS_ESCAPE_DOUBLED)
            Self.append(scratch.name.bytes, to: &rows.objectName)
        } else {
            Self.append(name, to: &rows.objectName)
        }
    }

    /// The SQL of a record; empty when it has none.
    private mutating func statementText(
        _ record: LogRecord,
        message: UnsafeRawBufferPointer,
        kind: RecordKind
    ) -> UnsafeRawBufferPointer {
        if kind.isAudit {
            let stored = payload.stored(PgAuditPayload.statement)
            if stored.elementsEqual("<not logged>".utf8) || stored.elementsEqual("<previously logged>".utf8) {
                return UnsafeRawBufferPointer(start: nil, count: 0)
            }
            guard payload.isEscaped(PgAuditPayload.statement) else { return stored }
            scratch.statement.removeAll()
            scratch.statement.append(stored, undoing: BS_ESCAPE_DOUBLED)
            return scratch.statement.bytes
        }
        let query = record.stored(LogField.query)
        if !query.isEmpty {
            guard record.isEscaped(LogField.query) else { return query }
            scratch.statement.removeAll()
            scratch.statement.append(query, undoing: record.escape(LogField.query))
            return scratch.statement.bytes
        }
        guard kind.isBare, let start = LogMessage.statementStart(message) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: message[start...])
    }

    /// A statement without its literals; the text is valid until the next record.
    struct NormalizedStatement {
        var text: UnsafeRawBufferPointer
        var fingerprint: UInt64
    }

    /// Takes the literals out of a statement; nil when there is none or it is kept verbatim.
    private mutating func normalize(_ sql: UnsafeRawBufferPointer) -> NormalizedStatement? {
        guard !sql.isEmpty, settings.normalizesStatements else { return nil }
        if let fingerprint = fingerprintBeforeRedaction {
            return NormalizedStatement(text: scratch.normalized.bytes, fingerprint: fingerprint)
        }
        // What is cut off later need not be normalized: a number becomes up to ten times as long.
        let normalized = normalizer.normalize(sql.clipped(to: max(settings.maxRecordBytes, 1 << 20)))
        return NormalizedStatement(text: normalized.text, fingerprint: normalized.fingerprint)
    }

    /// Normalizes the SQL of a record that still has its secrets into `scratch.normalized`.
    ///
    /// - Returns: Its fingerprint, nil when there is no SQL or it is kept verbatim.
    mutating func normalizeStatement(of record: LogRecord) -> UInt64? {
        let message = messageText(record)
        let sql = statementText(record, message: message, kind: classify(record, message: message))
        guard let normalized = normalize(sql) else { return nil }
        scratch.normalized.removeAll()
        scratch.normalized.append(normalized.text)
        return normalized.fingerprint
    }

    private mutating func appendStatement(_ text: UnsafeRawBufferPointer, limit: Int) {
        if text.isEmpty {
            rows.statement.appendNull()
        } else {
            rows.statement.append(text.clipped(to: limit))
        }
    }

    private mutating func appendCommandTag(
        _ record: LogRecord,
        kind: RecordKind,
        normalized: NormalizedStatement?
    ) {
        if kind.isAudit {
            let command = payload.stored(PgAuditPayload.command)
            guard command.elementsEqual("???".utf8) else { return Self.append(command, to: &rows.commandTag) }
            if let tag = normalized.flatMap({ shape(of: $0) })?.command {
                return Self.append(tag, to: &rows.commandTag)
            }
            return appendLogTag(record)
        }
        if kind.isConnection { return Self.append("CONNECT", to: &rows.commandTag) }
        if kind.isDisconnection { return Self.append("DISCONNECT", to: &rows.commandTag) }
        appendLogTag(record)
    }

    private mutating func appendLogTag(_ record: LogRecord) {
        if let command = LogMessage.command(in: record.stored(LogField.commandTag)) {
            rows.commandTag.append(command)
        } else {
            rows.commandTag.appendNull()
        }
    }

    /// What libpg_query says of a statement without literals; nil when it is no statement.
    ///
    /// The normalized text is parsed, not the one that came first, so that the answer is the same in every run.
    mutating func shape(of statement: NormalizedStatement) -> StatementShape? {
        shapes.shape(of: statement.text, fingerprint: statement.fingerprint)
    }

    private mutating func appendOutcome(_ record: LogRecord, kind: RecordKind) {
        if kind.isFailure {
            Self.append("FAILURE", to: &rows.result)
        } else if kind.isEvent {
            Self.append("SUCCESS", to: &rows.result)
        } else {
            rows.result.appendNull()
        }
        let state = record.stored(LogField.sqlState)
        if state.elementsEqual("00000".utf8) {
            rows.errorCode.appendNull()
        } else {
            Self.append(state, to: &rows.errorCode)
        }
    }

    private static func append(_ text: String, to column: inout DictionaryBuilder) {
        text.withRawBytes { append($0, to: &column) }
    }
}

extension String {
    /// Calls `body` with the UTF-8 bytes of the text.
    func withRawBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = self
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}

extension UnsafeRawBufferPointer {
    /// At most `limit` bytes from the start, cut between scalars of UTF-8.
    @inline(__always)
    func clipped(to limit: Int) -> UnsafeRawBufferPointer {
        guard count > limit else { return self }
        var end = limit
        while end > 0, self[end] & 0xC0 == 0x80 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[..<end])
    }
}
