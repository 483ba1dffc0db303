import Crypto
import DeltaLog
import FoundationEssentials

/// A column of the lake's table, as the target has it.
package struct TargetColumn: Hashable, Sendable {
    /// The name in the lake.
    package var lakeName: String
    /// The name in the target.
    package var name: String
    /// The lake's type.
    package var type: DataType
    /// Whether rows may lack a value.
    package var isNullable: Bool
    /// Whether the value comes from the name of the file, not from its rows.
    package var isPartition: Bool
}

extension TargetColumn {
    /// The columns of a target for a table of the lake, in the lake's order.
    ///
    /// A name that the warehouse cannot take gets another one, which depends on nothing but the name: one that is too long is
    /// cut and ends in a hash of the whole, and one that the server keeps for itself gets `_` behind it.
    ///
    /// - Parameters:
    ///   - schema: The lake's schema.
    ///   - partitionColumns: Names of the columns that files are filed by.
    ///   - dialect: The warehouse's.
    /// - Returns: One column for each of the lake's.
    /// - Throws: `WarehouseError` with `conflict` for a type that the warehouse has nothing for, or two names that come out as one.
    package static func columns(
        of schema: TableSchema,
        partitionColumns: [String],
        dialect: Dialect
    ) throws(WarehouseError) -> [TargetColumn] {
        var taken: Set<String> = []
        var columns: [TargetColumn] = []
        for field in schema.fields {
            guard dialect.type(of: field.type) != nil else {
                throw WarehouseError(
                    .conflict,
                    "the lake's column \(field.name) has the type \(field.type), which no column of the warehouse can have",
                    mend: "load another table"
                )
            }
            let name = fitted(field.name, dialect)
            guard taken.insert(name.lowercased()).inserted else {
                throw WarehouseError(
                    .conflict,
                    "two columns of the lake would be called \(name) in the warehouse",
                    mend: "rename one of them at the source"
                )
            }
            columns.append(
                TargetColumn(
                    lakeName: field.name,
                    name: name,
                    type: field.type,
                    isNullable: field.nullable,
                    isPartition: partitionColumns.contains(field.name)
                )
            )
        }
        return columns
    }

    private static func fitted(_ name: String, _ dialect: Dialect) -> String {
        // Redshift reads names without regard to case and gives them back in lower case.
        let cased = dialect == .redshift ? name.lowercased() : name
        let plain = dialect.reservedColumns.contains(name.lowercased()) ? "\(cased)_" : cased
        guard plain.utf8.count > dialect.nameByteCount else { return plain }
        let hash = SHA256.hash(data: Data(name.utf8)).prefix(4).map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }
        var start = ""
        for character in plain {
            guard start.utf8.count + character.utf8.count <= dialect.nameByteCount - 9 else { break }
            start.append(character)
        }
        return "\(start)_\(hash.joined())"
    }
}
