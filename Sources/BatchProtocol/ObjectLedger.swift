import CByteScan

/// What earlier batches have read of one object.
package struct SeenObject: Hashable, Sendable {
    /// Hash of the version that was read to its end; else `ObjectLedger.noVersion` or `noVersionOfCorrection`.
    package var version: UInt64
    /// Bytes that were read, from the start; decompressed.
    package var to: UInt64
    /// Hash chain over the whole pieces below `to`.
    package var chain: ContentHash
    /// Hash of the bytes from the last border of a piece up to `to`.
    package var rest: ContentHash

    /// Creates a description.
    package init(version: UInt64, to: UInt64, chain: ContentHash, rest: ContentHash) {
        self.version = version
        self.to = to
        self.chain = chain
        self.rest = rest
    }

    /// Whether nothing of the version that was read is unread.
    package var isFinished: Bool { version > ObjectLedger.noVersionOfCorrection }
    /// Whether it is being read as a correction and there is more of it.
    package var isUnfinishedCorrection: Bool { version == ObjectLedger.noVersionOfCorrection }

    /// Where the last piece begins, which `rest` covers.
    package var restOffset: UInt64 { to - to % UInt64(ObjectRange.pieceByteCount) }
}

/// What was read of each object: 64 bytes for one, whatever its name is.
///
/// Keys are told apart by a hash of 128 bits. A pure value; a function of the ranges that it was given.
package struct ObjectLedger: Sendable {
    /// The version of an object that was not read to its end: equal to none.
    package static let noVersion: UInt64 = 0
    /// The same of one that is being read as a correction.
    package static let noVersionOfCorrection: UInt64 = 1

    /// Words of a record: key (2), version, to, chain (2), rest (2).
    private static let wordCount = 8
    private static let byteCount = wordCount * MemoryLayout<UInt64>.size

    /// Objects that are known.
    package private(set) var count = 0
    /// An open-addressed table, a power of two of records; those whose key is zero are free.
    private var words: [UInt64] = []

    /// Knows no object.
    package init() {}

    private var capacity: Int { words.count / Self.wordCount }

    /// The hash by which a version is kept in mind.
    package static func hash(version: UnsafeRawBufferPointer) -> UInt64 {
        let hash = bs_hash64(version.baseAddress, version.count)
        return hash <= noVersionOfCorrection ? 2 : hash
    }

    /// The hash by which a version is kept in mind.
    package static func hash(version: String) -> UInt64 {
        var version = version
        return version.withUTF8 { hash(version: UnsafeRawBufferPointer($0)) }
    }

    /// Takes in what a batch has read of an object.
    package mutating func apply(_ range: ObjectRange) {
        let unfinished = range.isCorrection ? Self.noVersionOfCorrection : Self.noVersion
        let seen = SeenObject(
            version: range.isWhole ? Self.hash(version: range.version) : unfinished,
            to: range.to,
            chain: ContentHash(range.chain) ?? .none,
            rest: ContentHash(range.rest) ?? .none
        )
        var key = range.key
        let hash = key.withUTF8 { Self.hash(key: UnsafeRawBufferPointer($0)) }
        insert(hash, seen)
    }

    /// What was read of an object; nil for nothing.
    package func find(_ key: String) -> SeenObject? {
        var key = key
        return key.withUTF8 { find(UnsafeRawBufferPointer($0)) }
    }

    /// What was read of an object whose key is these bytes of UTF-8; nil for nothing.
    package func find(_ key: UnsafeRawBufferPointer) -> SeenObject? {
        guard count > 0 else { return nil }
        let slot = slot(of: Self.hash(key: key))
        return words[slot] == 0 && words[slot + 1] == 0 ? nil : seen(at: slot)
    }

    private static func hash(key: UnsafeRawBufferPointer) -> ContentHash {
        let hash = ContentHash(of: key)
        // All zeros mark what is free.
        return hash == .none ? ContentHash(high: 0, low: 1) : hash
    }

    private func seen(at slot: Int) -> SeenObject {
        SeenObject(
            version: words[slot + 2],
            to: words[slot + 3],
            chain: ContentHash(high: words[slot + 4], low: words[slot + 5]),
            rest: ContentHash(high: words[slot + 6], low: words[slot + 7])
        )
    }

    /// The first word of the record of a key, or of the free one where it belongs.
    private func slot(of key: ContentHash) -> Int {
        let mask = capacity - 1
        var index = Int(truncatingIfNeeded: key.low) & mask
        while true {
            let slot = index * Self.wordCount
            let high = words[slot]
            let low = words[slot + 1]
            if high == key.high && low == key.low || high | low == 0 { return slot }
            index = (index + 1) & mask
        }
    }

    private mutating func insert(_ key: ContentHash, _ seen: SeenObject) {
        // At most three quarters are taken.
        if (count + 1) * 4 > capacity * 3 { grow(to: max(capacity * 2, 16)) }
        let slot = slot(of: key)
        if words[slot] | words[slot + 1] == 0 { count += 1 }
        words[slot] = key.high
        words[slot + 1] = key.low
        words[slot + 2] = seen.version
        words[slot + 3] = seen.to
        words[slot + 4] = seen.chain.high
        words[slot + 5] = seen.chain.low
        words[slot + 6] = seen.rest.high
        words[slot + 7] = seen.rest.low
    }

    private mutating func grow(to capacity: Int) {
        let old = words
        words = [UInt64](repeating: 0, count: capacity * Self.wordCount)
        for from in stride(from: 0, to: old.count, by: Self.wordCount) where old[from] | old[from + 1] != 0 {
            let slot = slot(of: ContentHash(high: old[from], low: old[from + 1]))
            for word in 0..<Self.wordCount { words[slot + word] = old[from + word] }
        }
    }

    // MARK: Stored form

    /// The records, in order of their keys' hashes: the same for equal ledgers.
    ///
    /// 64 bytes each, eight little-endian words.
    package var encoded: [UInt8] {
        let slots = stride(from: 0, to: words.count, by: Self.wordCount).filter {
            words[$0] | words[$0 + 1] != 0
        }
        let sorted = slots.sorted { (words[$0], words[$0 + 1]) < (words[$1], words[$1 + 1]) }
        return [UInt8](unsafeUninitializedCapacity: count * Self.byteCount) { buffer, filled in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            for slot in sorted {
                for word in words[slot..<slot + Self.wordCount] {
                    bytes.storeBytes(of: word.littleEndian, toByteOffset: filled, as: UInt64.self)
                    filled += MemoryLayout<UInt64>.size
                }
            }
        }
    }

    /// Reads what `encoded` gave; nil when it is cut or no ledger.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count % Self.byteCount == 0 else { return nil }
        var capacity = 16
        while bytes.count / Self.byteCount * 4 > capacity * 3 { capacity *= 2 }
        grow(to: capacity)
        for from in stride(from: 0, to: bytes.count, by: Self.byteCount) {
            let record = bytes.withUnsafeBytes { bytes in
                (0..<Self.wordCount).map { word in
                    UInt64(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: from + word * 8, as: UInt64.self)
                    )
                }
            }
            let key = ContentHash(high: record[0], low: record[1])
            guard key != .none else { return nil }
            let seen = SeenObject(
                version: record[2],
                to: record[3],
                chain: ContentHash(high: record[4], low: record[5]),
                rest: ContentHash(high: record[6], low: record[7])
            )
            insert(key, seen)
        }
        guard count == bytes.count / Self.byteCount else { return nil }
    }
}

extension ObjectLedger: Hashable {
    /// Whether two ledgers know the same of the same objects.
    package static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.encoded == right.encoded
    }

    /// Hashes what is known.
    package func hash(into hasher: inout Hasher) { hasher.combine(encoded) }
}
