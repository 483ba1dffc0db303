import Configuration
import Foundation
import Intake
import ObjectStorage
import Query
import Synchronization

/// Clients of the buckets that a configuration names; each is made once and lives as long as the process.
enum BucketClients {
    private struct Entry {
        var client: S3Client
        var credentials: any CredentialsProvider
    }

    private static let entries = Mutex<[ObjectStoreConfiguration: Entry]>([:])

    /// The client of a bucket; no request is made.
    ///
    /// - Throws: `UsageError`.
    static func client(of store: ObjectStoreConfiguration) throws -> S3Client { try entry(of: store).client }

    /// How the query engine reaches a bucket.
    ///
    /// - Throws: `UsageError`, and `StorageError` when there are no keys.
    static func queryBucket(of store: ObjectStoreConfiguration) throws -> QueryBucket {
        guard !store.bucket.hasPrefix("arn:") else {
            throw UsageError(
                message: "the query engine does not reach \(store.bucket) by its ARN",
                mend: "name the access point by its alias, as NAME-…-s3alias",
                status: .configuration
            )
        }
        let entry = try entry(of: store)
        let keys = try StorageError.translating { try entry.credentials.credentials() }
        let settings = entry.client.settings
        return QueryBucket(
            name: store.bucket,
            endpoint: settings.endpoint,
            region: settings.region,
            isPathStyle: settings.pathStyle,
            keyID: keys.accessKeyID,
            secret: keys.secretAccessKey,
            sessionToken: keys.sessionToken
        )
    }

    /// The queue that tells of a bucket's new objects; no request is made.
    ///
    /// - Throws: `UsageError`.
    static func queue(
        of notifications: NotificationsConfiguration,
        for store: ObjectStoreConfiguration
    ) throws -> SQSQueue {
        let entry = try entry(of: store)
        let environment = ProcessInfo.processInfo.environment
        let region = notifications.region?.value ?? entry.client.settings.region
        let settings = QueueSettings(
            url: notifications.queueURL.value,
            region: region,
            certificates: environment["AWS_CA_BUNDLE"]
        )
        let context = CredentialsContext(environment: environment, region: region)
        let credentials: any CredentialsProvider =
            notifications.profile.map {
                RefreshedCredentials(ProfileCredentials(context, profile: $0.value))
            } ?? entry.credentials
        do {
            return SQSQueue(try QueueClient(settings, credentials: credentials))
        } catch let error as S3Error {
            throw UsageError(message: error.description, mend: error.mend, status: .configuration)
        }
    }

    private static func entry(of store: ObjectStoreConfiguration) throws -> Entry {
        try entries.withLock { entries in
            if let known = entries[store] { return known }
            do {
                let made = try make(store)
                entries[store] = made
                return made
            } catch let error as S3Error {
                throw UsageError(message: error.description, mend: error.mend, status: .configuration)
            }
        }
    }

    private static func make(_ store: ObjectStoreConfiguration) throws -> Entry {
        let environment = ProcessInfo.processInfo.environment
        let profile: String? = if case .profile(let name) = store.credentials { name.value } else { nil }
        // Other services take any region; AWS names the right one in its first answer.
        let anywhere = CredentialsContext(environment: environment, region: "us-east-1")
        let region =
            try store.region?.value ?? S3Endpoint.region(ofAccessPoint: store.bucket)
            ?? anywhere.configuredRegion(profile: profile) ?? anywhere.region
        let context = CredentialsContext(environment: environment, region: region)
        let credentials: any CredentialsProvider =
            switch store.credentials {
            case .keys(let id, let secret, let token):
                FixedCredentials(
                    S3Credentials(
                        accessKeyID: id.value,
                        secretAccessKey: secret.value,
                        sessionToken: token?.value
                    )
                )
            case .profile(let name): RefreshedCredentials(ProfileCredentials(context, profile: name.value))
            case .environment: RefreshedCredentials(CredentialsChain(context))
            }
        let endpoint =
            store.endpoint?.value ?? environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"]
        let settings = S3Settings(
            endpoint: endpoint,
            region: region,
            bucket: store.bucket,
            // Only AWS itself is sure to have a host name for each bucket.
            pathStyle: store.isPathStyle ?? (endpoint != nil),
            encryption: store.serverSideEncryption,
            certificates: environment["AWS_CA_BUNDLE"],
            limits: WebLimits(idle: store.timeout),
            parallelParts: 4
        )
        return Entry(client: try S3Client(settings, credentials: credentials), credentials: credentials)
    }
}

extension ObjectStoreConfiguration {
    /// The setting as the client has it.
    fileprivate var serverSideEncryption: S3Settings.Encryption {
        switch encryption {
        case .bucketDefault: .bucketDefault
        case .s3: .s3
        case .kms(let key): .kms(key: key?.value, bucketKey: true)
        }
    }
}

extension LakeConfiguration {
    /// The engine for questions to the lake.
    ///
    /// - Throws: `QueryError` with code `engineMissing`; `UsageError`, `StorageError` for a bucket that cannot be reached.
    func queryEngine() throws -> QueryEngine {
        let environment = ProcessInfo.processInfo.environment
        var buckets: [QueryBucket] = []
        if case .s3(let bucket, _) = lake.value {
            buckets.append(try BucketClients.queryBucket(of: objectStore(of: bucket)))
        }
        return QueryEngine(
            executable: try EngineLocation.find(executable: Program.path, environment: environment),
            temporaryFolder: NSTemporaryDirectory(),
            buckets: buckets
        )
    }
}
