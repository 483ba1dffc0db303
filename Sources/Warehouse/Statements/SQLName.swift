/// A name in double quotes, whatever its characters.
func quotedName(_ name: String) -> String { quoted(name, by: "\"") }

/// A text as a literal, for servers that read a backslash as itself.
func quotedText(_ text: String) -> String { quoted(text, by: "'") }

/// Goes by scalars: a quote that a combining mark follows is one character with it, and still a quote to the server.
private func quoted(_ text: String, by quote: Unicode.Scalar) -> String {
    var result = String.UnicodeScalarView([quote])
    for scalar in text.unicodeScalars {
        if scalar == quote { result.append(quote) }
        result.append(scalar)
    }
    result.append(quote)
    return String(result)
}

/// The table of a warehouse that receives the rows.
package struct TargetName: Hashable, Sendable, CustomStringConvertible {
    /// The schema.
    package var schema: String
    /// The table in it.
    package var table: String

    /// Names a table; letters are taken as they are written.
    package init(schema: String, table: String) {
        self.schema = schema
        self.table = table
    }

    /// The name with a dot, for people.
    package var description: String { "\(schema).\(table)" }

    /// The name in a statement.
    var quoted: String { "\(quotedName(schema)).\(quotedName(table))" }

    /// The table beside it in which the cursors are.
    var batches: TargetName { TargetName(schema: schema, table: "auditlake_batches") }
}
