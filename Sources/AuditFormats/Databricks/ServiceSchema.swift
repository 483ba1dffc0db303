/// One service: its gold table, and the columns of its `requestParams` in order of first appearance.
///
/// Names never change. What comes later gets a name that differs, regardless of case, from those that are there.
package struct ServiceSchema: Hashable, Sendable, Encodable {
    /// One key of `requestParams`.
    package struct Key: Hashable, Sendable, Encodable {
        /// As the events have it.
        package var key: String
        /// The name of its field.
        package var column: String

        /// Creates a key.
        package init(key: String, column: String) {
            self.key = key
            self.column = column
        }
    }

    /// As the events have it; empty for events that have none.
    package var service: String
    /// The name of its table.
    package var table: String
    /// The keys.
    package var keys: [Key]
    /// Whether rows were handed out before the first key was seen: the structure begins with the field `placeholder` for good.
    package var keepsPlaceholder: Bool

    /// Creates a schema.
    package init(service: String, table: String, keys: [Key] = [], keepsPlaceholder: Bool = false) {
        self.service = service
        self.table = table
        self.keys = keys
        self.keepsPlaceholder = keepsPlaceholder
    }

    /// The one field of a structure without keys.
    package static let placeholder = "placeholder"

    /// The names of the fields of `requestParams`.
    package var fieldNames: [String] {
        (hasPlaceholder ? [Self.placeholder] : []) + keys.map(\.column)
    }

    /// Whether the structure has a field that stands for no key.
    package var hasPlaceholder: Bool { keepsPlaceholder || keys.isEmpty }
}
