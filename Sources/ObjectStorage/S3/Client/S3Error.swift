import Glibc

/// An operation on object storage that failed.
package struct S3Error: Error, Hashable, Sendable, CustomStringConvertible {
    /// Why it failed.
    package enum Code: Hashable, Sendable {
        /// There is no such object, upload or bucket.
        case notFound
        /// The keys are valid but may not do this.
        case accessDenied
        /// The object is encrypted with a key of KMS that is disabled, gone, or of no use.
        case keyUnusable
        /// The object was put with a key of whoever put it, and cannot be had without.
        case keyWanted
        /// The object lies in an archive, from which it has to be brought back first.
        case archived
        /// The service does not know the keys, or they have ended, or the secret is wrong.
        case credentialsRefused
        /// There are no keys, or they could not be fetched.
        case noCredentials
        /// The object is another one than the caller wants: `If-Match` did not hold.
        case preconditionFailed
        /// The service wants fewer requests.
        case throttled
        /// No answer in time.
        case timeout
        /// No connection.
        case unreachable
        /// The connection ended before the answer did.
        case connectionBroken
        /// The service failed.
        case serverFailed
        /// The bucket is in this other region.
        case wrongRegion(String)
        /// This machine's clock is wrong by more than the service takes.
        case clockSkew
        /// The range begins behind the object's end.
        case rangeNotSatisfiable
        /// More than one put takes: 5 GiB.
        case tooLarge
        /// What came is not what the protocol says.
        case invalidAnswer
        /// Bucket, region or endpoint cannot be used.
        case invalidSettings
        /// The service refuses the request for another reason.
        case refused
    }

    /// Why it failed.
    package var code: Code
    /// What was being done: `read`, `put`, `list` and so on.
    package var operation: String
    /// `s3://bucket/key`, or where credentials were looked for.
    package var path: String
    /// In the service's words, or ours.
    package var message: String
    /// The service's own name for it: `NoSuchBucket`.
    package var serviceCode: String?
    /// The status of the answer.
    package var status: Int?
    /// Names the request to the service's support.
    package var requestID: String?
    /// Whether an attempt may nevertheless have done what was asked for.
    package var outcomeIsUnknown = false

    /// Creates an error.
    package init(_ code: Code, _ operation: String, _ path: String, message: String) {
        self.code = code
        self.operation = operation
        self.path = path
        self.message = message
    }

    /// Whether trying again later, without a change by a person, can help.
    package var isRetryable: Bool {
        switch code {
        case .throttled, .timeout, .unreachable, .connectionBroken, .serverFailed: true
        default: false
        }
    }

    /// What happened, in words.
    package var description: String {
        let details = [serviceCode, status.map { "status \($0)" }, requestID.map { "request \($0)" }]
            .compactMap { $0 }.joined(separator: ", ")
        let unknown = outcomeIsUnknown ? "; it may have been done nevertheless" : ""
        return "cannot \(operation) \(path): \(message)" + (details.isEmpty ? "" : " (\(details))") + unknown
    }

    /// What a person can do about it.
    package var mend: String {
        switch code {
        case .notFound: "check the bucket and the path"
        case .accessDenied: "give these credentials the right to \(operation) it"
        case .keyUnusable: "enable the KMS key of the object, or put the object again with another key"
        case .keyWanted: "put the object again without a key of your own (SSE-C)"
        case .archived: "restore the object from its archive"
        case .credentialsRefused: "check the access key and its secret, or get new ones"
        case .noCredentials:
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
        case .preconditionFailed: "run the same command again; the object was changed meanwhile"
        case .throttled, .timeout, .serverFailed, .connectionBroken:
            "run the same command again; nothing is lost"
        case .unreachable: "check the endpoint and the network"
        case .wrongRegion(let region): "set the region to \(region)"
        case .clockSkew: "set this machine's clock"
        case .rangeNotSatisfiable: "run the same command again; the object has become shorter"
        case .tooLarge: "write smaller files"
        case .invalidAnswer: "check that the endpoint is an S3 service"
        case .invalidSettings: "mend the settings of the object store"
        case .refused: "look up the service's code"
        }
    }
}
