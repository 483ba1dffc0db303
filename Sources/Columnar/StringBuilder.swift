import CByteScan

/// Builds a column of texts, each copied once.
///
/// The caller vouches that every text is valid UTF-8.
@frozen
package struct StringBuilder: ~Copyable {
    @usableFromInline var offsets = ByteBuffer(capacity: 4096)
    @usableFromInline var data = ByteBuffer(capacity: 4096)
    @usableFromInline var validity = ValidityBuilder()
    /// The number of values.
    package private(set) var count = 0

    /// Creates an empty builder.
    package init() { offsets.append(Int32(0)) }

    /// Creates an empty builder with room for `count` values of `byteCount` bytes together.
    package init(count: Int, byteCount: Int) {
        offsets = ByteBuffer(capacity: (count + 1) * 4)
        data = ByteBuffer(capacity: byteCount)
        offsets.append(Int32(0))
    }

    /// Bytes held.
    @inlinable package var byteCount: Int { offsets.count &+ data.count }

    /// Appends a text.
    @inlinable @inline(__always)
    package mutating func append(_ text: UnsafeRawBufferPointer) {
        data.append(text)
        closeValue()
    }

    /// Appends a text of at most `capacity` bytes that `body` writes; it returns how many it wrote.
    @inlinable @inline(__always)
    package mutating func append(atMost capacity: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        data.append(atMost: capacity, body)
        closeValue()
    }

    /// Appends a missing value.
    @inlinable @inline(__always)
    package mutating func appendNull() {
        validity.appendNull(at: count)
        closeValue()
    }

    /// Appends missing values until there are `newCount` values.
    @inlinable
    package mutating func appendNulls(upTo newCount: Int) {
        guard newCount > count else { return }
        validity.appendNulls(newCount &- count, from: count)
        let end = Int32(truncatingIfNeeded: data.count)
        offsets.append(repeating: end, count: newCount &- count)
        count = newCount
    }

    @inlinable @inline(__always)
    mutating func closeValue() {
        offsets.append(Int32(truncatingIfNeeded: data.count))
        count &+= 1
    }

    /// The text at `index`; valid until the next append.
    @inlinable package subscript(index: Int) -> UnsafeRawBufferPointer {
        let ends = offsets.bytes.baseAddress.unsafelyUnwrapped
        let start = Int(ends.load(fromByteOffset: index &* 4, as: Int32.self))
        let end = Int(ends.load(fromByteOffset: index &* 4 &+ 4, as: Int32.self))
        return UnsafeRawBufferPointer(rebasing: data.bytes[start..<end])
    }

    /// Puts a text in the place of values, none of which may be shorter.
    ///
    /// - Parameters:
    ///   - indices: Ascending.
    ///   - text: What takes their place; valid UTF-8.
    /// - Complexity: O(bytes and values behind the first of them).
    package mutating func replace(at indices: [Int], with text: UnsafeRawBufferPointer) {
        var removed = 0
        for (order, index) in indices.enumerated() {
            let start = end(ofValueBefore: index) + removed
            let end = end(ofValueBefore: index + 1)
            precondition(end - start >= text.count, "a value may not grow")
            for (offset, byte) in text.enumerated() { data.overwrite(byte, at: start - removed + offset) }
            removed += end - start - text.count
            let next = order + 1 < indices.count ? indices[order + 1] : count
            let rest = end..<(next < count ? self.end(ofValueBefore: next) : data.count)
            data.move(rest, to: end - removed)
            for value in index + 1...next {
                offsets.overwrite(Int32(self.end(ofValueBefore: value) - removed), at: value * 4)
            }
        }
        data.truncate(to: data.count - removed)
    }

    private func end(ofValueBefore index: Int) -> Int {
        Int(offsets.bytes.load(fromByteOffset: index * 4, as: Int32.self))
    }

    /// The column; the builder is empty again.
    ///
    /// `bounds` costs a comparison or two a value.
    package mutating func finish(withBounds: Bool = true) -> Column {
        let bounds = withBounds ? textBounds() : nil
        let (bitmap, nullCount) = validity.finish(count: count)
        let column = Column(
            type: .string,
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            buffers: [offsets.freeze(), data.freeze()],
            bounds: bounds
        )
        offsets.append(Int32(0))
        count = 0
        return column
    }

    private borrowing func textBounds() -> ColumnBounds? {
        guard count > validity.nullCount else { return nil }
        var low = -1
        var high = -1
        for index in 0..<count where validity.isValid(index) {
            let text = self[index]
            if low < 0 {
                low = index
                high = index
            } else if text.precedes(self[low]) {
                low = index
            } else if self[high].precedes(text) {
                high = index
            }
        }
        return .strings(min: Array(self[low]), max: Array(self[high]))
    }
}

extension ValidityBuilder {
    /// Whether value `index` is there.
    @inlinable package func isValid(_ index: Int) -> Bool {
        index >= filledTo || bits.bytes[index &>> 3] &>> UInt8(truncatingIfNeeded: index & 7) & 1 == 1
    }
}

extension UnsafeRawPointer {
    /// Whether the numbers at both offsets are the same.
    @inlinable @inline(__always)
    func holdsSame<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type,
        as other: UnsafeRawPointer,
        at first: Int,
        _ second: Int
    ) -> Bool {
        loadUnaligned(fromByteOffset: first, as: type) == other.loadUnaligned(fromByteOffset: first, as: type)
            && loadUnaligned(fromByteOffset: second, as: type)
                == other.loadUnaligned(fromByteOffset: second, as: type)
    }
}

extension UnsafeRawBufferPointer {
    /// Byte order, as Parquet and Delta order texts.
    @inlinable package func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        let shared = Swift.min(count, other.count)
        if shared > 0 {
            let order = compareBytes(self, other, shared)
            if order != 0 { return order < 0 }
        }
        return count < other.count
    }

    /// Whether both hold the same bytes.
    @inlinable package func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let left = baseAddress, let right = other.baseAddress, count > 0 else { return true }
        // Most texts are short, and a call costs more than two loads that overlap.
        if count > 16 { return compareBytes(self, other, count) == 0 }
        if count >= 8 { return left.holdsSame(UInt64.self, as: right, at: 0, count &- 8) }
        if count >= 4 { return left.holdsSame(UInt32.self, as: right, at: 0, count &- 4) }
        return left.holdsSame(UInt8.self, as: right, at: 0, count &- 1)
            && left.holdsSame(UInt8.self, as: right, at: count &>> 1, 0)
    }
}
