import CSimdJSON
import Columnar

/// The fields that stand beside the records of an envelope, kept while the records are parsed one by one.
struct EnvelopeFields: ~Copyable {
    /// Fields that come to more than this, with a copy for each record, go to the first record alone.
    private static let maxCopiedByteCount = 64 << 20
    private static let keptCapacity = 1 << 20

    private var bytes = ByteBuffer(capacity: 64)
    /// Valid until the next change.
    private(set) var pairs: [TextPair] = []
    private var goesToFirstRecord = false

    init() {}

    /// Copies fields.
    ///
    /// - Parameters:
    ///   - fields: As they were parsed.
    ///   - recordCount: Records that they stand beside.
    mutating func take(_ fields: UnsafeBufferPointer<sj_pair>, recordCount: Int) {
        removeAll()
        let byteCount = fields.reduce(0) { $0 + Int($1.key.length) + Int($1.value.length) }
        goesToFirstRecord = byteCount > Self.maxCopiedByteCount / max(recordCount, 1)
        // With room for all of them, what was copied stays where it is.
        bytes.reserve(byteCount)
        for field in fields {
            pairs.append(
                TextPair(key: copy(field.key.text), value: field.value.textUnlessNull.map { copy($0) })
            )
        }
    }

    private mutating func copy(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let start = bytes.count
        bytes.append(text)
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[start...])
    }

    /// Adds the fields to those of a record.
    mutating func append(to rescued: inout [TextPair]) {
        rescued += pairs
        if goesToFirstRecord { removeAll() }
    }

    /// Forgets the fields.
    mutating func removeAll() {
        guard !pairs.isEmpty else { return }
        pairs.removeAll()
        if bytes.count > Self.keptCapacity { bytes = ByteBuffer(capacity: 64) } else { bytes.removeAll() }
    }
}
