/// Where the objects are and how they are reached; no secrets.
package struct S3Settings: Hashable, Sendable {
    /// How the service encrypts what it stores.
    package enum Encryption: Hashable, Sendable {
        /// As the bucket is configured.
        case bucketDefault
        /// With keys of S3.
        case s3
        /// With a key of KMS; nil for the account's own one. A bucket key saves calls to KMS.
        case kms(key: String?, bucketKey: Bool)
    }

    /// `https://host` or `http://host:port`; nil for AWS itself.
    package var endpoint: String?
    /// The region that requests are signed for.
    package var region: String
    /// A bucket's name, an access point's ARN, or an access point's alias.
    package var bucket: String
    /// Whether the bucket stands in the path instead of the host's name.
    package var pathStyle: Bool
    /// How new objects are encrypted.
    package var encryption: Encryption
    /// A PEM file with the authorities that the service is trusted by, as `AWS_CA_BUNDLE` names it; nil for those of
    /// the machine.
    package var certificates: String?
    /// Time limits and connections.
    package var limits: WebLimits
    /// Repeating.
    package var retries: RetryPolicy
    /// Size of the parts of an upload, and of a parallel read, in bytes; S3 wants 5 MiB at least.
    package var partByteCount: Int
    /// Parts of one upload, or of one parallel read, that travel at once.
    package var parallelParts: Int

    /// Creates settings.
    package init(
        endpoint: String? = nil,
        region: String,
        bucket: String,
        pathStyle: Bool = false,
        encryption: Encryption = .bucketDefault,
        certificates: String? = nil,
        limits: WebLimits = WebLimits(),
        retries: RetryPolicy = RetryPolicy(),
        partByteCount: Int = 8 << 20,
        parallelParts: Int = 2
    ) {
        self.endpoint = endpoint
        self.region = region
        self.bucket = bucket
        self.pathStyle = pathStyle
        self.encryption = encryption
        self.certificates = certificates
        self.limits = limits
        self.retries = retries
        self.partByteCount = partByteCount
        self.parallelParts = parallelParts
    }
}
