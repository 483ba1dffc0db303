import NIOCore
import NIOHTTP1

/// One HTTP request.
package struct WebRequest: Sendable {
    /// A name and a value of a query, not yet encoded.
    package struct QueryItem: Hashable, Sendable {
        /// The name.
        package var name: String
        /// The value; empty for a name that stands alone.
        package var value: String

        /// Creates an item.
        package init(_ name: String, _ value: String = "") {
            self.name = name
            self.value = value
        }
    }

    /// The method.
    package var method: HTTPMethod
    /// Scheme, host and port: `https://bucket.s3.eu-central-1.amazonaws.com`.
    package var origin: String
    /// The path, percent-encoded, with its first slash.
    package var path: String
    /// The query.
    package var query: [QueryItem]
    /// Headers; `Host` is among them.
    package var headers: HTTPHeaders
    /// The body.
    package var body: ByteBuffer?

    /// Creates a request with the header `Host` of its origin.
    package init(
        _ method: HTTPMethod,
        origin: String,
        path: String,
        query: [QueryItem] = [],
        headers: HTTPHeaders = [:],
        body: ByteBuffer? = nil
    ) {
        self.method = method
        self.origin = origin
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        if !headers.contains(name: "Host") {
            self.headers.add(name: "Host", value: Self.host(of: origin))
        }
    }

    /// The whole address.
    package var url: String {
        query.isEmpty ? origin + path : "\(origin)\(path)?\(RequestSigner.canonicalQuery(query))"
    }

    private static func host(of origin: String) -> String {
        origin.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) ?? origin
    }
}

/// An answer with its whole body.
package struct WebResponse: Sendable {
    /// The status.
    package var status: Int
    /// Headers.
    package var headers: HTTPHeaders
    /// The body, unless it went into a buffer of the caller.
    package var body: [UInt8]
    /// Bytes that went into the caller's buffer.
    package var byteCountInBuffer: Int

    /// Whether the status is one of success.
    package var isSuccess: Bool { (200..<300).contains(status) }
}

/// A request that got no whole answer.
package struct WebFailure: Error, Hashable, Sendable {
    /// What happened.
    package enum Kind: Hashable, Sendable {
        /// No connection was made.
        case unreachable
        /// Nothing came, or not all in time.
        case timeout
        /// The connection ended before the answer did, or what came is no HTTP.
        case broken
    }

    /// What happened.
    package var kind: Kind
    /// Whether the server may have got the request, and done what it says.
    package var mayHaveArrived: Bool
    /// In words.
    package var reason: String
}
