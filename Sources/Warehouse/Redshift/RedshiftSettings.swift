import ObjectStorage

/// What a load into Redshift needs besides the connection.
package struct RedshiftSettings: Sendable {
    /// How Redshift may read the staged files.
    package enum Access: Hashable, Sendable {
        /// By a role of the cluster's.
        case role(String)
        /// By keys.
        case keys(id: String, secret: String, sessionToken: String?)
    }

    /// Where files are staged.
    var store: any ObjectStore
    /// How Redshift may read them.
    var access: Access

    /// Names them.
    package init(store: any ObjectStore, access: Access) {
        self.store = store
        self.access = access
    }

    /// What nobody may see.
    var secrets: [String] {
        switch access {
        case .role: []
        case .keys(let id, let secret, let token): [id, secret] + (token.map { [$0] } ?? [])
        }
    }
}
