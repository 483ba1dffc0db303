/// The type of a column or of a nested value (protocol section "Schema Serialization Format").
package indirect enum DataType: Hashable, Sendable {
    /// `true` or `false`.
    case boolean
    /// A signed number of 32 bits.
    case integer
    /// A signed number of 64 bits.
    case long
    /// A floating-point number of 64 bits.
    case double
    /// Days since 1970-01-01, no time zone.
    case date
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    case timestamp
    /// Valid UTF-8.
    case string
    /// Bytes.
    case binary
    /// Key-value pairs; keys are never null.
    case map(key: DataType, value: DataType, valueContainsNull: Bool)
    /// A list.
    case array(element: DataType, containsNull: Bool)
    /// Named fields.
    case structure(TableSchema)

    /// The name of a type that has no parts, as it stands in a schema string.
    package var primitiveName: String? {
        switch self {
        case .boolean: "boolean"
        case .integer: "integer"
        case .long: "long"
        case .double: "double"
        case .date: "date"
        case .timestamp: "timestamp"
        case .string: "string"
        case .binary: "binary"
        case .map, .array, .structure: nil
        }
    }

    /// The type that `name` stands for, or nil when it is not supported.
    package init?(primitiveName name: String) {
        let all: [DataType] = [.boolean, .integer, .long, .double, .date, .timestamp, .string, .binary]
        guard let type = all.first(where: { $0.primitiveName == name }) else { return nil }
        self = type
    }
}

extension DataType: CustomStringConvertible {
    package var description: String {
        switch self {
        case .map(let key, let value, _): "map<\(key),\(value)>"
        case .array(let element, _): "array<\(element)>"
        case .structure(let schema):
            "struct<" + schema.fields.map { "\($0.name):\($0.type)" }.joined(separator: ",") + ">"
        default: primitiveName ?? ""
        }
    }
}
