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

/// Prints rows as a table, or as a JSON array of objects.
func printRows(_ header: [String], _ rows: [[String]], format: OutputFormat) throws {
    guard format == .json else { return print(TextTable(header: header, rows: rows).text) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let objects = rows.map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
    print(String(decoding: try encoder.encode(objects), as: UTF8.self))
}
