import DeltaLog

/// A column that the target has.
package struct ServerColumn: Hashable, Sendable {
    /// The name.
    package var name: String
    /// The type as it is declared, such as `character varying(20)`.
    package var declaration: String
    /// The type's own name, such as `varchar`.
    package var type: String
    /// Whether rows must have a value.
    package var isRequired: Bool
    /// Whether the server makes a value where none is given.
    package var hasDefault: Bool

    /// Creates a column.
    package init(
        _ name: String,
        declaration: String,
        type: String,
        isRequired: Bool = false,
        hasDefault: Bool = false
    ) {
        self.name = name
        self.declaration = declaration
        self.type = type
        self.isRequired = isRequired
        self.hasDefault = hasDefault
    }
}

/// How the lake's columns fit into those of a target in PostgreSQL.
package struct ServerTable: Hashable, Sendable {
    /// Columns that the target has to get.
    package var missing: [TargetColumn] = []
    /// How the values of each of the lake's columns travel.
    package var wire: [WireColumn] = []
    /// The declared type of each.
    package var declarations: [String] = []

    /// Compares them.
    ///
    /// - Parameters:
    ///   - wanted: The lake's columns.
    ///   - existing: The target's; empty for a target that is made from the lake's.
    ///   - target: The target's name, for errors.
    /// - Throws: `WarehouseError` with `conflict` for a type that does not fit, or a column that must be filled and that the
    ///   lake does not have.
    package init(
        fitting wanted: [TargetColumn],
        into existing: [ServerColumn],
        of target: TargetName
    ) throws(WarehouseError) {
        let byName = Dictionary(existing.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for column in wanted {
            guard let declared = Dialect.postgres.type(of: column.type) else { continue }
            let there = byName[column.name]
            if there == nil { missing.append(column) }
            let type = there?.type ?? Self.names[declared] ?? declared
            guard let wire = WireType(column.type, into: type) else {
                throw WarehouseError(
                    .conflict,
                    "the column \(column.name) of \(target) has the type \(there?.declaration ?? type); the lake's \(column.lakeName) is \(column.type), which needs \(declared)",
                    mend:
                        "change it (ALTER TABLE \(target.quoted) ALTER COLUMN \(quotedName(column.name)) TYPE \(declared) USING …), rename or drop it, or name another target in load.table"
                )
            }
            self.wire.append(WireColumn(column.lakeName, wire, isPartition: column.isPartition))
            declarations.append(there?.declaration ?? declared)
        }
        let names = Set(wanted.map(\.name))
        for column in existing where column.isRequired && !column.hasDefault && !names.contains(column.name) {
            throw WarehouseError(
                .conflict,
                "the column \(column.name) of \(target) must have a value and has no default; the lake has no such column",
                mend:
                    "give it a default (ALTER TABLE \(target.quoted) ALTER COLUMN \(quotedName(column.name)) SET DEFAULT …) or let it be missing (… DROP NOT NULL)"
            )
        }
    }

    /// The catalog's names of the types that we declare.
    private static let names = [
        "integer": "int4", "bigint": "int8", "double precision": "float8", "boolean": "bool",
        "timestamp with time zone": "timestamptz",
    ]
}
