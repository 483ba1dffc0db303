import NIOCore
import NIOHTTP1

/// One call of the S3 API, before it is addressed and signed.
struct S3Request {
    /// What is done, for errors.
    var operation: String
    var method: HTTPMethod
    /// nil for a call that concerns the bucket.
    var key: String?
    var query: [WebRequest.QueryItem] = []
    var headers: HTTPHeaders = [:]
    var body: ByteBuffer?
    /// SHA-256 of the body.
    var payloadHash = PayloadHash.empty
    /// Statuses besides those of success that the caller wants to see.
    var accepted: Set<Int> = []
    /// Whether a success may have an error for a body, which S3 does when a call takes long.
    var mayFailInBody = false
    /// Whether a success names an entity tag: what does not comes from something else than S3, such as a page of a proxy.
    var demandsTag = false
    /// Whether the call changes something, so that its outcome may be unknown.
    var isChange: Bool { method != .GET && method != .HEAD }
    /// Whether the call asks for an object.
    var isReading: Bool { key != nil && !isChange }
}

/// The answer to a call.
struct S3Answer {
    var response: WebResponse
    /// Whether an earlier attempt may have done what was asked for: its answer was lost.
    var mayBeDoneBefore: Bool
}
