import CByteScan

/// Builds a column of texts that repeat: each distinct text is kept once and hashed once an append.
///
/// When texts turn out not to repeat, `finish` gives a plain column, so the file is never larger for it.
@frozen
package struct DictionaryBuilder: ~Copyable {
    @usableFromInline var entries = StringBuilder()
    @usableFromInline var indices = ByteBuffer(capacity: 4096)
    @usableFromInline var validity = ValidityBuilder()
    @usableFromInline var slots: [Slot]
    /// The number of values.
    package private(set) var count = 0

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

    /// Creates an empty builder.
    package init() { slots = Array(repeating: Slot(hash: 0, entry: 0), count: 256) }

    /// Bytes held.
    package var byteCount: Int { entries.byteCount + indices.count }

    /// Appends a text, which must be valid UTF-8; returns the index of its entry.
    @inlinable @discardableResult
    package mutating func append(_ text: UnsafeRawBufferPointer) -> Int32 {
        let entry = entry(of: text)
        indices.append(entry)
        count &+= 1
        return entry
    }

    /// Appends the entry that an earlier append of this row group returned.
    @inlinable @inline(__always)
    package mutating func append(entry: Int32) {
        indices.append(entry)
        count &+= 1
    }

    /// Appends a missing value.
    @inlinable @inline(__always)
    package mutating func appendNull() {
        validity.appendNull(at: count)
        indices.append(Int32(0))
        count &+= 1
    }

    /// Puts a text in the place of the value at `index`, which may be missing.
    package mutating func replace(at index: Int, with text: UnsafeRawBufferPointer) {
        let entry = entry(of: text)
        indices.overwrite(entry, at: index * 4)
        validity.setValid(index)
    }

    /// The entry of a text, made when it is new; the text is not appended.
    ///
    /// Valid until `finish`.
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

    /// The column: by dictionary when each entry serves two values or more on average, else plain.
    ///
    /// The builder is empty again.
    package mutating func finish() -> Column {
        defer {
            count = 0
            slots = Array(repeating: Slot(hash: 0, entry: 0), count: 256)
        }
        let repeats = entries.count * 2 <= count
        if !repeats { return finishPlain() }
        let dictionary = entries.finish()
        let (bitmap, nullCount) = validity.finish(count: count)
        return Column(
            type: .dictionaryString,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [indices.freeze()],
            dictionary: [dictionary],
            bounds: dictionary.bounds
        )
    }

    private mutating func finishPlain() -> Column {
        let order = indices.freeze()
        let entry = order.bytes.bindMemory(to: Int32.self)
        var byteCount = 0
        for index in 0..<count where validity.isValid(index) { byteCount += entries[Int(entry[index])].count }
        var plain = StringBuilder(count: count, byteCount: byteCount)
        for index in 0..<count {
            if validity.isValid(index) {
                plain.append(entries[Int(entry[index])])
            } else {
                plain.appendNull()
            }
        }
        _ = validity.finish(count: count)
        entries = StringBuilder()
        return plain.finish()
    }
}
