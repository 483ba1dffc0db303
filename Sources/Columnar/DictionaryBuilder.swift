import CByteScan

/// Builds a column of texts that repeat: each distinct text is kept once and hashed once an append.
///
/// When texts turn out not to repeat, `finish` gives a plain column, so the file is never larger for it.
@frozen
package struct DictionaryBuilder: ~Copyable {
    @usableFromInline var pool: TextPool
    @usableFromInline var indices: ByteBuffer
    @usableFromInline var validity = ValidityBuilder()
    /// The number of values.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() {
        pool = TextPool()
        indices = ByteBuffer(capacity: 4096)
    }

    /// Creates an empty builder that takes little room as long as it holds little.
    package init(slotCount: Int) {
        pool = TextPool(slotCount: slotCount)
        indices = ByteBuffer(capacity: 64)
    }

    /// Bytes held.
    package var byteCount: Int { pool.entries.byteCount + indices.count }

    /// The number of distinct texts.
    @inlinable package var entryCount: Int { pool.count }

    /// Appends a text, which must be valid UTF-8; returns the index of its entry.
    @inlinable @discardableResult
    package mutating func append(_ text: UnsafeRawBufferPointer) -> Int32 {
        let entry = pool.entry(of: text)
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

    /// The text of an entry; valid until the next one is made.
    @inlinable package subscript(entry entry: Int32) -> UnsafeRawBufferPointer { pool[entry] }

    /// Appends a missing value.
    @inlinable @inline(__always)
    package mutating func appendNull() {
        validity.appendNull(at: count)
        indices.append(Int32(0))
        count &+= 1
    }

    /// Appends missing values until there are `newCount` values.
    @inlinable
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount &- count, from: count)
        indices.append(repeating: Int32(0), count: newCount &- count)
        count = newCount
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
    package mutating func entry(of text: UnsafeRawBufferPointer) -> Int32 { pool.entry(of: text) }

    /// The column: by dictionary when each entry serves two values or more on average, else plain.
    ///
    /// The builder is empty again.
    package mutating func finish() -> Column {
        let repeats = pool.count * 2 <= count
        if !repeats {
            var plain = takePlain()
            return plain.finish()
        }
        defer { count = 0 }
        let dictionary = pool.finish()
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

    /// The values one by one; the builder is empty again.
    mutating func takePlain() -> StringBuilder {
        let order = indices.freeze()
        let entry = order.bytes.bindMemory(to: Int32.self)
        var byteCount = 0
        for index in 0..<count where validity.isValid(index) { byteCount += pool[entry[index]].count }
        var plain = StringBuilder(count: count, byteCount: byteCount)
        for index in 0..<count {
            if validity.isValid(index) {
                plain.append(pool[entry[index]])
            } else {
                plain.appendNull()
            }
        }
        _ = validity.finish(count: count)
        pool.removeAll()
        count = 0
        return plain
    }
}
