import Crypto
import NIOHTTP1

/// Signs requests by AWS Signature Version 4, in headers.
///
/// All headers that a request has are signed, so what is added on the way (`Content-Length`, `Connection`) must be
/// added later. The path is signed as it is, encoded once: the rule of S3, and of `/` everywhere.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
package struct RequestSigner: Sendable {
    private let credentials: S3Credentials
    private let region: String
    private let service: String

    /// Creates a signer.
    package init(credentials: S3Credentials, region: String, service: String) {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// Adds `X-Amz-Date`, `X-Amz-Security-Token` when there is a token, and `Authorization`.
    ///
    /// - Parameters:
    ///   - request: Has all other headers, `Host` among them.
    ///   - payloadHash: SHA-256 of the body in hexadecimal digits, or `UNSIGNED-PAYLOAD`.
    ///   - now: Microseconds since 1970-01-01 UTC.
    package func sign(_ request: inout WebRequest, payloadHash: String, now: Int64) {
        let time = UTCTime(microseconds: now)
        request.headers.replaceOrAdd(name: "X-Amz-Date", value: time.basic)
        if let token = credentials.sessionToken {
            request.headers.replaceOrAdd(name: "X-Amz-Security-Token", value: token)
        }
        let names = Set(request.headers.map { $0.name.lowercased() }).sorted()
        let canonical = Self.canonicalRequest(request, names: names, payloadHash: payloadHash)
        let signature = PayloadHash.hex(code(stringToSign(canonical, time), signingKey(time)))
        request.headers.replaceOrAdd(
            name: "Authorization",
            value: "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(time)), "
                + "SignedHeaders=\(names.joined(separator: ";")), Signature=\(signature)"
        )
    }

    /// The request in the one form that both sides hash.
    static func canonicalRequest(_ request: WebRequest, names: [String], payloadHash: String) -> String {
        let headers = names.map { name in
            let values = request.headers[name].map(trimmed)
            return "\(name):\(values.joined(separator: ","))\n"
        }
        return [
            request.method.rawValue, request.path, canonicalQuery(request.query), headers.joined(),
            names.joined(separator: ";"), payloadHash,
        ].joined(separator: "\n")
    }

    /// The query, encoded and sorted by names, then by values.
    static func canonicalQuery(_ query: [WebRequest.QueryItem]) -> String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }
            .map { "\($0)=\($1)" }
            .joined(separator: "&")
    }

    /// A header's value without spaces at its ends, and with one space for each run of them.
    private static func trimmed(_ value: String) -> String {
        value.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    }

    private func scope(_ time: UTCTime) -> String { "\(time.basicDate)/\(region)/\(service)/aws4_request" }

    private func stringToSign(_ canonicalRequest: String, _ time: UTCTime) -> String {
        let hash = PayloadHash.sha256(Array(canonicalRequest.utf8))
        return "AWS4-HMAC-SHA256\n\(time.basic)\n\(scope(time))\n\(hash)"
    }

    private func signingKey(_ time: UTCTime) -> SymmetricKey {
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
        for part in [time.basicDate, region, service, "aws4_request"] {
            key = SymmetricKey(data: code(part, key))
        }
        return key
    }

    private func code(_ text: String, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }
}
