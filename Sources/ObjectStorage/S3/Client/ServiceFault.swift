import NIOHTTP1

/// What a refusal says of its reason.
struct ServiceFault: Hashable, Sendable {
    /// The status.
    var status: Int
    /// The service's name for it: `SlowDown`; nil when the answer had no body.
    var code: String?
    /// In words.
    var message: String?
    /// The region that would be right, when the answer tells.
    var region: String?
    /// Names the request.
    var requestID: String?

    /// Reads an answer.
    init(_ response: WebResponse) {
        status = response.status
        let root = try? XMLTree(parsing: response.body)
        let error = root?.name == "ErrorResponse" ? root?.first("Error") : root
        code = error?.text("Code")
        message = error?.text("Message")
        region = response.headers.first(name: "x-amz-bucket-region") ?? error?.text("Region")
        requestID = response.headers.first(name: "x-amz-request-id") ?? root?.text("RequestId")
    }

    /// Whether a service that overwrites nothing has surely not done what was asked for.
    var isSurelyNotDone: Bool { status < 500 || code == "SlowDown" }

    /// Why the request failed.
    var reason: S3Error.Code {
        switch code {
        case "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests",
            "ServiceUnavailable", "BandwidthLimitExceeded", "KMS.ThrottlingException":
            return .throttled
        case "RequestTimeout": return .timeout
        case "ConditionalRequestConflict", "OperationAborted", "InternalError": return .serverFailed
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
            "ExpiredTokenException",
            "TokenRefreshRequired", "InvalidClientTokenId", "UnrecognizedClientException", "RequestExpired":
            return .credentialsRefused
        case "RequestTimeTooSkewed": return .clockSkew
        case "AccessDenied", "AllAccessDisabled": return .accessDenied
        case "InvalidObjectState": return .archived
        case "EntityTooLarge": return .tooLarge
        case "InvalidRange": return .rangeNotSatisfiable
        case "PreconditionFailed": return .preconditionFailed
        // S3 hands on what KMS says, with this before it: `KMS.DisabledException`.
        case .some(let code) where code.hasPrefix("KMS.") && status < 500: return .keyUnusable
        default: return reasonOfStatus
        }
    }

    private var reasonOfStatus: S3Error.Code {
        switch status {
        case 301, 307, 308: region.map { .wrongRegion($0) } ?? .refused
        case 400 where code == "AuthorizationHeaderMalformed" && region != nil: .wrongRegion(region ?? "")
        case 401, 403: .accessDenied
        case 404: .notFound
        case 408: .timeout
        case 412: .preconditionFailed
        case 416: .rangeNotSatisfiable
        case 429, 503: .throttled
        case 500...: .serverFailed
        default: .refused
        }
    }

    /// Whether an object that was asked for cannot be had without the key of whoever put it.
    ///
    /// The code alone does not say so: S3 and MinIO answer `InvalidRequest`, radosgw `InvalidArgument`, both also where a request as
    /// such is wrong. All of them name the encryption, some by its letters, OpenStack's Swift by the header that it misses.
    var wantsKey: Bool {
        guard status == 400, let words = message?.lowercased().replacing("-", with: " ") else { return false }
        return words.contains("server side encryption") || words.split(separator: " ").contains("sse")
    }

    /// The error of an operation that failed so.
    func error(_ operation: String, _ path: String) -> S3Error {
        var error = S3Error(reason, operation, path, message: message ?? "the service answered \(status)")
        error.serviceCode = code
        error.status = status
        error.requestID = requestID
        return error
    }
}
