/// Builds a column of truth values, one bit each.
package struct BooleanBuilder: ~Copyable {
    private var bits = ByteBuffer(capacity: 64)
    private var validity = ValidityBuilder()
    /// The number of values.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() {}

    /// Appends a value.
    package mutating func append(_ value: Bool) {
        if value { bits.setBit(count) }
        count &+= 1
    }

    /// Appends a missing value.
    package mutating func appendNull() { appendNulls(upTo: count + 1) }

    /// Appends missing values until there are `newCount` values.
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount - count, from: count)
        count = newCount
    }

    /// The column; the builder is empty again.
    package mutating func finish() -> Column {
        defer { count = 0 }
        bits.padWithZeros(to: (count + 7) / 8)
        let (bitmap, nullCount) = validity.finish(count: count)
        return Column(
            type: .boolean,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [bits.freeze()]
        )
    }
}
