import JSONText

/// A column, or a field of a struct column.
package struct SchemaField: Hashable, Sendable {
    /// Name, unique in its struct without regard to case.
    package var name: String
    /// Type.
    package var type: DataType
    /// Whether rows may hold null.
    package var nullable: Bool
    /// What writers keep about the column; Delta's own keys start with `delta.`.
    package var metadata: [String: JSONValue]

    package init(
        _ name: String,
        _ type: DataType,
        nullable: Bool = true,
        metadata: [String: JSONValue] = [:]
    ) {
        self.name = name
        self.type = type
        self.nullable = nullable
        self.metadata = metadata
    }
}

/// The columns of a table, or the fields of one struct, in order.
package struct TableSchema: Hashable, Sendable {
    /// The fields.
    package var fields: [SchemaField]

    package init(_ fields: [SchemaField]) {
        self.fields = fields
    }

    /// The field called `name`, byte for byte.
    ///
    /// - Complexity: O(number of fields).
    package subscript(_ name: String) -> SchemaField? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }
    }
}
