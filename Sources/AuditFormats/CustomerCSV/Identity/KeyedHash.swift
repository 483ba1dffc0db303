import Crypto

/// SHA-256, or HMAC-SHA-256 with a key.
///
/// Where values are masked only the keyed one is used: of a short value, such as an address, anybody could find the plain
/// hash by trying all.
struct KeyedHash {
    private let keyed: HMAC<SHA256>?

    init(key: [UInt8]?) { keyed = key.map { HMAC<SHA256>(key: SymmetricKey(data: $0)) } }

    /// The first 128 bits of the hash.
    @inline(__always)
    func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> EventID {
        guard var keyed else {
            var hasher = SHA256()
            hasher.update(bufferPointer: bytes)
            return hasher.finalize().withUnsafeBytes { EventID(hash: $0) }
        }
        keyed.update(data: bytes)
        return keyed.finalize().withUnsafeBytes { EventID(hash: $0) }
    }

    /// The id of a record that equals `ordinal` others before it: a hash of the first one's id and the number, both big-endian.
    func callAsFunction(_ first: EventID, ordinal: UInt64) -> EventID {
        let numbers = [first.high.bigEndian, first.low.bigEndian, ordinal.bigEndian]
        return numbers.withUnsafeBytes { self($0) }
    }
}
