/// What the file says of one bucket; the environment says the rest.
package struct ObjectStoreConfiguration: Hashable, Sendable {
    /// Who asks.
    package enum Credentials: Hashable, Sendable {
        /// As AWS's tools find it: environment, profile files, web identity, the container's or the machine's role.
        case environment
        /// A profile of AWS's files.
        case profile(Setting<String>)
        /// A key pair, with the token of a session if it is temporary.
        case keys(id: Setting<String>, secret: Setting<String>, sessionToken: Setting<String>?)
    }

    /// How the server encrypts what is stored.
    package enum Encryption: Hashable, Sendable {
        /// As the bucket is set up.
        case bucketDefault
        /// With keys of the store's own.
        case s3
        /// With a key of the key management service; nil for the account's own.
        case kms(keyID: Setting<String>?)
    }

    /// A bucket's name, an access point's alias or ARN.
    package var bucket: String
    /// The server, `http://` or `https://`; nil for AWS's own.
    package var endpoint: Setting<String>?
    /// The region; nil when the environment or the profile says it.
    package var region: Setting<String>?
    /// Whether the bucket stands in the path instead of the host name; nil when the file does not say it.
    package var isPathStyle: Bool?
    /// Who asks.
    package var credentials: Credentials
    /// How the server encrypts.
    package var encryption: Encryption
    /// How long one request may go without an answer.
    package var timeout: Duration

    /// What holds for a bucket that the file does not name.
    package init(bucket: String) {
        self.bucket = bucket
        credentials = .environment
        encryption = .bucketDefault
        timeout = Self.standardTimeout
    }

    static let standardTimeout = Duration.seconds(30)
}

extension LakeConfiguration {
    /// How a bucket is reached.
    package func objectStore(of bucket: String) -> ObjectStoreConfiguration {
        objectStores.first { $0.bucket == bucket } ?? ObjectStoreConfiguration(bucket: bucket)
    }
}
