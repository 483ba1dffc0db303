import NIOPosix
import Synchronization

/// A bucket of any service that speaks the protocol of S3.
///
/// All methods block the calling thread and may be called from many threads, but never on an event loop or a thread of
/// Swift's concurrency pool. Failures that pass are repeated; everything has a time limit.
package final class S3Client: Sendable {
    /// What a client learns from the service's answers.
    private struct Learned {
        var endpoint: S3Endpoint
        /// The service's clock less this machine's, in microseconds.
        var clockOffset: Int64 = 0
    }

    /// Where the objects are.
    package let settings: S3Settings
    /// Rings at each failed attempt that may be made again, and when an attempt has no answer yet although it should.
    package let failures = FailureBell()
    let clock: StoreClock
    /// Threads that parts of uploads and parallel reads travel on.
    let workers: NIOThreadPool
    private let credentials: any CredentialsProvider
    private let transport: WebTransport
    private let calls: ServiceCalls
    private let learned: Mutex<Learned>

    /// Creates a client; `shutdown` must be called once.
    ///
    /// - Throws: `S3Error` with code `invalidSettings`. No request is made.
    package init(
        _ settings: S3Settings,
        credentials: any CredentialsProvider,
        clock: StoreClock = .system
    ) throws {
        self.settings = settings
        self.credentials = credentials
        self.clock = clock
        learned = Mutex(Learned(endpoint: try S3Endpoint(settings)))
        transport = WebTransport(limits: settings.limits, certificates: settings.certificates)
        calls = ServiceCalls(
            transport: transport,
            credentials: credentials,
            clock: clock,
            retries: settings.retries,
            bell: failures
        )
        workers = NIOThreadPool(numberOfThreads: max(1, settings.parallelParts))
        workers.start()
    }

    /// Ends all connections.
    package func shutdown() throws {
        try workers.syncShutdownGracefully()
        transport.shutdown()
    }

    /// Ends all calls under way, and all that follow, with an error: nobody wants to wait any longer.
    package func giveUp() { transport.giveUp() }

    /// `s3://bucket/key`, for people.
    func path(_ key: String?) -> String { "s3://\(settings.bucket)/\(key ?? "")" }

    /// Makes a call until it has an answer or may not be repeated.
    ///
    /// - Parameters:
    ///   - request: The call.
    ///   - memory: Gets the body of a success; it must not be longer.
    /// - Returns: A success, or an answer with a status that the call accepts.
    /// - Throws: `S3Error`.
    func send(_ request: S3Request, into memory: UnsafeMutableRawBufferPointer? = nil) throws -> S3Answer {
        var mayBeDone = false
        var corrections = Corrections()
        func judge(_ outcome: ServiceCalls.Outcome) -> ServiceCalls.Verdict {
            switch outcome {
            case .lost(let failure):
                mayBeDone = mayBeDone || failure.mayHaveArrived
                return .failed(S3Error(failure, request.operation, path(request.key)))
            case .answer(let response, let keys):
                let hasFailed = !response.isSuccess || request.mayFailInBody && Self.isError(response)
                if !hasFailed {
                    guard request.demandsTag, response.isSuccess, !Self.hasTag(response) else { return .done }
                    mayBeDone = true
                    let message = "the answer is none of S3: it has no entity tag"
                    return .failed(
                        S3Error(.connectionBroken, request.operation, path(request.key), message: message)
                    )
                }
                let fault = ServiceFault(response)
                var error = fault.error(request.operation, path(request.key))
                if request.isReading, fault.wantsKey { error.code = .keyWanted }
                if request.accepted.contains(response.status), !error.isRetryable { return .done }
                mayBeDone = mayBeDone || !fault.isSurelyNotDone || response.isSuccess
                return correct(error, fault, response, keys, &corrections) ? .again : .failed(error)
            }
        }
        do {
            let subject = ServiceCalls.Subject(
                operation: request.operation,
                path: path(request.key),
                byteCount: (memory?.count ?? 0) + (request.body?.readableBytes ?? 0)
            )
            let response = try calls.answer(
                about: subject,
                into: memory,
                to: { signed(request, with: $0) },
                judge
            )
            return S3Answer(response: response, mayBeDoneBefore: mayBeDone)
        } catch var error as S3Error {
            error.outcomeIsUnknown = request.isChange && mayBeDone
            throw error
        }
    }

    private static func hasTag(_ response: WebResponse) -> Bool {
        response.headers.first(name: "ETag") != nil
            || (try? XMLTree(parsing: response.body))?.text("ETag") != nil
    }

    private static func isError(_ response: WebResponse) -> Bool {
        (try? XMLTree(parsing: response.body))?.name == "Error"
    }

    private func signed(_ request: S3Request, with keys: S3Credentials) -> WebRequest {
        let (endpoint, offset) = learned.withLock { ($0.endpoint, $0.clockOffset) }
        var signed = WebRequest(
            request.method,
            origin: endpoint.origin,
            path: endpoint.path(request.key),
            query: request.query,
            headers: request.headers,
            body: request.body
        )
        signed.headers.replaceOrAdd(name: "X-Amz-Content-Sha256", value: request.payloadHash)
        RequestSigner(credentials: keys, region: endpoint.region, service: "s3")
            .sign(&signed, payloadHash: request.payloadHash, now: clock.now() + offset)
        return signed
    }
}

extension S3Client {
    /// What a call has mended already; each is tried once.
    private struct Corrections {
        var clock = false
        var region = false
        var credentials = false
    }

    /// Mends what a refusal complains of, if that is in the client's hands.
    ///
    /// - Returns: Whether the call is to be made again at once.
    private func correct(
        _ error: S3Error,
        _ fault: ServiceFault,
        _ response: WebResponse,
        _ keys: S3Credentials,
        _ done: inout Corrections
    ) -> Bool {
        switch error.code {
        case .clockSkew where !done.clock:
            done.clock = true
            guard let date = response.headers.first(name: "Date"),
                let serviceTime = UTCTime.microseconds(httpDate: date)
            else { return false }
            learned.withLock { $0.clockOffset = serviceTime - clock.now() }
            return true
        case .wrongRegion(let region) where !done.region:
            done.region = true
            var moved = settings
            moved.region = region
            guard let endpoint = try? S3Endpoint(moved), endpoint.canChangeRegion else { return false }
            learned.withLock { $0.endpoint = endpoint }
            return true
        case .credentialsRefused where !done.credentials:
            done.credentials = true
            credentials.reject(keys)
            return (try? credentials.credentials()).map { $0 != keys } ?? false
        default:
            return false
        }
    }
}

extension S3Error {
    /// Creates an error of a call that got no whole answer.
    init(_ failure: WebFailure, _ operation: String, _ path: String) {
        let code: Code =
            switch failure.kind {
            case .unreachable: .unreachable
            case .timeout: .timeout
            case .broken: .connectionBroken
            }
        self.init(code, operation, path, message: failure.reason)
    }
}
