/// The type of a column, in the terms of Arrow's memory layout.
package indirect enum ColumnType: Hashable, Sendable {
    /// One bit a value.
    case boolean
    /// Signed 32 bits.
    case int32
    /// Signed 64 bits.
    case int64
    /// IEEE 754, 64 bits.
    case double
    /// Days since 1970-01-01, 32 bits.
    case date
    /// Microseconds since 1970-01-01 00:00 UTC, 64 bits.
    case timestamp
    /// UTF-8 text with 32-bit offsets.
    case string
    /// UTF-8 text by 32-bit index into a dictionary; readers see plain strings.
    case dictionaryString
    /// Key and value pairs; keys are never null.
    case map(key: ColumnType, value: ColumnType)
    /// Values of one element type.
    case list(ColumnType)
    /// Named fields.
    case structure([ColumnField])
}

/// A named column of a schema or of a structure.
package struct ColumnField: Hashable, Sendable {
    /// The name that readers see.
    package var name: String
    /// The type of the values.
    package var type: ColumnType
    /// Whether a value may be missing.
    package var isNullable: Bool

    /// Creates a field.
    package init(_ name: String, _ type: ColumnType, isNullable: Bool = true) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}
