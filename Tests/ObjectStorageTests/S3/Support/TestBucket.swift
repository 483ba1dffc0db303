import Foundation
import ObjectStorage
import Synchronization

/// A bucket that a stand-in server plays, and a client of it whose waits return at once.
final class TestBucket {
    let server: StandInServer
    let clock: TestClock
    let client: S3Client

    /// Starts the server; `reply` gets each request with its number, from 0.
    init(
        attempts: Int = 4,
        clock: TestClock = TestClock(),
        limits: WebLimits = WebLimits(),
        encryption: S3Settings.Encryption = .bucketDefault,
        credentials: any CredentialsProvider = TestBucket.credentials,
        partByteCount: Int = 8 << 20,
        _ reply: @escaping @Sendable (Int, StandInServer.Request) -> StandInServer.Reply
    ) throws {
        self.clock = clock
        let count = Mutex(0)
        server = try StandInServer { request in
            let number = count.withLock { count in
                defer { count += 1 }
                return count
            }
            return reply(number, request)
        }
        var settings = S3Settings(
            endpoint: server.origin,
            region: "eu-central-1",
            bucket: "lake",
            pathStyle: true
        )
        settings.retries.attempts = attempts
        settings.limits = limits
        settings.encryption = encryption
        settings.partByteCount = partByteCount
        client = try S3Client(settings, credentials: credentials, clock: clock.clock)
    }

    deinit { try? client.shutdown() }

    static let credentials = FixedCredentials(S3Credentials(accessKeyID: "AKID", secretAccessKey: "secret"))

    /// An error as S3 writes it.
    static func error(_ code: String, _ more: String = "") -> String {
        "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code><Message>about \(code)</Message>\(more)</Error>"
    }
}

/// The objects of a server that forgets none, with conditional puts.
final class StandInObjects: Sendable {
    private let objects = Mutex<[String: (bytes: [UInt8], putID: String?)]>([:])

    subscript(path: String) -> [UInt8]? { objects.withLock { $0[path]?.bytes } }

    /// Does what a put or get asks for.
    func answer(_ request: StandInServer.Request) -> StandInServer.Reply {
        objects.withLock { objects in
            let found = objects[request.path]
            if request.method == .GET {
                guard let found else { return .answer(404, [:], TestBucket.error("NoSuchKey")) }
                var reply: StandInServer.Reply = .bytes(200, ["ETag": "\"e\""], found.bytes)
                if let id = found.putID {
                    reply = .bytes(200, ["ETag": "\"e\"", "x-amz-meta-put-id": id], found.bytes)
                }
                return reply
            }
            if found != nil, request.headers.first(name: "If-None-Match") == "*" {
                return .answer(412, [:], TestBucket.error("PreconditionFailed"))
            }
            objects[request.path] = (request.body, request.headers.first(name: "x-amz-meta-put-id"))
            return .answer(200, ["ETag": "\"e\""])
        }
    }

    /// Puts an object past the server.
    func put(_ path: String, _ bytes: [UInt8]) { objects.withLock { $0[path] = (bytes, nil) } }

    /// Removes an object past the server.
    func remove(_ path: String) { objects.withLock { $0[path] = nil } }
}

/// The error that `body` throws.
func s3Error(_ body: () throws -> Void) -> S3Error? {
    do {
        try body()
        return nil
    } catch {
        return error as? S3Error
    }
}
