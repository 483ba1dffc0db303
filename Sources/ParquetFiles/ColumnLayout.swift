import CArrowParquet

/// Where the values of a column that Arrow owns lie in memory: for whoever goes through all of them.
///
/// Valid as long as the ``ArrowView`` it was made from.
///
/// Source: Arrow's specification, "Columnar Format" and "The Arrow C data interface".
@frozen
package struct ColumnLayout {
    /// Arrow's letters for the type, such as `u` for text and `tsu:UTC` for a timestamp in microseconds.
    package let format: String
    /// The column's name in its structure.
    package let name: String
    /// The number of values.
    package let count: Int
    /// How many values of the buffers lie before the first.
    package let offset: Int
    /// One bit a value, 1 when it is there; nil when none is missing.
    package let validity: UnsafeRawPointer?
    /// Values of a fixed width, or the offsets of texts, lists and maps.
    package let first: UnsafeRawPointer?
    /// The bytes of texts.
    package let second: UnsafeRawPointer?
    /// Columns of a structure, the element of a list, the entries of a map.
    package let children: [ColumnLayout]

    /// Whether value `index` is there.
    @inlinable @inline(__always)
    package func isValid(_ index: Int) -> Bool {
        guard let validity else { return true }
        let at = index &+ offset
        return validity.load(fromByteOffset: at &>> 3, as: UInt8.self) &>> UInt8(at & 7) & 1 == 1
    }

    /// The value at `index` of a column of fixed width.
    @inlinable @inline(__always)
    package func value<Value: BitwiseCopyable>(_ index: Int, as type: Value.Type) -> Value? {
        first?.load(fromByteOffset: (index &+ offset) &* MemoryLayout<Value>.size, as: type)
    }

    /// The truth value at `index`.
    @inlinable @inline(__always)
    package func bit(_ index: Int) -> Bool {
        guard let first else { return false }
        let at = index &+ offset
        return first.load(fromByteOffset: at &>> 3, as: UInt8.self) &>> UInt8(at & 7) & 1 == 1
    }

    /// The bytes of a text, or the elements of a list or map, that belong to value `index`.
    @inlinable @inline(__always)
    package func range(_ index: Int) -> Range<Int> {
        guard let first else { return 0..<0 }
        let at = (index &+ offset) &* 4
        let start = Int(first.load(fromByteOffset: at, as: Int32.self))
        return start..<Int(first.load(fromByteOffset: at &+ 4, as: Int32.self))
    }

    /// The bytes of the text at `index`.
    @inlinable @inline(__always)
    package func text(_ index: Int) -> UnsafeRawBufferPointer {
        let range = range(index)
        return UnsafeRawBufferPointer(start: second.map { $0 + range.lowerBound }, count: range.count)
    }

    /// The bytes of all texts together.
    package var allText: UnsafeRawBufferPointer {
        guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = range(0).lowerBound
        return UnsafeRawBufferPointer(
            start: second.map { $0 + start },
            count: range(count - 1).upperBound - start
        )
    }
}

extension ArrowView {
    /// Where the values lie.
    package var layout: ColumnLayout {
        let array = array.pointee
        func buffer(_ index: Int) -> UnsafeRawPointer? {
            index < array.n_buffers ? array.buffers[index] : nil
        }
        return ColumnLayout(
            format: schema.pointee.format.map { String(cString: $0) } ?? "",
            name: schema.pointee.name.map { String(cString: $0) } ?? "",
            count: Int(array.length),
            offset: Int(array.offset),
            validity: array.null_count == 0 ? nil : buffer(0),
            first: buffer(1),
            second: buffer(2),
            children: (0..<Int(array.n_children)).compactMap { child($0)?.layout }
        )
    }
}
