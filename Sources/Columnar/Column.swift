/// The values of one column in Arrow's memory layout.
package struct Column: Sendable {
    /// The type of the values.
    package var type: ColumnType
    /// The number of values.
    package var count: Int
    /// The number of missing values.
    package var nullCount: Int
    /// One bit a value, 1 when it is there; nil when none is missing.
    package var validity: FrozenBuffer?
    /// Offsets and data as the layout of `type` says (validity not counted).
    package var buffers: [FrozenBuffer]
    /// Columns of a structure, the element of a list, the entries of a map.
    package var children: [Column]
    /// The values that a `dictionaryString` points into.
    package var dictionary: [Column]
    /// The smallest and greatest value, when the builder kept them.
    package var bounds: ColumnBounds?

    /// Creates a column from its parts.
    package init(
        type: ColumnType,
        count: Int,
        nullCount: Int = 0,
        validity: FrozenBuffer? = nil,
        buffers: [FrozenBuffer] = [],
        children: [Column] = [],
        dictionary: [Column] = [],
        bounds: ColumnBounds? = nil
    ) {
        self.type = type
        self.count = count
        self.nullCount = nullCount
        self.validity = validity
        self.buffers = buffers
        self.children = children
        self.dictionary = dictionary
        self.bounds = bounds
    }
}

/// The smallest and greatest value of a column.
package enum ColumnBounds: Hashable, Sendable {
    /// 64-bit integers, or microseconds of a timestamp.
    case integers(min: Int64, max: Int64)
    /// Texts, in byte order.
    case strings(min: [UInt8], max: [UInt8])

    /// The bounds of both together; nil when they are of different kinds.
    package func union(_ other: ColumnBounds) -> ColumnBounds? {
        switch (self, other) {
        case (.integers(let min1, let max1), .integers(let min2, let max2)):
            .integers(min: min(min1, min2), max: max(max1, max2))
        case (.strings(let min1, let max1), .strings(let min2, let max2)):
            .strings(
                min: min1.lexicographicallyPrecedes(min2) ? min1 : min2,
                max: max1.lexicographicallyPrecedes(max2) ? max2 : max1
            )
        default: nil
        }
    }
}

/// Columns of equal length: what one row group of a file is written from.
package struct RecordBatch: Sendable {
    /// Names and types, in the order of `columns`.
    package var schema: [ColumnField]
    /// The values.
    package var columns: [Column]
    /// The number of rows.
    package var rowCount: Int

    /// Creates a batch.
    package init(schema: [ColumnField], columns: [Column], rowCount: Int) {
        self.schema = schema
        self.columns = columns
        self.rowCount = rowCount
    }

    /// Bytes that the buffers hold.
    package var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}

extension Column {
    /// Bytes that the column's buffers hold, children and dictionary included.
    package var byteCount: Int {
        (validity?.count ?? 0) + buffers.reduce(0) { $0 + $1.count }
            + children.reduce(0) { $0 + $1.byteCount }
            + dictionary.reduce(0) { $0 + $1.byteCount }
    }
}
