/// A SQL warehouse that rows of the lake are loaded into.
package struct WarehouseConfiguration: Hashable, Sendable {
    /// The kinds.
    package enum Kind: Hashable, Sendable {
        /// PostgreSQL.
        case postgres
        /// Amazon Redshift, with where files are put for it.
        case redshift(RedshiftConfiguration)
    }

    /// The name, unique in the file without regard to letter case.
    package var name: String
    /// What it is.
    package var kind: Kind
    /// Where it is, in a form that libpq reads; nobody may see it, for it has the password.
    package var url: Setting<String>
}

/// What a load into Amazon Redshift needs besides the connection.
package struct RedshiftConfiguration: Hashable, Sendable {
    /// How Redshift may read the staged files.
    package enum Access: Hashable, Sendable {
        /// By a role of the cluster's.
        case role(Setting<String>)
        /// By keys, which the COPY statement then holds.
        case keys(id: Setting<String>, secret: Setting<String>, sessionToken: Setting<String>?)
    }

    /// The bucket that files are staged in.
    package var bucket: String
    /// What their keys begin with, without slashes at its ends; may be empty.
    package var prefix: String
    /// How Redshift reads them.
    package var access: Access
}

/// Where the rows of a pipeline's main table go besides the lake.
package struct LoadConfiguration: Hashable, Sendable {
    /// What happens with a row whose key is in the target.
    package enum Mode: String, CaseIterable, Sendable {
        /// Rows are added.
        case insert
        /// A row takes the place of one with the same key.
        case merge
    }

    /// The warehouse's name.
    package var warehouse: String
    /// The target's schema.
    package var schema: String
    /// The target's table.
    package var table: String
    /// What happens with a row whose key is in the target.
    package var mode: Mode
    /// Columns of the lake that tell rows apart; empty for `insert`.
    package var key: [String]
}
