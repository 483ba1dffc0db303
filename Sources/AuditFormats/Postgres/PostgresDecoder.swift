import CByteScan
import Columnar
import PostgresSessions
import SQLText

/// How the records of one PostgreSQL source become rows.
package struct PostgresDecoderSettings: Hashable, Sendable {
    /// The value of column `src`.
    package var role: String
    /// Which server the records come from.
    package var node: String
    /// What abbreviations of `log_timezone` mean.
    package var zone = LogTimeZone()
    /// Literals of `statement` become `$n`; otherwise the text is kept as it is.
    package var normalizesStatements = true
    /// Secrets become `***`.
    package var redactsSecrets = true
    /// Only audit events, errors and connections become rows; the rest is counted.
    package var keepsAuditEventsOnly = false
    /// Records of these users are left out, other than failed logins.
    package var excludedRoles: [String] = []
    /// Records of clients that call themselves so are left out, other than failed logins.
    package var excludedApplications: [String] = []
    /// Records of an earlier `log_time` are left out: microseconds since 1970-01-01 UTC.
    package var startTime: Int64?
    /// Above this length, in bytes, a record's derived texts are cut and it gets a row group of its own.
    package var maxRecordBytes = 1 << 20
    /// The longest beginning of a record that may wait for its end, in bytes.
    package var maxPendingBytes = 128 << 20
    /// The stack of the thread that decodes, in bytes: limits what libpg_query is given.
    package var stackBytes = 8 << 20

    /// Whether any name is excluded.
    @inline(__always)
    var excludesNames: Bool { !excludedRoles.isEmpty || !excludedApplications.isEmpty }

    /// Creates settings with the defaults above.
    package init(role: String, node: String) {
        self.role = role
        self.node = node
    }
}

