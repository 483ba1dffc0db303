import Dispatch
import NIOHTTP1
import ObjectStorage
import Synchronization
import Testing

/// What the service or the network does wrong, and what a client makes of it.
@Suite struct S3FaultTests {
    private static let bytes = Array("0123456789".utf8)
    private static let whole: HTTPHeaders = [
        "ETag": "\"e\"", "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT",
    ]

    @Test(
        "throttling and failures of the service are repeated with longer and longer waits",
        arguments: [
            (503, "SlowDown"), (503, "ServiceUnavailable"), (500, "InternalError"), (429, "TooManyRequests"),
            (502, ""), (504, ""), (400, "RequestTimeout"), (409, "OperationAborted"),
        ]
    )
    func storm(status: Int, code: String) throws {
        let bucket = try TestBucket { number, _ in
            number < 3 ? .answer(status, [:], TestBucket.error(code)) : .bytes(200, Self.whole, Self.bytes)
        }
        #expect(try bucket.client.get("a")?.bytes == Self.bytes)
        #expect(bucket.clock.waits == [.milliseconds(200), .milliseconds(400), .milliseconds(800)])
    }

    @Test("each failed attempt that may be made again is told at once")
    func bell() throws {
        let bucket = try TestBucket { number, _ in
            number < 2 ? .answer(503, [:], TestBucket.error("SlowDown")) : .bytes(200, Self.whole, Self.bytes)
        }
        let told = Mutex<[String]>([])
        bucket.client.failures.listen { error in told.withLock { $0.append(error.description) } }
        _ = try bucket.client.get("a")
        #expect(
            told.withLock { $0 }
                == Array(repeating: "cannot read s3://lake/a: about SlowDown (SlowDown)", count: 2)
        )
        let refused = try TestBucket { _, _ in .answer(403, [:], TestBucket.error("AccessDenied")) }
        refused.client.failures.listen { _ in Issue.record("a refusal does not pass") }
        #expect(s3Error { _ = try refused.client.get("a") } != nil)
    }

    @Test("a service that takes a request and says nothing is told before the request has failed")
    func silence() throws {
        let limits = WebLimits(idle: .seconds(5), silence: .milliseconds(1))
        let bucket = try TestBucket(limits: limits) { _, _ in .silence }
        let told = Mutex<[String]>([])
        bucket.client.failures.listen { [client = bucket.client] error in
            told.withLock { $0.append(error.description) }
            client.giveUp()
        }
        #expect(s3Error { _ = try bucket.client.get("a") }?.isRetryable == true)
        #expect(told.withLock { $0 }.first == "cannot read s3://lake/a: no answer yet")
    }

    @Test("keys that do not come are told, too")
    func silenceOfCredentials() throws {
        let keys = HeldCredentials()
        let limits = WebLimits(silence: .milliseconds(1))
        let bucket = try TestBucket(limits: limits, credentials: keys) { _, _ in
            .bytes(200, Self.whole, Self.bytes)
        }
        bucket.client.failures.listen { _ in keys.gate.signal() }
        #expect(try bucket.client.get("a")?.bytes == Self.bytes)
    }

    @Test(
        "a call that nobody waits for any longer ends at once, and none follows",
        arguments: [.silence, .answer(503)] as [StandInServer.Reply]
    )
    func givingUp(reply: StandInServer.Reply) throws {
        let box = Mutex<S3Client?>(nil)
        let bucket = try TestBucket { _, _ in
            box.withLock { $0 }?.giveUp()
            return reply
        }
        box.withLock { $0 = bucket.client }
        #expect(s3Error { _ = try bucket.client.get("a") }?.isRetryable == true)
        #expect(s3Error { _ = try bucket.client.get("b") }?.isRetryable == true)
        #expect(bucket.server.requests.count == 1)
        #expect(bucket.clock.waits.isEmpty)
    }

    @Test("a wait that is called off ends before its time")
    func waitCalledOff() {
        let clock = StoreClock.system
        let start = ContinuousClock.now
        var asked = 0
        clock.wait(.seconds(600)) {
            asked += 1
            return asked == 2
        }
        #expect(asked == 2)
        #expect(ContinuousClock.now - start < .seconds(300))
    }

    @Test("a wait is a random part of the longest, so that clients do not come back all at once")
    func jitter() throws {
        let bucket = try TestBucket(clock: TestClock(random: 0.25)) { number, _ in
            number < 3 ? .answer(503) : .bytes(200, Self.whole, Self.bytes)
        }
        #expect(try bucket.client.get("a") != nil)
        #expect(bucket.clock.waits == [.milliseconds(50), .milliseconds(100), .milliseconds(200)])
    }

    @Test("a storm that does not end is an error after all attempts, with the service's words")
    func endlessStorm() throws {
        let bucket = try TestBucket { _, _ in
            .answer(503, ["x-amz-request-id": "R1"], TestBucket.error("SlowDown"))
        }
        let error = try #require(s3Error { _ = try bucket.client.get("a") })
        #expect(error.code == .throttled)
        #expect(
            error.description
                == "cannot read s3://lake/a: about SlowDown (SlowDown, status 503, request R1)"
        )
        #expect(bucket.server.requests.count == 4)
    }

    @Test("attempts end when their time is over")
    func timeIsOver() throws {
        let bucket = try TestBucket(attempts: 1000) { _, _ in .answer(503) }
        #expect(s3Error { _ = try bucket.client.get("a") }?.code == .throttled)
        let waited = bucket.clock.waits.reduce(.zero, +)
        #expect(waited >= .seconds(300) && waited < .seconds(310))
        #expect(bucket.clock.waits.allSatisfy { $0 <= .seconds(10) })
    }

    @Test("a refusal is not repeated", arguments: [(403, "AccessDenied"), (400, "InvalidRequest")])
    func refused(status: Int, code: String) throws {
        let bucket = try TestBucket { _, _ in .answer(status, [:], TestBucket.error(code)) }
        let error = s3Error { _ = try bucket.client.get("a") }
        #expect(error?.serviceCode == code)
        #expect(error?.isRetryable == false)
        #expect(bucket.server.requests.count == 1)
    }

    @Test(
        "an object whose key is of no use, or that lies in an archive, is told from a request that is wrong",
        arguments: [
            (400, "KMS.DisabledException", "arn:aws:kms:… is disabled.", S3Error.Code.keyUnusable),
            (400, "KMS.KMSInvalidStateException", "arn:aws:kms:… is pending deletion.", .keyUnusable),
            (400, "KMS.NotFoundException", "Key 'arn:aws:kms:…' does not exist", .keyUnusable),
            (
                403, "InvalidObjectState", "The operation is not valid for the object's storage class",
                .archived
            ),
            (
                400, "InvalidRequest",
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
                .keyWanted
            ),
            (
                400, "InvalidArgument",
                "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
                .keyWanted
            ),
            (400, "InvalidRequest", "The object was stored using a form of SSE-C.", .keyWanted),
            (400, "InvalidRequest", "The assertion is wrong", .refused),
            (400, "BadRequest", "Missing X-Amz-Server-Side-Encryption-Customer-Key header", .keyWanted),
            (400, "InvalidRequest", "S3 Transfer Acceleration is not configured on this bucket", .refused),
            (400, "InvalidArgument", "Invalid Argument", .refused), (400, "", "", .refused),
        ]
    )
    func oneObject(status: Int, code: String, message: String, expected: S3Error.Code) throws {
        let answer = "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>"
        let bucket = try TestBucket { _, request in
            .answer(status, [:], request.method == .HEAD ? "" : answer)
        }
        let calls: [(S3Client) throws -> Void] = [
            { _ = try $0.get("a") }, { _ = try $0.get("a", range: 0..<10) }, { _ = try $0.head("a") },
        ]
        for call in calls { #expect(s3Error { try call(bucket.client) }?.code == expected) }
        // An answer to HEAD has no body: the question is asked once more as GET.
        #expect(bucket.server.requests.map(\.method) == [.GET, .GET, .HEAD, .GET])
        // Who puts gives no key either, and is told what the service says.
        let putting = s3Error { _ = try bucket.client.put("a", [1], ifAbsent: true) }
        #expect((putting?.code == expected) == (expected != .keyWanted))
    }

    @Test(
        "what KMS fails with passes",
        arguments: [(400, "KMS.ThrottlingException"), (500, "KMS.KMSInternalException")]
    )
    func storm(ofKeys status: Int, code: String) throws {
        let bucket = try TestBucket { number, _ in
            number < 1 ? .answer(status, [:], TestBucket.error(code)) : .bytes(200, Self.whole, Self.bytes)
        }
        #expect(try bucket.client.get("a")?.bytes == Self.bytes)
    }

    /// Answers that end too early or never come.
    enum Loss: CaseIterable {
        case torn
        case reset
        case silence

        var reply: StandInServer.Reply {
            switch self {
            case .torn: .torn(promised: 10, Array("01234".utf8))
            case .reset: .reset
            case .silence: .silence
            }
        }

        /// Short where a silent server is waited for.
        var limits: WebLimits { self == .silence ? WebLimits(idle: .milliseconds(200)) : WebLimits() }

        var code: S3Error.Code { self == .silence ? .timeout : .connectionBroken }
    }

    @Test("an answer that ends too early or never comes is asked for again", arguments: Loss.allCases)
    func lost(loss: Loss) throws {
        let bucket = try TestBucket(limits: loss.limits) { number, _ in
            number == 0 ? loss.reply : .bytes(200, Self.whole, Self.bytes)
        }
        #expect(try bucket.client.get("a")?.bytes == Self.bytes)
    }

    @Test("bytes of a torn answer are not taken for an object, in memory of the caller neither")
    func lostForEver() throws {
        for loss in Loss.allCases {
            let bucket = try TestBucket(attempts: 2, limits: loss.limits) { _, _ in loss.reply }
            #expect(s3Error { _ = try bucket.client.get("a") }?.code == loss.code)
            var memory = [UInt8](repeating: 0, count: 10)
            let error = s3Error {
                _ = try memory.withUnsafeMutableBytes { try bucket.client.get("a", range: 0..<10, into: $0) }
            }
            #expect(error?.code == loss.code)
        }
    }

    @Test("an answer that is not whole within the limit is given up, however long the server may be silent")
    func totalLimit() throws {
        let limits = WebLimits(idle: .seconds(20), total: .milliseconds(200))
        let bucket = try TestBucket(attempts: 1, limits: limits) { _, _ in .silence }
        let error = s3Error { _ = try bucket.client.get("a") }
        #expect(error?.code == .timeout)
        #expect(error?.message == "Deadline exceeded")
    }

    @Test(
        "a server that is not there is an error without connection",
        arguments: [
            ("127.0.0.1", "Connection refused"),
            ("localhost", "no connection to localhost:1: Connection refused"),
        ]
    )
    func unreachable(host: String, message: String) throws {
        // Port 1 of this machine is not listened on.
        var settings = S3Settings(
            endpoint: "http://\(host):1",
            region: "r",
            bucket: "lake",
            pathStyle: true
        )
        settings.retries.attempts = 2
        let clock = TestClock()
        let client = try S3Client(settings, credentials: TestBucket.credentials, clock: clock.clock)
        defer { try? client.shutdown() }
        let error = s3Error { _ = try client.put("a", [1], ifAbsent: true) }
        #expect(error?.code == .unreachable)
        #expect(error?.message == message)
        #expect(error?.outcomeIsUnknown == false)
        #expect(clock.waits.count == 1)
    }

    @Test("a clock that is wrong is set by the service's once, and stays so")
    func skew() throws {
        let bucket = try TestBucket { number, _ in
            number == 0
                ? .answer(
                    403,
                    ["Date": "Fri, 02 Jan 2026 04:04:05 GMT"],
                    TestBucket.error("RequestTimeTooSkewed")
                )
                : .bytes(200, Self.whole, Self.bytes)
        }
        #expect(try bucket.client.get("a") != nil)
        #expect(try bucket.client.get("a") != nil)
        #expect(
            bucket.server.requests.flatMap { $0.headers["x-amz-date"] } == [
                "20260102T030405Z", "20260102T040405Z", "20260102T040405Z",
            ]
        )
        let stuck = try TestBucket { _, _ in
            .answer(403, ["Date": "Fri, 02 Jan 2026 04:04:05 GMT"], TestBucket.error("RequestTimeTooSkewed"))
        }
        #expect(s3Error { _ = try stuck.client.get("a") }?.code == .clockSkew)
        #expect(stuck.server.requests.count == 2)
    }

    @Test(
        "a request that was signed for the wrong region is signed again for the right one, once",
        arguments: [301, 307, 400]
    )
    func region(status: Int) throws {
        let bucket = try TestBucket { _, request in
            let isRight = request.headers.first(name: "authorization")?.contains("/us-west-2/s3/") == true
            if isRight { return .bytes(200, Self.whole, Self.bytes) }
            let code = status == 400 ? "AuthorizationHeaderMalformed" : "PermanentRedirect"
            return .answer(status, [:], TestBucket.error(code, "<Region>us-west-2</Region>"))
        }
        #expect(try bucket.client.get("a") != nil)
        #expect(try bucket.client.get("a") != nil)
        #expect(bucket.server.requests.count == 3)
        let lost = try TestBucket { _, _ in .answer(301, ["x-amz-bucket-region": "us-west-2"]) }
        let error = s3Error { _ = try lost.client.get("a") }
        #expect(error?.code == .wrongRegion("us-west-2"))
        #expect(error?.mend == "set the region to us-west-2")
    }

    @Test("credentials that have ended are replaced once", arguments: ["ExpiredToken", "InvalidToken"])
    func expired(code: String) throws {
        let source = CountingSource()
        let bucket = try TestBucket(credentials: RefreshedCredentials(source)) { _, request in
            let isNew = request.headers.first(name: "authorization")?.contains("Credential=KEY2/") == true
            return isNew
                ? .bytes(200, Self.whole, Self.bytes) : .answer(400, [:], TestBucket.error(code))
        }
        #expect(try bucket.client.get("a") != nil)
        #expect(source.loads == 2)
        #expect(bucket.server.requests.count == 2)
    }

    @Test("keys that the service does not know are an error at once, which names no secret")
    func wrongSecret() throws {
        for code in ["SignatureDoesNotMatch", "InvalidAccessKeyId"] {
            let bucket = try TestBucket { _, _ in
                .answer(403, [:], TestBucket.error(code, "<StringToSign>secret</StringToSign>"))
            }
            let error = try #require(s3Error { _ = try bucket.client.get("a") })
            #expect(error.code == .credentialsRefused)
            #expect(!"\(error) \(error.mend)".contains("StringToSign"))
            #expect(bucket.server.requests.count == 1)
        }
    }
}

/// Gives other keys at each load: KEY1, KEY2 and so on.
final class CountingSource: CredentialsSource {
    private let count = Mutex(0)

    var loads: Int { count.withLock { $0 } }

    func load() -> S3Credentials? {
        count.withLock { count in
            count += 1
            return S3Credentials(accessKeyID: "KEY\(count)", secretAccessKey: "secret")
        }
    }
}

/// Keys that come once they are let go, or after a while that nobody wants to wait.
private final class HeldCredentials: CredentialsProvider {
    let gate = DispatchSemaphore(value: 0)

    func credentials() throws -> S3Credentials {
        guard gate.wait(timeout: .now() + 5) == .success else {
            throw S3Error(.noCredentials, "read", "keys", message: "never let go")
        }
        gate.signal()
        return try TestBucket.credentials.credentials()
    }

    func reject(_ credentials: S3Credentials) {}
}
