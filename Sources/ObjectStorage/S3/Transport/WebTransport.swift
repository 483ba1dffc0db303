import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// How long a request may take, and how many run at once.
package struct WebLimits: Hashable, Sendable {
    /// To make a connection, TLS included.
    package var connect: Duration
    /// Without any byte in either direction.
    package var idle: Duration
    /// From the first byte of the request to the last of the answer.
    package var total: Duration
    /// Without an answer after so long, and a second for each MiB, the server counts as one that fails; it is waited for still.
    package var silence: Duration
    /// Connections to one host; further requests wait for a free one.
    package var connections: Int

    /// Creates limits.
    package init(
        connect: Duration = .seconds(5),
        idle: Duration = .seconds(30),
        total: Duration = .seconds(300),
        silence: Duration = .seconds(2),
        connections: Int = 16
    ) {
        self.connect = connect
        self.idle = idle
        self.total = total
        self.silence = silence
        self.connections = connections
    }
}

/// Sends HTTP requests and waits for their answers.
///
/// Blocks the calling thread; never call it on an event loop or a thread of Swift's concurrency pool.
package final class WebTransport: Sendable {
    /// The requests under way, and how each is ended.
    private struct UnderWay {
        var next = 0
        var ends: [Int: @Sendable () -> Void] = [:]
        var hasGivenUp = false
    }

    private let underWay = Mutex(UnderWay())
    private let client: HTTPClient
    private let total: TimeAmount
    private let silence: Duration

    /// Creates a transport; `shutdown` must be called once.
    ///
    /// - Parameters:
    ///   - limits: Time limits and connections.
    ///   - certificates: A PEM file with the authorities that servers are trusted by; nil for those of the machine.
    package init(limits: WebLimits, certificates: String? = nil) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: TimeAmount(limits.connect),
                read: TimeAmount(limits.idle),
                write: TimeAmount(limits.idle)
            )
        )
        if let certificates {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(certificates)
            configuration.tlsConfiguration = tls
        }
        configuration.httpVersion = .http1Only
        // A server closes idle connections of its own accord; a request on one that is just closing fails.
        configuration.connectionPool.idleTimeout = .seconds(10)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = limits.connections
        // Repeating is done in one place, by the caller.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        total = TimeAmount(limits.total)
        silence = limits.silence
    }

    /// Runs `body` with a transport of its own.
    package static func once<Result>(
        _ limits: WebLimits,
        certificates: String?,
        _ body: (WebTransport) throws -> Result
    ) throws -> Result {
        let transport = WebTransport(limits: limits, certificates: certificates)
        defer { transport.shutdown() }
        return try body(transport)
    }

    /// A connection whose answer has come may still be about to be told that its request was sent.
    private static let restTime = TimeAmount.seconds(1)

    /// Ends all connections, soon; no request may be under way or follow.
    ///
    /// At once, the client would trap over a connection that becomes idle after it was closed (async-http-client 1.37.0,
    /// `HTTP1Connections.releaseConnection`).
    package func shutdown() {
        let client = client
        client.eventLoopGroup.any().scheduleTask(in: Self.restTime) {
            client.shutdown { _ in }
        }
    }

    /// Ends all requests under way, and all that follow, without an answer.
    package func giveUp() {
        let ends = underWay.withLock { state in
            state.hasGivenUp = true
            return state.ends.values
        }
        for end in ends { end() }
    }

    /// Does something that waits for the server; when that takes too long for so many bytes, `alarm` is called meanwhile, on
    /// an event loop.
    func watching<Result>(
        byteCount: Int,
        alarm: @escaping @Sendable () -> Void,
        _ body: () throws -> Result
    ) rethrows -> Result {
        let delay = TimeAmount(silence + .seconds(byteCount >> 20))
        let scheduled = client.eventLoopGroup.any().scheduleTask(in: delay, alarm)
        defer { scheduled.cancel() }
        return try body()
    }

    /// Whether nobody wants to wait any longer.
    var hasGivenUp: Bool { underWay.withLock { $0.hasGivenUp } }

    /// Makes sure that somebody wants to wait.
    func demandPatience() throws(WebFailure) {
        guard hasGivenUp else { return }
        throw WebFailure(kind: .unreachable, mayHaveArrived: false, reason: "not waited for")
    }

    /// Waits for the end of a request, which `giveUp` ends.
    private func wait(for task: HTTPClient.Task<Void>) throws {
        let (number, hasGivenUp) = underWay.withLock { state in
            state.next += 1
            state.ends[state.next] = { task.cancel() }
            return (state.next, state.hasGivenUp)
        }
        defer { underWay.withLock { _ = $0.ends.removeValue(forKey: number) } }
        if hasGivenUp { task.cancel() }
        try task.wait()
    }

    /// Sends a request and gives its answer, whatever the status.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - memory: Gets the body of a success; it must not be longer.
    /// - Returns: The answer.
    /// - Throws: `WebFailure` when there was no whole one.
    package func send(
        _ request: WebRequest,
        into memory: UnsafeMutableRawBufferPointer? = nil
    ) throws(WebFailure) -> WebResponse {
        let collector = ResponseCollector(into: memory)
        do {
            let outgoing = try HTTPClient.Request(
                url: request.url,
                method: request.method,
                headers: request.headers,
                body: request.body.map { .byteBuffer($0) }
            )
            try wait(for: client.execute(request: outgoing, delegate: collector, deadline: .now() + total))
        } catch {
            collector.release()
            throw WebFailure(error, hasBegun: collector.hasBegun)
        }
        return try collector.close()
    }
}

extension WebFailure {
    /// Creates a failure from an error of the HTTP client.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - hasBegun: Whether any part of the request was sent.
    init(_ error: any Error, hasBegun: Bool) {
        switch error {
        case let error as HTTPClientError where Self.timeoutsBefore.contains(error):
            self.init(kind: .timeout, mayHaveArrived: hasBegun, reason: error.shortDescription)
        case let error as HTTPClientError where Self.timeoutsOnTheWay.contains(error):
            self.init(kind: .timeout, mayHaveArrived: true, reason: error.shortDescription)
        case let error as HTTPClientError:
            self.init(hasBegun: hasBegun, reason: error.shortDescription)
        case let error as NIOConnectionError:
            let cause = error.connectionErrors.first?.error ?? error.dnsAError ?? error.dnsAAAAError
            let reason = cause.map(Self.words) ?? "no address"
            self.init(hasBegun: hasBegun, reason: "no connection to \(error.host):\(error.port): \(reason)")
        default: self.init(hasBegun: hasBegun, reason: Self.words(error))
        }
    }

    private init(hasBegun: Bool, reason: String) {
        self.init(kind: hasBegun ? .broken : .unreachable, mayHaveArrived: hasBegun, reason: reason)
    }

    /// SwiftNIO's own words for an error of the system end with a bracket that nothing opens.
    private static func words(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? String(describing: error)
    }

    private static let timeoutsBefore: [HTTPClientError] = [
        .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout,
    ]
    private static let timeoutsOnTheWay: [HTTPClientError] = [.readTimeout, .writeTimeout, .deadlineExceeded]
}
