/// A three-level name: catalog, schema, table.
package struct TableName: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// The first part.
    package var catalog: String
    /// The second part.
    package var schema: String
    /// The third part.
    package var table: String

    /// Creates a name.
    package init(catalog: String, schema: String, table: String) {
        self.catalog = catalog
        self.schema = schema
        self.table = table
    }

    /// Reads `catalog.schema.table`, or `schema.table` in `defaultCatalog`; nil for any other number of parts.
    package init?(_ text: String, defaultCatalog: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        switch parts.count {
        case 2: self.init(catalog: defaultCatalog, schema: parts[0], table: parts[1])
        case 3: self.init(catalog: parts[0], schema: parts[1], table: parts[2])
        default: return nil
        }
    }

    /// The name with dots.
    package var description: String { "\(catalog).\(schema).\(table)" }

    /// The table's folder in the lake.
    package var folder: String { "\(catalog)/\(schema)/\(table)" }

    package static func < (left: TableName, right: TableName) -> Bool {
        (left.catalog, left.schema, left.table) < (right.catalog, right.schema, right.table)
    }
}
