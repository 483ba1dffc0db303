import NIOHTTP1

/// A request to a service that gives credentials: repeated a few times, then an error that names the service.
struct CredentialsCall {
    let context: CredentialsContext
    let limits: WebLimits
    /// The service's name, for errors.
    let place: String

    private static let retries = RetryPolicy(attempts: 3, base: .milliseconds(200), cap: .seconds(2))

    /// Sends a request and gives the answer, whatever its status.
    ///
    /// - Throws: `S3Error` of the last attempt when none got an answer.
    func send(_ request: WebRequest) throws -> WebResponse {
        try WebTransport.once(limits, certificates: context.variable("AWS_CA_BUNDLE")) { transport in
            var attempts = Attempts(Self.retries, context.clock)
            while true {
                let result = Result { () throws(WebFailure) -> WebResponse in
                    try transport.send(request)
                }
                switch result {
                case .success(let response):
                    let mayPass = response.status >= 500 || response.status == 429
                    guard mayPass, attempts.waitForNext() else { return response }
                case .failure(let failure):
                    guard attempts.waitForNext() else {
                        throw S3Error(failure, "find credentials at", place)
                    }
                }
            }
        }
    }

    /// The error of an answer that is no success.
    func error(_ response: WebResponse) -> S3Error {
        let fault = ServiceFault(response)
        var error = fault.error("find credentials at", place)
        // Whatever it is, it is not the credentials of a request to S3 that were refused.
        error.code = error.isRetryable ? error.code : .noCredentials
        return error
    }
}

extension WebRequest {
    /// Creates a request to an address as configurations write it, which must not be signed.
    ///
    /// nil when it is no address of HTTP.
    init?(_ method: HTTPMethod, url: String, headers: HTTPHeaders = [:]) {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return nil }
        let rest = url.dropFirst(scheme.utf8.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        guard !host.isEmpty else { return nil }
        let path = rest.dropFirst(host.count)
        self.init(
            method,
            origin: scheme + host,
            path: path.hasPrefix("/") ? String(path) : "/\(path)",
            headers: headers
        )
    }
}
