import DeltaLog

/// How a value travels in PostgreSQL's binary COPY.
package enum WireType: Hashable, Sendable {
    case text
    case int8
    case int4
    case float8
    case boolean
    case timestamp
    case date
    /// JSON text behind a version byte.
    case jsonb
    /// JSON text, for columns of the types json and text.
    case json

    /// The way of a lake's type into a column of PostgreSQL's; nil when there is none.
    ///
    /// - Parameters:
    ///   - type: The lake's type.
    ///   - serverType: The column's type, as `pg_type.typname` has it.
    package init?(_ type: DataType, into serverType: String) {
        switch (type, serverType) {
        case (.string, "text"), (.string, "varchar"): self = .text
        case (.long, "int8"): self = .int8
        case (.integer, "int4"): self = .int4
        case (.double, "float8"): self = .float8
        case (.boolean, "bool"): self = .boolean
        case (.timestamp, "timestamptz"): self = .timestamp
        case (.date, "date"): self = .date
        case (.map, "jsonb"), (.array, "jsonb"), (.structure, "jsonb"): self = .jsonb
        case (.map, "json"), (.array, "json"), (.structure, "json"), (.map, "text"), (.array, "text"),
            (.structure, "text"):
            self = .json
        default: return nil
        }
    }

    /// Whether a column of a file, in Arrow's letters, holds values of this kind.
    func takes(_ format: String) -> Bool {
        switch self {
        case .text: format == "u"
        case .int8: format == "l"
        case .int4: format == "i"
        case .float8: format == "g"
        case .boolean: format == "b"
        case .timestamp: format.hasPrefix("tsu:")
        case .date: format == "tdD"
        case .jsonb, .json: format.hasPrefix("+")
        }
    }
}

/// A column that a COPY fills.
package struct WireColumn: Hashable, Sendable {
    /// Its name in files of the lake.
    package var lakeName: String
    /// How its values travel.
    package var type: WireType
    /// Whether they come from the name of the file.
    package var isPartition: Bool

    /// Creates a column.
    package init(_ lakeName: String, _ type: WireType, isPartition: Bool = false) {
        self.lakeName = lakeName
        self.type = type
        self.isPartition = isPartition
    }
}
