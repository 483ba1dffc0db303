import DeltaLog

/// How a warehouse speaks SQL.
package enum Dialect: Hashable, Sendable {
    /// PostgreSQL.
    case postgres
    /// Amazon Redshift.
    case redshift

    /// Bytes of a name, at most; a server cuts longer ones silently.
    var nameByteCount: Int {
        switch self {
        case .postgres: 63
        case .redshift: 127
        }
    }

    /// Names that a column cannot have, in lower case.
    var reservedColumns: Set<String> {
        let system: Set<String> = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]
        switch self {
        case .postgres: return system
        case .redshift: return system.union(["oid", StagedText.cutColumn])
        }
    }

    /// The type of a new column; nil for a type that no column can have.
    func type(of type: DataType) -> String? {
        switch (type, self) {
        case (.boolean, _): "boolean"
        case (.integer, _): "integer"
        case (.long, _): "bigint"
        case (.double, _): "double precision"
        case (.date, _): "date"
        case (.timestamp, _): "timestamp with time zone"
        case (.string, .postgres): "text"
        case (.string, .redshift): "varchar(65535)"
        case (.map, .postgres), (.array, .postgres), (.structure, .postgres): "jsonb"
        case (.map, .redshift), (.array, .redshift), (.structure, .redshift): "super"
        case (.binary, _): nil
        }
    }
}
