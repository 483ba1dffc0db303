import CByteScan
import Columnar
import SQLText

extension PostgresDecoder {
    /// Levels of escapes in a damaged line that are looked through for secrets: an envelope, its message, one more.
    private static let escapeLevels = 3

    /// Appends bytes that are no record to the quarantine, secrets blanked.
    mutating func appendFault(
        _ fault: RecordFault,
        raw: UnsafeRawBufferPointer,
        isLatin1: Bool = false
    ) {
        var redacted = ByteBuffer()
        var text = raw
        if settings.redactsSecrets {
            // The word that names a secret may have been cut off, so a quick look for one does not do.
            redacted.append(raw, replacing: secretsOfFault(raw))
            text = redacted.bytes
        }
        quarantine.append(fault, raw: text, isLatin1: isLatin1, source: sourceName, ingestTime: ingestTime)
    }

    /// The secrets of bytes that are no record, read as they stand and with JSON's escapes undone.
    private mutating func secretsOfFault(_ raw: UnsafeRawBufferPointer) -> [Range<Int>] {
        var spans = secrets(in: raw, as: .prose)
        // PostgreSQL repeats what it could not parse, before the statement that names it.
        spans += raw.echoes(of: spans.map { Array(raw[$0]) })
        spans += secrets(in: raw, as: .fragment)
        var texts: [[UInt8]] = []
        for _ in 0..<Self.escapeLevels {
            let outer = texts.last ?? Array(raw)
            guard outer.contains(UInt8(ascii: "\\")) else { break }
            let inner = outer.withUnsafeBytes { bytes in
                var text = ByteBuffer(capacity: bytes.count)
                text.append(bytes, undoing: BS_ESCAPE_JSON)
                return Array(text.bytes)
            }
            texts.append(inner)
            var found = inner.withUnsafeBytes { secrets(in: $0, as: .prose) }
            for outer in texts.dropLast().reversed() {
                found = outer.withUnsafeBytes { $0.escaped(found, BS_ESCAPE_JSON) }
            }
            spans += raw.escaped(found, BS_ESCAPE_JSON)
        }
        return Self.merged(spans)
    }
}
