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
    /// Whether that version has other lines than those that were read, and was left alone.
    package var isLeftAlone: Bool

    /// Creates a description.
    package init(
        version: UInt64,
        to: UInt64,
        chain: ContentHash,
        rest: ContentHash,
        isLeftAlone: Bool = false
    ) {
        self.isLeftAlone = isLeftAlone
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

    /// The bit of `to` that says that a version was left alone.
    private static let leftAlone: UInt64 = 1 << 63
    /// Words of a record: key (2), version and day, to, chain (2), rest (2).
    static let wordCount = 8
    /// Bits of a hash of a version; those above hold the day of the last modification, in days since 1970-01-01, 0 when it is
    /// not known.
    static let versionBitCount = 48
    private static let versionMask: UInt64 = 1 << versionBitCount - 1
    private static let microsecondsOfDay: Int64 = 86_400_000_000

    /// Objects that are known.
    package private(set) var count = 0
    /// Objects that were last modified before this day are forgotten, in days since 1970-01-01; 0 when none ever was.
    package internal(set) var firstDay: Int64 = 0
    /// The day of the last modification of the newest object that is known; 0 for none.
    package private(set) var newestDay: Int64 = 0
    /// An open-addressed table, a power of two of records; those whose key is zero are free.
    private(set) var words: [UInt64] = []

    /// Knows no object.
    package init() {}

    private var capacity: Int { words.count / Self.wordCount }

    /// The hash by which a version is kept in mind.
    package static func hash(version: UnsafeRawBufferPointer) -> UInt64 {
        hash(ofStored: bs_hash64(version.baseAddress, version.count))
    }

    /// The part of a hash of 64 bits that is kept.
    static func hash(ofStored hash: UInt64) -> UInt64 { max(hash & versionMask, noVersionOfCorrection + 1) }

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
            rest: ContentHash(range.rest) ?? .none,
            isLeftAlone: range.isLeftAlone ?? false
        )
        var key = range.key
        let hash = key.withUTF8 { Self.hash(key: UnsafeRawBufferPointer($0)) }
        insert(hash, seen, day: Self.day(ofModified: range.modified))
    }

    /// The day of a time in microseconds since 1970-01-01 UTC, as a record holds it.
    private static func day(ofModified time: Int64) -> Int64 {
        min(max(time / microsecondsOfDay, 1), Int64(UInt16.max))
    }

    // MARK: What is forgotten

    /// Forgets what was last modified before a day, in days since 1970-01-01, and takes such objects for known from now on.
    ///
    /// An object that an earlier release has put down is kept: its day is not known.
    ///
    /// - Complexity: O(objects).
    package mutating func forget(before day: Int64) {
        guard day > firstDay else { return }
        firstDay = day
        let old = words
        let kept = stride(from: 0, to: old.count, by: Self.wordCount).filter { slot in
            guard old[slot] | old[slot + 1] != 0 else { return false }
            let day = Int64(old[slot + 2] >> UInt64(Self.versionBitCount))
            return day == 0 || day >= firstDay
        }
        words = []
        count = 0
        reserve(kept.count)
        for from in kept { take(old[from..<from + Self.wordCount]) }
    }

    /// Whether an object that was last modified then, in microseconds since 1970-01-01 UTC, would be forgotten.
    package func isTooOld(_ modified: Int64) -> Bool { Self.day(ofModified: modified) < firstDay }

    // MARK: Records

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
            version: words[slot + 2] & Self.versionMask,
            to: words[slot + 3] & ~Self.leftAlone,
            chain: ContentHash(high: words[slot + 4], low: words[slot + 5]),
            rest: ContentHash(high: words[slot + 6], low: words[slot + 7]),
            isLeftAlone: words[slot + 3] & Self.leftAlone != 0
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

    mutating func insert(_ key: ContentHash, _ seen: SeenObject, day: Int64) {
        newestDay = max(newestDay, day)
        // At most three quarters are taken.
        if (count + 1) * 4 > capacity * 3 { grow(to: max(capacity * 2, 16)) }
        let slot = slot(of: key)
        if words[slot] | words[slot + 1] == 0 { count += 1 }
        words[slot] = key.high
        words[slot + 1] = key.low
        words[slot + 2] = seen.version | UInt64(day) << UInt64(Self.versionBitCount)
        words[slot + 3] = seen.to | (seen.isLeftAlone ? Self.leftAlone : 0)
        words[slot + 4] = seen.chain.high
        words[slot + 5] = seen.chain.low
        words[slot + 6] = seen.rest.high
        words[slot + 7] = seen.rest.low
    }

    private mutating func grow(to capacity: Int) {
        let old = words
        words = [UInt64](repeating: 0, count: capacity * Self.wordCount)
        count = 0
        for from in stride(from: 0, to: old.count, by: Self.wordCount) where old[from] | old[from + 1] != 0 {
            take(old[from..<from + Self.wordCount])
        }
    }

    /// Puts down a record whose key is new.
    private mutating func take(_ record: ArraySlice<UInt64>) {
        let slot = slot(of: ContentHash(high: record[record.startIndex], low: record[record.startIndex + 1]))
        words.replaceSubrange(slot..<slot + Self.wordCount, with: record)
        count += 1
    }

    /// Makes room for so many records.
    mutating func reserve(_ count: Int) {
        var capacity = 16
        while count * 4 > capacity * 3 { capacity *= 2 }
        if capacity > self.capacity { grow(to: capacity) }
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
