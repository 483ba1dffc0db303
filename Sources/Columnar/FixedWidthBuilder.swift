/// Builds a column of fixed-width integers: `int32`, `int64`, `date` or `timestamp`.
///
/// A generic structure that cannot be copied is not specialized where it is used, so that is asked for here.
@frozen
package struct FixedWidthBuilder<Value: FixedWidthInteger & BitwiseCopyable & Sendable>: ~Copyable {
    @usableFromInline var values: ByteBuffer
    @usableFromInline var validity = ValidityBuilder()
    /// The number of values.
    package private(set) var count = 0

    /// Creates an empty builder with room for `byteCount` bytes.
    package init(byteCount: Int = 4096) { values = ByteBuffer(capacity: byteCount) }

    /// Bytes held.
    package var byteCount: Int { values.count }

    /// Appends a value.
    @_specialize(where Value == Int64)
    @_specialize(where Value == Int32)
    package mutating func append(_ value: Value) {
        values.append(value)
        count &+= 1
    }

    /// Appends a missing value.
    @_specialize(where Value == Int64)
    @_specialize(where Value == Int32)
    package mutating func appendNull() {
        validity.appendNull(at: count)
        values.append(Value.zero)
        count &+= 1
    }

    /// Appends missing values until there are `newCount` values.
    @_specialize(where Value == Int64)
    @_specialize(where Value == Int32)
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount &- count, from: count)
        values.append(repeating: Value.zero, count: newCount &- count)
        count = newCount
    }

    /// The column, with bounds; the builder is empty again.
    @_specialize(where Value == Int64)
    @_specialize(where Value == Int32)
    package mutating func finish(as type: ColumnType) -> Column {
        let (bitmap, nullCount) = validity.finish(count: count)
        let bounds = bounds(validity: bitmap)
        let frozen = values.freeze()
        defer { count = 0 }
        return Column(
            type: type,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [frozen],
            bounds: bounds
        )
    }

    @_specialize(where Value == Int64)
    @_specialize(where Value == Int32)
    func bounds(validity: FrozenBuffer?) -> ColumnBounds? {
        let numbers = values.bytes.bindMemory(to: Value.self)
        var low = Value.max
        var high = Value.min
        if let validity {
            let bits = validity.bytes
            for index in 0..<count where bits[index &>> 3] &>> UInt8(truncatingIfNeeded: index & 7) & 1 == 1 {
                low = min(low, numbers[index])
                high = max(high, numbers[index])
            }
        } else {
            for index in 0..<count {
                low = min(low, numbers[index])
                high = max(high, numbers[index])
            }
        }
        return low <= high ? .integers(min: Int64(low), max: Int64(high)) : nil
    }
}
