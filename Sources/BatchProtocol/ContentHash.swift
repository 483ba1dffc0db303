import CByteScan

/// An XXH3 of 128 bits: what plans tell bytes apart by.
package struct ContentHash: Hashable, Sendable, CustomStringConvertible {
    /// The upper half.
    package var high: UInt64
    /// The lower half.
    package var low: UInt64

    /// The hash of which nothing was hashed: the start of a chain.
    package static let none = ContentHash(high: 0, low: 0)

    /// Creates a hash from its halves.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Hashes bytes.
    package init(of bytes: UnsafeRawBufferPointer) {
        let value = bs_hash128(bytes.baseAddress, bytes.count)
        self.init(high: value.high, low: value.low)
    }

    /// Reads 32 hexadecimal digits; nil for any other text.
    package init?(_ text: String) {
        let digits = text.utf8
        guard digits.count == 32, digits.allSatisfy(Self.isDigit),
            let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// 32 hexadecimal digits.
    package var description: String {
        [high, low].map { part in
            let text = String(part, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }

    /// The hash of a chain that one more piece was added to.
    package func chained(_ piece: ContentHash) -> ContentHash {
        let words = [high.littleEndian, low.littleEndian, piece.high.littleEndian, piece.low.littleEndian]
        return words.withUnsafeBytes { ContentHash(of: $0) }
    }
}
