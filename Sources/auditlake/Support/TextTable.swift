import Foundation

/// Rows in columns of equal width, for people.
struct TextTable {
    var header: [String]
    var rows: [[String]]

    /// The table's lines.
    var text: String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
                .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }
}

/// A cell of a result.
enum Cell: Encodable {
    /// A text.
    case text(String)
    /// A whole number.
    case number(Int64)
    /// Nothing is known.
    case none

    /// The cell for people.
    var text: String {
        switch self {
        case .text(let text): text
        case .number(let number): "\(number)"
        case .none: ""
        }
    }

    /// Writes a text or number as it is.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .none: try container.encodeNil()
        }
    }
}

/// Prints rows as a table, or as a JSON array of objects.
func printRows(_ header: [String], _ rows: [[Cell]], format: OutputFormat) throws {
    guard format == .json else {
        return try say(TextTable(header: header, rows: rows.map { $0.map(\.text) }).text)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let objects = rows.map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
    try say(String(decoding: try encoder.encode(objects), as: UTF8.self))
}
