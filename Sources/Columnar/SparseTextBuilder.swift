/// Builds a column of texts of which most may be missing; it finds out on its own whether they repeat.
package struct SparseTextBuilder: ~Copyable {
    private var repeating = DictionaryBuilder(slotCount: 16)
    private var plain = StringBuilder(count: 0, byteCount: 0)
    private var isPlain = false
    /// Values that are there.
    private var valueCount = 0

    /// After so many values each time it is seen whether they repeat; a power of two.
    private static let sampleCount = 512

    /// Creates an empty builder.
    package init() {}

    /// Appends a text as the value at `index`; those before it, as far as they were not appended, are missing.
    @inline(__always)
    package mutating func append(_ text: UnsafeRawBufferPointer, at index: Int) {
        if isPlain {
            plain.appendNulls(upTo: index)
            plain.append(text)
            return
        }
        repeating.appendNulls(upTo: index)
        repeating.append(text)
        valueCount &+= 1
        if valueCount & (Self.sampleCount - 1) == 0 { look() }
    }

    private mutating func look() {
        if repeating.entryCount * 2 > valueCount {
            plain = repeating.takePlain()
            isPlain = true
        }
    }

    /// The column of `count` values; the builder is empty again.
    package mutating func finish(count: Int) -> Column {
        valueCount = 0
        if isPlain {
            plain.appendNulls(upTo: count)
            return plain.finish()
        }
        repeating.appendNulls(upTo: count)
        return repeating.finish()
    }
}
