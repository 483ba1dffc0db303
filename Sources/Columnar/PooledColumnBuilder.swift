/// Builds a column whose texts stand in a pool that it shares with other builders.
///
/// A row takes the four bytes of its entry, however many tables it goes to; `finish` makes a dictionary of those texts
/// alone that this column holds.
@frozen
package struct PooledColumnBuilder: ~Copyable {
    @usableFromInline var entries = ByteBuffer(capacity: 64)
    /// The number of values.
    package private(set) var count = 0

    /// The entry of a missing value.
    @inlinable package static var missing: Int32 { -1 }

    /// Creates an empty builder.
    package init() {}

    /// Appends the value of an entry, or `missing`.
    @inlinable @inline(__always)
    package mutating func append(_ entry: Int32) {
        entries.append(entry)
        count &+= 1
    }

    /// The column, by dictionary when its texts repeat; the builder is empty again.
    ///
    /// - Parameters:
    ///   - pool: The pool that the entries are of.
    ///   - numbers: For reuse: zeros; zeros again afterwards.
    /// - Returns: The texts.
    /// - Complexity: O(values), no text is hashed.
    package mutating func finish(from pool: borrowing TextPool, numbers: inout [Int32]) -> Column {
        if numbers.count < pool.count {
            numbers.append(contentsOf: repeatElement(0, count: pool.count - numbers.count))
        }
        var texts = StringBuilder(count: 0, byteCount: 0)
        var used: [Int32] = []
        var validity = ValidityBuilder()
        let values = entries.base.assumingMemoryBound(to: Int32.self)
        for row in 0..<count {
            let entry = values[row]
            guard entry >= 0 else {
                validity.appendNull(at: row)
                values[row] = 0
                continue
            }
            if numbers[Int(entry)] == 0 {
                texts.append(pool[entry])
                used.append(entry)
                numbers[Int(entry)] = Int32(used.count)
            }
            values[row] = numbers[Int(entry)] - 1
        }
        for entry in used { numbers[Int(entry)] = 0 }
        defer { count = 0 }
        if used.count * 2 > count {
            let column = plain(values, texts, &validity)
            entries.removeAll()
            return column
        }
        let dictionary = texts.finish()
        let (bitmap, nullCount) = validity.finish(count: count)
        return Column(
            type: .dictionaryString,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [entries.freeze()],
            dictionary: [dictionary],
            bounds: dictionary.bounds
        )
    }

    private func plain(
        _ values: UnsafeMutablePointer<Int32>,
        _ texts: borrowing StringBuilder,
        _ validity: inout ValidityBuilder
    ) -> Column {
        var plain = StringBuilder(count: count, byteCount: texts.byteCount)
        for row in 0..<count {
            if validity.isValid(row) {
                plain.append(texts[Int(values[row])])
            } else {
                plain.appendNull()
            }
        }
        return plain.finish()
    }
}
