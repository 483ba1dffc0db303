/// Keys that requests are signed with; their secret parts show in no description.
package struct S3Credentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// Names the keys; no secret.
    package let accessKeyID: String
    /// The secret that signatures are made with.
    package let secretAccessKey: String
    /// Goes with temporary keys.
    package let sessionToken: String?
    /// When the keys end, in microseconds since 1970-01-01 UTC; nil when nothing says so.
    package let expiration: Int64?

    /// Creates credentials.
    package init(
        accessKeyID: String,
        secretAccessKey: String,
        sessionToken: String? = nil,
        expiration: Int64? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    /// The access key's name.
    package var description: String { "credentials \(accessKeyID)" }
    /// The access key's name.
    package var debugDescription: String { description }
    /// The access key's name.
    package var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}

/// Where a client gets credentials for each request.
package protocol CredentialsProvider: Sendable {
    /// Credentials that are valid now. Blocks while they are fetched.
    ///
    /// - Throws: `S3Error` with code `noCredentials`, and what fetching them met.
    func credentials() throws -> S3Credentials
    /// Says that a service refused these as ended or unknown, so that the next call looks for others.
    func reject(_ credentials: S3Credentials)
}

/// Credentials that never change.
package struct FixedCredentials: CredentialsProvider {
    private let value: S3Credentials

    /// Creates a provider of these.
    package init(_ value: S3Credentials) { self.value = value }

    package func credentials() throws -> S3Credentials { value }

    package func reject(_ credentials: S3Credentials) {}
}
