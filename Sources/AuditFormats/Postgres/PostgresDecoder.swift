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
    /// Above this length, in bytes, a record's derived texts are cut and it gets a row group of its own.
    package var maxRecordBytes = 1 << 20
    /// The longest beginning of a record that may wait for its end, in bytes.
    package var maxPendingBytes = 128 << 20
    /// The stack of the thread that decodes, in bytes: limits what libpg_query is given.
    package var stackBytes = 8 << 20

    /// Creates settings with the defaults above.
    package init(role: String, node: String) {
        self.role = role
        self.node = node
    }
}

/// Turns the bytes of csvlog files into rows and quarantined faults.
///
/// Used from one thread at a time. Everything it gives is a function of the bytes, the settings and the ingest time.
package struct PostgresDecoder: ~Copyable {
    let settings: PostgresDecoderSettings
    private var splitter = CSVLogSplitter()
    /// Splits a record again after it was transcoded or redacted.
    private var rewrittenFields: UnsafeMutablePointer<bs_field>
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
    /// Rows left out by `keepsAuditEventsOnly` since the decoder was created.
    package var leftOutCount = 0
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
    }

    deinit { rewrittenFields.deallocate() }

    /// Why `decode` came back.
    package enum Stop: Equatable, Sendable {
        /// The rest of the bytes begins a record whose end has not been read.
        case needsMoreInput
        /// The open row groups are full: take them before the next call.
        case rowGroupFull
    }

    /// Bytes of a damage that reaches to the end of what was read, as far as nothing that follows can belong to them.
    ///
    /// Whole lines, so that what stands in a line, a secret among it, is seen together; a line without an end only when
    /// it is longer than a record may be.
    private func settledDamage(_ rest: UnsafeRawBufferPointer) -> Int {
        if let newline = rest.lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return rest.count > settings.maxRecordBytes ? rest.count : 0
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
    ///   - isEnd: Nothing will ever follow: what is no whole record goes to the quarantine.
    /// - Returns: Bytes that are done with, and why the rest is not.
    /// - Throws: `SettingsError`; the rows before it are kept.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer,
        baseOffset: UInt64,
        source: String,
        isEnd: Bool = false
    ) throws -> (consumed: Int, stop: Stop) {
        sourceName = source
        var at = 0
        while true {
            if rows.byteCount + quarantine.byteCount >= rowGroupByteCount { return (at, .rowGroupFull) }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            switch splitter.step(rest) {
            case .record(let byteCount):
                let isLarge = byteCount > settings.maxRecordBytes
                if isLarge, rows.count > 0 { return (at, .rowGroupFull) }
                let record = splitter.record
                try append(record, at: baseOffset + UInt64(at))
                at += byteCount
                if isLarge {
                    scratch = Scratch()
                    return (at, .rowGroupFull)
                }
            case .fault(var byteCount, let code, let detail):
                if byteCount == rest.count, !isEnd {
                    byteCount = settledDamage(rest)
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
                let byteCount = splitter.byteCountOfBegunRecord(rest)
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

    private mutating func appendFault(_ fault: RecordFault, raw: UnsafeRawBufferPointer) {
        guard settings.redactsSecrets, SecretScanner.mayHoldSecret(raw) else {
            quarantine.append(fault, raw: raw, source: sourceName, ingestTime: ingestTime)
            return
        }
        var redacted = ByteBuffer(capacity: raw.count)
        redacted.append(raw, replacing: secrets(in: raw, as: .prose))
        quarantine.append(fault, raw: redacted.bytes, source: sourceName, ingestTime: ingestTime)
    }

    /// Brings a record into UTF-8 and takes its secrets out, then appends its row.
    private mutating func append(_ stored: LogRecord, at offset: UInt64) throws {
        var record = stored
        var isLatin1 = false
        fingerprintBeforeRedaction = nil
        let bytes = record.bytes.bindMemory(to: UInt8.self)
        if bs_is_utf8(bytes.baseAddress, bytes.count) == 0 {
            isLatin1 = true
            scratch.record.removeAll()
            scratch.record.append(atMost: bytes.count * 2) {
                bs_latin1_to_utf8(bytes.baseAddress, bytes.count, $0.assumingMemoryBound(to: UInt8.self))
            }
            record = resplit(scratch.record.bytes)
        }
        if settings.redactsSecrets, SecretScanner.mayHoldSecret(record.bytes) {
            let spans = secretSpans(record)
            if !spans.isEmpty {
                scratch.redacted.removeAll()
                scratch.redacted.append(record.bytes, replacing: spans, keepingNumbers: true)
                fingerprintBeforeRedaction = normalizeStatement(of: resplit(scratch.redacted.bytes))
                scratch.redacted.removeAll()
                scratch.redacted.append(record.bytes, replacing: spans)
                record = resplit(scratch.redacted.bytes)
            }
        }
        try appendRow(
            CleanRecord(
                fields: record,
                isLatin1: isLatin1,
                isLarge: stored.bytes.count > settings.maxRecordBytes,
                range: ByteRange(offset, offset + UInt64(stored.bytes.count))
            )
        )
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
