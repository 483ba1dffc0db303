import Columnar

/// What the values of a CSV column are read as.
package enum CSVColumnType: Hashable, Sendable {
    /// Any text.
    case text
    /// A whole number of 64 bits, without leading zeros.
    case integer
    /// A decimal number.
    case double
    /// `true` or `false`, in any case.
    case boolean
    /// A point in time, in microseconds.
    case timestamp(TimestampFormat)

    /// Reads the name of a type: `text`, `integer`, `double`, `boolean`, `timestamp` or `timestamp:` with a format behind it.
    package init(_ name: String) throws(UnknownCSVType) {
        switch name {
        case "text": self = .text
        case "integer": self = .integer
        case "double": self = .double
        case "boolean": self = .boolean
        case "timestamp": self = .timestamp(.iso)
        case _ where name.hasPrefix(Self.formatPrefix):
            self = .timestamp(try TimestampFormat(String(name.dropFirst(Self.formatPrefix.count))))
        default:
            throw UnknownCSVType(
                name: name,
                reason: "a type is text, integer, double, boolean, timestamp or timestamp:FORMAT"
            )
        }
    }

    private static let formatPrefix = "timestamp:"

    /// The name that the type is stored under.
    package var name: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .double: "double"
        case .boolean: "boolean"
        case .timestamp(.iso): "timestamp"
        case .timestamp(let format): Self.formatPrefix + format.text
        }
    }

    /// The type of the table's column.
    package var columnType: ColumnType {
        switch self {
        case .text: .string
        case .integer: .int64
        case .double: .double
        case .boolean: .boolean
        case .timestamp: .timestamp
        }
    }
}

extension CSVColumnType: Codable {
    package init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        self = try CSVColumnType(name)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

/// The name of a type, or the format of a timestamp, that there is none of.
package struct UnknownCSVType: Error, Hashable, Sendable {
    /// What was given.
    package var name: String
    /// What was expected, for people.
    package var reason: String
}

/// A column that CSV files of a pipeline have had.
package struct CSVColumn: Codable, Hashable, Sendable {
    /// The header's name, trimmed and with ASCII letters in lower case: files' columns are told apart by it.
    package var name: String
    /// The name in the table; fixed for ever.
    package var column: String
    /// What its values are read as; fixed for ever.
    package var type: CSVColumnType

    /// Creates a column.
    package init(name: String, column: String, type: CSVColumnType) {
        self.name = name
        self.column = column
        self.type = type
    }
}
