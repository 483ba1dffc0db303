/// Builds a column of maps from text to text whose keys stand in a pool that is shared with other builders.
@frozen
package struct PooledMapBuilder: ~Copyable {
    @usableFromInline var offsets = ByteBuffer(capacity: 64)
    @usableFromInline var keys = PooledColumnBuilder()
    @usableFromInline var values = StringBuilder(count: 0, byteCount: 0)
    @usableFromInline var validity = ValidityBuilder()
    /// The number of maps.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() { offsets.append(Int32(0)) }

    /// Adds a pair to the present map.
    @inlinable @inline(__always)
    package mutating func append(key: Int32, _ value: UnsafeRawBufferPointer) {
        keys.append(key)
        values.append(value)
    }

    /// Adds a pair without a value to the present map.
    @inlinable @inline(__always)
    package mutating func appendNull(key: Int32) {
        keys.append(key)
        values.appendNull()
    }

    /// Ends the present map and starts the next.
    @inlinable @inline(__always)
    package mutating func closeMap() {
        offsets.append(Int32(truncatingIfNeeded: values.count))
        count &+= 1
    }

    /// Appends a missing map; none may be begun.
    @inlinable @inline(__always)
    package mutating func appendNull() {
        validity.appendNull(at: count)
        closeMap()
    }

    /// The column; the builder is empty again.
    ///
    /// - Parameters:
    ///   - pool: The pool that the keys are of.
    ///   - numbers: For reuse: zeros; zeros again afterwards.
    /// - Returns: The maps.
    package mutating func finish(from pool: borrowing TextPool, numbers: inout [Int32]) -> Column {
        let pairCount = values.count
        let keys = keys.finish(from: pool, numbers: &numbers)
        let fields = [ColumnField("key", keys.type, isNullable: false), ColumnField("value", .string)]
        let entries = Column(
            type: .structure(fields),
            count: pairCount,
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
