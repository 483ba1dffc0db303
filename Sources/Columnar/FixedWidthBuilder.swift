/// Builds a column of fixed-width integers: `int32`, `int64`, `date` or `timestamp`.
@frozen
package struct FixedWidthBuilder<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: ~Copyable {
    @usableFromInline var values = ByteBuffer(capacity: 4096)
    @usableFromInline var validity = ValidityBuilder()
    /// The number of values.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() {}

    /// Bytes held.
    package var byteCount: Int { values.count }

    /// Appends a value.
    @inlinable @inline(__always)
    package mutating func append(_ value: Value) {
        values.append(value)
        count &+= 1
    }

    /// Appends a missing value.
    @inlinable @inline(__always)
    package mutating func appendNull() {
        validity.appendNull(at: count)
        values.append(Value.zero)
        count &+= 1
    }

    /// Appends missing values until there are `newCount` values.
    @inlinable
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount &- count, from: count)
        values.append(repeating: Value.zero, count: newCount &- count)
        count = newCount
    }

    /// The column, with bounds; the builder is empty again.
    package mutating func finish(as type: ColumnType) -> Column {
        let (bitmap, nullCount) = validity.finish(count: count)
        let frozen = values.freeze()
        defer { count = 0 }
        return Column(
            type: type,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [frozen],
            bounds: Self.bounds(frozen.bytes.bindMemory(to: Value.self), validity: bitmap)
        )
    }

    private static func bounds(_ values: UnsafeBufferPointer<Value>, validity: FrozenBuffer?) -> ColumnBounds?
    {
        var low = Value.max
        var high = Value.min
        var found = false
        for (index, value) in values.enumerated() {
            if let validity, validity.bytes[index >> 3] >> UInt8(index & 7) & 1 == 0 { continue }
            found = true
            low = min(low, value)
            high = max(high, value)
        }
        return found ? .integers(min: Int64(low), max: Int64(high)) : nil
    }
}
