/// Builds a column of structures of texts, most of which are missing in a row: a row costs what is in it, not what could
/// be, and so does the builder.
package struct TextStructBuilder: ~Copyable {
    /// Roughly the bytes that a field takes once it has a value.
    private static let fieldByteCount = 1 << 10
    /// So many fields are thought to have a value in every other row.
    private static let commonFieldCount = 256

    /// The fields that have had a value, in order of their first one.
    private var children: UnsafeMutablePointer<SparseTextBuilder>
    private var capacity = 0
    private var childCount = 0
    /// By field, its child; -1 for none.
    private var childOfField: [Int32] = []
    private var validity = ValidityBuilder()
    /// The number of structures.
    package private(set) var count = 0

    /// Roughly the bytes that fields take, and will take in `finish`, beside their texts: a field that has a value takes room
    /// for each row.
    @inline(__always)
    package var fieldByteCount: Int {
        childCount &* Self.fieldByteCount &+ max(0, childCount &- Self.commonFieldCount) &* count &* 4
    }

    /// Creates an empty builder.
    package init() { children = .allocate(capacity: 0) }

    deinit {
        children.deinitialize(count: childCount)
        children.deallocate()
    }

    /// Sets a field of the present structure, which is missing so far.
    ///
    /// - Parameters:
    ///   - text: Valid UTF-8.
    ///   - field: Index of the field; new ones may come at any time.
    @inline(__always)
    package mutating func set(_ text: UnsafeRawBufferPointer, field: Int) {
        var child = field < childOfField.count ? Int(childOfField[field]) : -1
        if child < 0 { child = makeChild(of: field) }
        children[child].append(text, at: count)
    }

    /// Ends the present structure and starts the next.
    @inline(__always)
    package mutating func close() { count &+= 1 }

    /// Appends a missing structure; none may be begun.
    package mutating func appendNull() {
        validity.appendNull(at: count)
        count &+= 1
    }

    @inline(never)
    private mutating func makeChild(of field: Int) -> Int {
        if field >= childOfField.count {
            childOfField += repeatElement(-1, count: field + 1 - childOfField.count)
        }
        if childCount == capacity {
            capacity = max(capacity * 2, 8)
            let larger = UnsafeMutablePointer<SparseTextBuilder>.allocate(capacity: capacity)
            larger.moveInitialize(from: children, count: childCount)
            children.deallocate()
            children = larger
        }
        (children + childCount).initialize(to: SparseTextBuilder())
        childOfField[field] = Int32(childCount)
        childCount += 1
        return childCount - 1
    }

    /// The column; the builder is empty again.
    ///
    /// - Parameter names: Of the fields, at least of those that were set.
    /// - Returns: The structures, with one child a name. Fields without a value share their bytes.
    /// - Complexity: O(names + values).
    package mutating func finish(names: [String]) -> Column {
        precondition(names.count >= childOfField.count, "a name for each field")
        var unset = SparseTextBuilder()
        var columns = Array(repeating: unset.finish(count: count), count: names.count)
        for (field, child) in childOfField.enumerated() where child >= 0 {
            columns[field] = children[Int(child)].finish(count: count)
        }
        let (bitmap, nullCount) = validity.finish(count: count)
        defer { count = 0 }
        return Column(
            type: .structure(zip(names, columns).map { ColumnField($0, $1.type) }),
            count: count,
            nullCount: nullCount,
            validity: bitmap,
            children: columns
        )
    }
}
