import Hummingbird
import Logging
import ServiceLifecycle

/// Serves the metrics, and whether the run is well, over HTTP.
struct MetricsServer: Service {
    /// The address to listen at.
    var host: String
    /// The port to listen at.
    var port: Int
    /// Tells of the server's start and end.
    var logger: Logger
    /// The metrics' text.
    var metrics: @Sendable () -> String
    /// What is wrong; nil when all is well.
    var complaint: @Sendable () -> String?

    /// Serves until the service group shuts down.
    func run() async throws {
        let router = Router()
        router.get("/metrics") { [metrics] _, _ in
            Response(
                status: .ok,
                headers: [.contentType: Exposition.mediaType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics()))
            )
        }
        router.get("/healthz") { [complaint] _, _ in
            let complaint = complaint()
            return Response(
                status: complaint == nil ? .ok : .serviceUnavailable,
                headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: (complaint ?? "ok") + "\n"))
            )
        }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            logger: logger
        )
        try await application.run()
    }
}