/// Turns the bytes of log files of either format into rows and quarantined faults.
///
/// Used from one thread at a time. Everything it gives is a function of the bytes, the settings and the ingest time.
package struct PostgresDecoder: ~Copyable {
    let settings: PostgresDecoderSettings
    var splitter = LogSplitter()
    /// The fields of a record that was transcoded or redacted, and the names of those that no PostgreSQL knows.
    private let rewrittenFields: UnsafeMutablePointer<bs_field>
    private let rewrittenNames: UnsafeMutablePointer<bs_field>
    var timestamp: LogTimestamp
    var payload = PgAuditPayload()
    var normalizer = SQLNormalizer()
    var scanner = SecretScanner()
    var shapes: StatementShapes
    var scratch = Scratch()
    /// Fingerprint of the present record's SQL when secrets were taken out of it; the text is in `scratch.normalized`.
    ///
    /// Secret numbers stand in it as numbers: a literal is a literal, secret or not.
    var fingerprintBeforeRedaction: UInt64?
    var sourceName = ""
    /// What the records seen so far mean together; to be set before the first record.
    package var sessions = SessionStates()
    /// The open row group.
    package internal(set) var rows = PostgresRows()
    /// The open row group of the quarantine table.
    package var quarantine = QuarantineRows()
    /// Records left out since the decoder was created.
    package internal(set) var leftOut = LeftOut()
    /// What the decoder has made since it was created.
    package struct Totals: Hashable, Sendable {
        /// Rows of the table.
        package var rowCount = 0
    }

    /// What the decoder has made since it was created.
    package internal(set) var totals = Totals()
    /// Microseconds since 1970-01-01 UTC: column `ingest_ts` of the rows to come.
    package var ingestTime: Int64 = 0
    /// Bytes that the open row groups may hold before `decode` asks for a flush.
    package var rowGroupByteCount = 48 << 20

    /// Texts that live while one record is decoded.
    struct Scratch: ~Copyable {
        var record = ByteBuffer()
        var redacted = ByteBuffer()
        var message = ByteBuffer()
        var statement = ByteBuffer()
        var normalized = ByteBuffer()
        var name = ByteBuffer()
    }

    /// Creates a decoder.
    package init(settings: PostgresDecoderSettings) {
        self.settings = settings
        timestamp = LogTimestamp(zone: settings.zone)
        shapes = StatementShapes(stackBytes: settings.stackBytes)
        rewrittenFields = .allocate(capacity: LogField.capacity)
        rewrittenNames = .allocate(capacity: LogField.capacity)
    }

    deinit {
        rewrittenFields.deallocate()
        rewrittenNames.deallocate()
    }

    /// Why `decode` came back.
    package enum Stop: Equatable, Sendable {
        /// The rest of the bytes begins a record whose end has not been read.
        case needsMoreInput
        /// The open row groups are full: take them before the next call.
        case rowGroupFull
    }

    /// A log that cannot be read with the present settings: it ends the batch.
    package struct SettingsError: Error, Equatable, Sendable {
        /// Offset of the record in its source.
        package var offset: UInt64
        /// The abbreviation at the end of the timestamp.
        package var abbreviation: String
        /// Whether several zones use it, or none that is known.
        package var meaning: LogTimeZone.Meaning
    }

    /// Decodes records from the start of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: Input, starting at a record border.
    ///   - baseOffset: Offset of `bytes` in its source.
    ///   - source: Name of the source, for the quarantine.
    ///   - format: What the source holds; the same for all of its bytes.
    ///   - isEnd: Nothing will ever follow: what is no whole record goes to the quarantine.
    /// - Returns: Bytes that are done with, and why the rest is not.
    /// - Throws: `SettingsError`; the rows before it are kept.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        baseOffset: UInt64,
        source: String,
        format: LogFormat = .csvlog,
        isEnd: Bool = false
    ) throws -> (consumed: Int, stop: Stop) {
        sourceName = source
        var at = 0
        while true {
            if rows.byteCount + quarantine.byteCount >= rowGroupByteCount { return (at, .rowGroupFull) }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            switch splitter.step(rest, format: format, isEnd: isEnd) {
            case .record(let byteCount):
                let isLarge = byteCount > settings.maxRecordBytes
                if isLarge, rows.count > 0 { return (at, .rowGroupFull) }
                try append(splitter.record(format), at: baseOffset + UInt64(at))
                at += byteCount
                if isLarge {
                    scratch = Scratch()
                    splitter.releaseCopies()
                    return (at, .rowGroupFull)
                }
            case .envelope(let byteCount):
                let line = UnsafeRawBufferPointer(rebasing: rest[..<byteCount])
                try appendEvents(of: line, at: baseOffset + UInt64(at))
                at += byteCount
            case .blank(let byteCount):
                at += byteCount
            case .fault(var byteCount, let code, let detail):
                if byteCount == rest.count, !isEnd {
                    byteCount = LogSplitter.settledByteCount(
                        of: rest,
                        maxRecordBytes: settings.maxRecordBytes
                    )
                    guard byteCount > 0 else { return (at, .needsMoreInput) }
                }
                let lower = baseOffset + UInt64(at)
                let range = ByteRange(lower, lower + UInt64(byteCount))
                let raw = UnsafeRawBufferPointer(rebasing: rest[..<byteCount])
                appendFault(RecordFault(code: code, detail: detail, range: range), raw: raw)
                at += byteCount
            case .incomplete:
                guard !rest.isEmpty, isEnd || rest.count > settings.maxPendingBytes else {
                    return (at, .needsMoreInput)
                }
                let lower = baseOffset + UInt64(at)
                let byteCount = splitter.byteCountOfBegunRecord(rest, format: format)
                let fault = RecordFault(
                    code: .tooLong,
                    detail: "the record does not end",
                    range: ByteRange(lower, lower + UInt64(byteCount))
                )
                appendFault(fault, raw: UnsafeRawBufferPointer(rebasing: rest[..<byteCount]))
                at += byteCount
            }
        }
    }

    /// Brings a record into UTF-8 and takes its secrets out, then appends its row.
    private mutating func append(_ stored: LogRecord, at offset: UInt64) throws {
        var record = stored
        var isLatin1 = false
        let bytes = record.bytes.bindMemory(to: UInt8.self)
        // The splitter of jsonlog has done it: there is no JSON but in UTF-8.
        if stored.isJSON {
            isLatin1 = splitter.json.isLatin1
        } else if bs_is_utf8(bytes.baseAddress, bytes.count) == 0 {
            isLatin1 = true
            scratch.record.removeAll()
            scratch.record.append(atMost: bytes.count * 2) {
                bs_latin1_to_utf8(bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: UInt8.self))
            }
            record = resplit(scratch.record.bytes)
        }
        // A byte of Latin-1 above 0x7F became two of UTF-8: bytes that continue none were in the file.
        let byteCount =
            isLatin1 && stored.isJSON ? bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } : bytes.count
        try append(record, isLatin1: isLatin1, range: ByteRange(offset, offset + UInt64(byteCount)))
    }

    /// Takes the secrets out of a record, then appends its row.
    ///
    /// - Parameters:
    ///   - clear: The record in UTF-8.
    ///   - isLatin1: Whether its bytes were Latin-1.
    ///   - range: Where its stored bytes lie in the source.
    /// - Throws: `SettingsError`; nothing was appended.
    mutating func append(_ clear: LogRecord, isLatin1: Bool, range: ByteRange) throws {
        var record = clear
        fingerprintBeforeRedaction = nil
        if settings.redactsSecrets, SecretScanner.mayHoldSecret(record.bytes) {
            let spans = secretSpans(record)
            if !spans.isEmpty {
                guard let redacted = redact(record, spans) else {
                    let detail = "a secret stands outside of the record's texts"
                    let fault = RecordFault(code: .unredactable, detail: detail, range: range)
                    return appendFault(fault, raw: record.bytes, isLatin1: isLatin1)
                }
                record = redacted
            }
        }
        try appendRow(
            CleanRecord(
                fields: record,
                isLatin1: isLatin1,
                isLarge: range.byteCount > UInt64(settings.maxRecordBytes),
                range: range
            )
        )
    }

    /// The record with `***` in place of its secrets; nil when it is no record then.
    ///
    /// Its SQL is normalized before, with secret numbers as numbers.
    private mutating func redact(_ record: LogRecord, _ spans: [Range<Int>]) -> LogRecord? {
        scratch.redacted.removeAll()
        scratch.redacted.append(record.bytes, replacing: spans, keepingNumbers: true)
        let shape = record.isJSON ? resplitJSON(scratch.redacted.bytes) : resplit(scratch.redacted.bytes)
        guard let shape else { return nil }
        fingerprintBeforeRedaction = normalizeStatement(of: shape)
        scratch.redacted.removeAll()
        scratch.redacted.append(record.bytes, replacing: spans)
        return record.isJSON ? resplitJSON(scratch.redacted.bytes) : resplit(scratch.redacted.bytes)
    }

    private func resplit(_ bytes: UnsafeRawBufferPointer) -> LogRecord {
        let text = bytes.bindMemory(to: UInt8.self)
        let found = bs_csv_split_whole(
            text.baseAddress,
            text.count,
            rewrittenFields,
            UInt32(LogField.capacity)
        )
        return LogRecord(bytes: bytes, fields: rewrittenFields, fieldCount: Int(found.field_count))
    }

    private mutating func resplitJSON(_ bytes: UnsafeRawBufferPointer) -> LogRecord? {
        splitter.json.readAgain(bytes, fields: rewrittenFields, names: rewrittenNames).record
    }
}

extension ByteBuffer {
    /// Appends `bytes` with each span replaced by `***`; spans ascend and do not overlap.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - spans: Ranges of it.
    ///   - keepingNumbers: A span of digits becomes `0`, so that it still reads as a number.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer,
        replacing spans: [Range<Int>],
        keepingNumbers: Bool = false
    ) {
        var at = 0
        for span in spans {
            append(UnsafeRawBufferPointer(rebasing: bytes[at..<span.lowerBound]))
            if keepingNumbers, bytes[span].allSatisfy({ $0 &- 0x30 <= 9 }) {
                append(UInt8(ascii: "0"))
            } else {
                for _ in 0..<3 { append(UInt8(ascii: "*")) }
            }
            at = span.upperBound
        }
        append(UnsafeRawBufferPointer(rebasing: bytes[at...]))
    }
}
