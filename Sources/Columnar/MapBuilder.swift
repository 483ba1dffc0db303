/// Builds a column of maps from text to text whose keys come from a short list.
@frozen
package struct MapBuilder: ~Copyable {
    @usableFromInline var offsets: ByteBuffer
    @usableFromInline var keys: DictionaryBuilder
    @usableFromInline var values: StringBuilder
    @usableFromInline var validity = ValidityBuilder()
    /// The number of maps.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() {
        offsets = ByteBuffer(capacity: 4096)
        keys = DictionaryBuilder()
        values = StringBuilder()
        offsets.append(Int32(0))
    }

    /// Creates an empty builder that takes little room as long as it holds little.
    package init(slotCount: Int) {
        offsets = ByteBuffer(capacity: 64)
        keys = DictionaryBuilder(slotCount: slotCount)
        values = StringBuilder(count: 0, byteCount: 0)
        offsets.append(Int32(0))
    }

    /// Bytes held.
    package var byteCount: Int { offsets.count + keys.byteCount + values.byteCount }

    /// Adds a key to the present map; its value follows with one append to `values`.
    @inlinable @inline(__always)
    package mutating func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        keys.append(key)
        values.append(value)
    }

    /// Adds a pair whose key is the entry that `enter` returned since the last `finish`.
    @inlinable @inline(__always)
    package mutating func append(entry: Int32, _ value: UnsafeRawBufferPointer) {
        keys.append(entry: entry)
        values.append(value)
    }

    /// Adds a pair whose value of at most `capacity` bytes is written by `body`.
    @inlinable @inline(__always)
    package mutating func append(entry: Int32, atMost capacity: Int, _ body: (UnsafeMutableRawPointer) -> Int)
    {
        keys.append(entry: entry)
        values.append(atMost: capacity, body)
    }

    /// Makes a key known without using it; the entry stays valid until `finish`.
    package mutating func enter(_ key: StaticString) -> Int32 {
        keys.entry(of: UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    }

    /// The same for a key that is made up on the way.
    package mutating func entry(of key: UnsafeRawBufferPointer) -> Int32 { keys.entry(of: key) }

    /// The number of pairs: the index of the next one.
    package var pairCount: Int { values.count }

    /// Puts a text in the place of the values of pairs, none of which may be shorter; `indices` ascend.
    package mutating func replaceValues(at indices: [Int], with text: UnsafeRawBufferPointer) {
        values.replace(at: indices, with: text)
    }

    /// Ends the present map and starts the next.
    @inlinable @inline(__always)
    package mutating func closeMap() {
        offsets.append(Int32(truncatingIfNeeded: values.count))
        count &+= 1
    }

    /// Adds a pair whose value is missing.
    @inlinable @inline(__always)
    package mutating func appendNull(_ key: UnsafeRawBufferPointer) {
        keys.append(key)
        values.appendNull()
    }

    /// Appends missing maps until there are `newCount` maps; no map may be begun.
    @inlinable
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount &- count, from: count)
        offsets.append(repeating: Int32(truncatingIfNeeded: values.count), count: newCount &- count)
        count = newCount
    }

    /// The column; the builder is empty again and entries are no longer valid.
    package mutating func finish() -> Column {
        let keys = keys.finish()
        let entries = Column(
            type: .structure([
                ColumnField("key", keys.type, isNullable: false), ColumnField("value", .string),
            ]),
            count: values.count,
            children: [keys, values.finish(withBounds: false)]
        )
        let (bitmap, nullCount) = validity.finish(count: count)
        let column = Column(
            type: .map(key: keys.type, value: .string),
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [offsets.freeze()],
            children: [entries]
        )
        offsets.append(Int32(0))
        count = 0
        return column
    }
}
