/// Builds a column of 64-bit floating-point numbers.
///
/// The column has no bounds.
package struct DoubleBuilder: ~Copyable {
    private var values = ByteBuffer(capacity: 64)
    private var validity = ValidityBuilder()
    /// The number of values.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() {}

    /// Appends a value.
    package mutating func append(_ value: Double) {
        values.append(value)
        count &+= 1
    }

    /// Appends a missing value.
    package mutating func appendNull() { appendNulls(upTo: count + 1) }

    /// Appends missing values until there are `newCount` values.
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount - count, from: count)
        values.append(repeating: Double.zero, count: newCount - count)
        count = newCount
    }

    /// The column; the builder is empty again.
    package mutating func finish() -> Column {
        defer { count = 0 }
        let (bitmap, nullCount) = validity.finish(count: count)
        return Column(
            type: .double,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [values.freeze()]
        )
    }
}
