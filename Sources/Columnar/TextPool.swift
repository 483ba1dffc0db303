import CByteScan

/// Distinct texts, each kept and hashed once, and known by the number of its entry.
///
/// The caller vouches that every text is valid UTF-8.
@frozen
package struct TextPool: ~Copyable {
    @usableFromInline var entries: StringBuilder
    @usableFromInline var slots: [Slot]

    @frozen @usableFromInline
    struct Slot {
        @usableFromInline var hash: UInt64
        /// Index of the entry plus one; 0 marks a free slot.
        @usableFromInline var entry: Int32

        @inlinable
        init(hash: UInt64, entry: Int32) {
            self.hash = hash
            self.entry = entry
        }
    }

    /// Creates an empty pool; `slotCount` is a power of two.
    package init(slotCount: Int = 256) {
        slots = Array(repeating: Slot(hash: 0, entry: 0), count: slotCount)
        entries = slotCount < 256 ? StringBuilder(count: 0, byteCount: 0) : StringBuilder()
    }

    /// The number of texts.
    @inlinable package var count: Int { entries.count }

    /// Bytes held.
    @inlinable package var byteCount: Int { entries.byteCount &+ slots.count &* MemoryLayout<Slot>.stride }

    /// The entry of a text, made when it is new; valid until `finish` or `removeAll`.
    @inlinable
    package mutating func entry(of text: UnsafeRawBufferPointer) -> Int32 {
        let hash = bs_hash64(text.baseAddress, text.count)
        let mask = slots.count &- 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[at]
            if slot.entry == 0 { break }
            if slot.hash == hash, entries[Int(slot.entry) &- 1].equals(text) { return slot.entry &- 1 }
            at = (at &+ 1) & mask
        }
        entries.append(text)
        slots[at] = Slot(hash: hash, entry: Int32(truncatingIfNeeded: entries.count))
        if entries.count &* 2 > slots.count { rehash() }
        return Int32(truncatingIfNeeded: entries.count &- 1)
    }

    /// The text of an entry; valid until the next one is made.
    @inlinable package subscript(entry: Int32) -> UnsafeRawBufferPointer { entries[Int(entry)] }

    @usableFromInline
    mutating func rehash() {
        var larger = Array(repeating: Slot(hash: 0, entry: 0), count: slots.count * 2)
        let mask = larger.count - 1
        for slot in slots where slot.entry != 0 {
            var at = Int(truncatingIfNeeded: slot.hash) & mask
            while larger[at].entry != 0 { at = (at + 1) & mask }
            larger[at] = slot
        }
        slots = larger
    }

    /// The texts as a column in the order of their entries; the pool is empty again.
    package mutating func finish() -> Column {
        slots = Array(repeating: Slot(hash: 0, entry: 0), count: min(slots.count, 256))
        return entries.finish()
    }

    /// Drops all texts.
    package mutating func removeAll() {
        guard count > 0 else { return }
        slots = Array(repeating: Slot(hash: 0, entry: 0), count: min(slots.count, 256))
        entries = StringBuilder()
    }
}
