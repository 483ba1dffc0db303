import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server in this process that answers as a test says, also not at all or by half.
final class StandInServer: Sendable {
    /// A request as it arrived.
    struct Request: Sendable {
        var method: HTTPMethod
        var uri: String
        var headers: HTTPHeaders
        var body: [UInt8]

        /// The path without the query.
        var path: String { String(uri.prefix { $0 != "?" }) }
        /// The query as it was written.
        var query: String { String(uri.drop { $0 != "?" }.dropFirst()) }
    }

    /// What becomes of a request.
    enum Reply: Sendable {
        /// A whole answer.
        case answer(Int, HTTPHeaders = [:], String = "")
        /// A whole answer of bytes.
        case bytes(Int, HTTPHeaders = [:], [UInt8])
        /// An answer whose head promises more bytes than come; then the connection ends.
        case torn(promised: Int, [UInt8])
        /// The connection ends without an answer.
        case reset
        /// Nothing, for ever.
        case silence
    }

    /// `http://127.0.0.1:port`.
    let origin: String
    private let channel: any Channel
    private let seen = Mutex<[Request]>([])

    /// Starts a server.
    ///
    /// - Throws: What binding a port met.
    /// - Parameter reply: Is called on an event loop, for one request after the other of each connection.
    init(_ reply: @escaping @Sendable (Request) -> Reply) throws {
        let box = SeenBox()
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(
                        StandInHandler { request in
                            box.server?.seen.withLock { $0.append(request) }
                            return reply(request)
                        }
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        origin = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
        box.set(self)
    }

    deinit { _ = channel.close() }

    /// All requests so far.
    var requests: [Request] { seen.withLock { $0 } }
}

/// The server, for handlers that are made before it is.
private final class SeenBox: Sendable {
    private struct Weak: Sendable { weak var server: StandInServer? }
    private let weakly = Mutex(Weak())

    var server: StandInServer? { weakly.withLock { $0.server } }

    func set(_ server: StandInServer) { weakly.withLock { $0.server = server } }
}

private final class StandInHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let reply: (StandInServer.Request) -> StandInServer.Reply
    private var request: StandInServer.Request?

    init(_ reply: @escaping (StandInServer.Request) -> StandInServer.Reply) { self.reply = reply }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = .init(method: head.method, uri: head.uri, headers: head.headers, body: [])
        case .body(let part): request?.body.append(contentsOf: part.readableBytesView)
        case .end:
            guard let whole = request else { return }
            request = nil
            write(reply(whole), to: whole, context)
        }
    }

    private func write(
        _ reply: StandInServer.Reply,
        to request: StandInServer.Request,
        _ context: ChannelHandlerContext
    ) {
        switch reply {
        case .answer(let status, let headers, let text):
            write(status, headers, Array(text.utf8), promised: nil, request, context)
        case .bytes(let status, let headers, let bytes):
            write(status, headers, bytes, promised: nil, request, context)
        case .torn(let promised, let bytes):
            write(200, ["ETag": "\"torn\""], bytes, promised: promised, request, context)
            context.close(promise: nil)
        case .reset: context.close(promise: nil)
        case .silence: return
        }
    }

    private func write(
        _ status: Int,
        _ headers: HTTPHeaders,
        _ bytes: [UInt8],
        promised: Int?,
        _ request: StandInServer.Request,
        _ context: ChannelHandlerContext
    ) {
        var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        if !headers.contains(name: "Content-Length"), status != 204 {
            head.headers.add(name: "Content-Length", value: String(promised ?? bytes.count))
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        }
        if promised == nil { context.write(wrapOutboundOut(.end(nil)), promise: nil) }
        context.flush()
    }
}
