/// The stored form of a ledger: 64 bytes a record, eight little-endian words.
extension ObjectLedger {
    /// What the third word of the first record says; the two before it are zero, as those of no object are.
    ///
    /// The fourth word is `firstDay`. A ledger of an earlier release has no such record, and no days beside its versions.
    private static let layout: UInt64 = 2
    private static let byteCount = wordCount * MemoryLayout<UInt64>.size

    /// What describes the ledger, then the records in order of their keys' hashes: the same for equal ledgers.
    package var encoded: [UInt8] {
        let slots = stride(from: 0, to: words.count, by: Self.wordCount).filter {
            words[$0] | words[$0 + 1] != 0
        }
        let sorted = slots.sorted { (words[$0], words[$0 + 1]) < (words[$1], words[$1 + 1]) }
        let head = [0, 0, Self.layout, UInt64(firstDay), 0, 0, 0, 0]
        return [UInt8](unsafeUninitializedCapacity: (count + 1) * Self.byteCount) { buffer, filled in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            func append(_ record: ArraySlice<UInt64>) {
                for word in record {
                    bytes.storeBytes(of: word.littleEndian, toByteOffset: filled, as: UInt64.self)
                    filled += MemoryLayout<UInt64>.size
                }
            }
            append(head[...])
            for slot in sorted { append(words[slot..<slot + Self.wordCount]) }
        }
    }

    /// Reads what `encoded` gave, in this release or an earlier one; nil when it is cut or no ledger.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count % Self.byteCount == 0 else { return nil }
        self.init()
        let records = stride(from: 0, to: bytes.count, by: Self.byteCount).map { from in
            bytes.withUnsafeBytes { bytes in
                (0..<Self.wordCount).map { word in
                    UInt64(
                        littleEndian: bytes.loadUnaligned(fromByteOffset: from + word * 8, as: UInt64.self)
                    )
                }
            }
        }
        let hasDays = records.first.map { $0[0] | $0[1] == 0 && $0[2] == Self.layout } ?? false
        if hasDays {
            guard let day = Int64(exactly: records[0][3]), day <= UInt16.max else { return nil }
            firstDay = day
        }
        let objects = records.dropFirst(hasDays ? 1 : 0)
        reserve(objects.count)
        for record in objects {
            let key = ContentHash(high: record[0], low: record[1])
            guard key != .none else { return nil }
            let isUnfinished = record[2] <= Self.noVersionOfCorrection
            let day = hasDays ? record[2] >> UInt64(Self.versionBitCount) : 0
            let version = record[2] - day << UInt64(Self.versionBitCount)
            let seen = SeenObject(
                version: hasDays || isUnfinished ? version : Self.hash(ofStored: version),
                to: record[3],
                chain: ContentHash(high: record[4], low: record[5]),
                rest: ContentHash(high: record[6], low: record[7])
            )
            insert(key, seen, day: Int64(day))
        }
        guard count == objects.count else { return nil }
    }
}
