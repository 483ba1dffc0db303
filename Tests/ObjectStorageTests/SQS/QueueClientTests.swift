import Foundation
import NIOHTTP1
import ObjectStorage
import Synchronization
import Testing

/// The client of a queue against a server in the test; requests and answers as AWS's documents have them.
@Suite struct QueueClientTests {
    private static let name = "/111122223333/audit-objects"

    /// A queue that a stand-in server plays, and a client of it whose waits return at once.
    private final class TestQueue {
        let server: StandInServer
        let clock = TestClock()
        let client: QueueClient
        var url: String { server.origin + QueueClientTests.name }

        init(
            credentials: any CredentialsProvider = TestBucket.credentials,
            limits: WebLimits = WebLimits(),
            _ reply: @escaping @Sendable (Int, StandInServer.Request) -> StandInServer.Reply
        ) throws {
            let count = Mutex(0)
            server = try StandInServer { request in
                let number = count.withLock { count in
                    defer { count += 1 }
                    return count
                }
                return reply(number, request)
            }
            let settings = QueueSettings(
                url: server.origin + QueueClientTests.name,
                region: "eu-central-1",
                limits: limits,
                retries: RetryPolicy(attempts: 3)
            )
            client = try QueueClient(settings, credentials: credentials, clock: clock.clock)
        }

        /// The bodies of all requests.
        func bodies() throws -> [NSDictionary] {
            try server.requests.map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.body)) as? NSDictionary)
            }
        }
    }

    /// API reference, ReceiveMessage, "Example"; AWS JSON protocol.
    private static let received = """
        {"Messages": [{"Attributes": {"SenderId": "AIDASSYFHUBOBT7F4XT75", "SentTimestamp": "1677112749123"},
        "Body": "This is a test message", "MD5OfBody": "fafb00f5732ab283681e124bf8747ed1",
        "MessageId": "219f8380-5770-4cc2-8c3e-5c715e145f5e", "ReceiptHandle": "AQEBaZ+j5qUoOAoxlmrCQPkBm9njMWXqemmIG6shMHCO6fV20JrQYg/AiZ8JELwLwOu5U61W+aIX5Qzu7GGofxJuvzymr4Ph53RiR0mudj4InLSgSSspYeTRDteBye5tV/txbZDdNZxsi+qqZA9xPnmMscKQqF6pGhnGIKrnkYGl45Nl6GPIZv62LrIRb6mSqOn1fn0yqrvmWuuY3w2UzQbaYunJWGxpzZze21EOBtywknU3Je/g7G9is+c6K9hGniddzhLkK1tHzZKjejOU4jokaiB4nmi0dF3JqLzDsQuPF0Gi8qffhEvw56nl8QCbluSJScFhJYvoagGnDbwOnd9z50L239qtFIgETdpKyirlWwl/NGjWJ45dqWpiW3d2Ws7q"}]}
        """

    @Test func aRequestIsWhatTheProtocolSays() throws {
        let queue = try TestQueue { _, _ in .answer(200, [:], Self.received) }
        let messages = try queue.client.receive(wait: .seconds(20))
        #expect(messages.map(\.id) == ["219f8380-5770-4cc2-8c3e-5c715e145f5e"])
        #expect(messages.map(\.body) == ["This is a test message"])
        #expect(messages[0].receiptHandle.hasPrefix("AQEBaZ+j5qUo"))
        let request = try #require(queue.server.requests.first)
        #expect(request.method == .POST && request.uri == "/")
        #expect(request.headers.first(name: "X-Amz-Target") == "AmazonSQS.ReceiveMessage")
        #expect(request.headers.first(name: "Content-Type") == "application/x-amz-json-1.0")
        let authorization = request.headers.first(name: "Authorization") ?? ""
        #expect(authorization.contains("Credential=AKID/20260102/eu-central-1/sqs/aws4_request"))
        #expect(authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target"))
        #expect(
            try queue.bodies() == [
                ["QueueUrl": queue.url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20] as NSDictionary
            ]
        )
    }

    @Test(arguments: ["{}", #"{"Messages": []}"#])
    func anEmptyQueueGivesNoMessages(answer: String) throws {
        let queue = try TestQueue { _, _ in .answer(200, [:], answer) }
        #expect(try queue.client.receive(wait: .zero) == [])
    }

    @Test func messagesAreDeletedTenAtATime() throws {
        let queue = try TestQueue { _, _ in .answer(200, [:], #"{"Successful": [], "Failed": []}"#) }
        let messages = (0..<23).map { QueueMessage(id: "m\($0)", receiptHandle: "h\($0)", body: "") }
        try queue.client.delete(messages)
        let entries = try queue.bodies().map { try #require($0["Entries"] as? [[String: String]]) }
        #expect(entries.map(\.count) == [10, 10, 3])
        #expect(entries.flatMap { $0.compactMap { $0["ReceiptHandle"] } } == messages.map(\.receiptHandle))
        for part in entries { #expect(Set(part.compactMap { $0["Id"] }).count == part.count) }
        #expect(
            queue.server.requests.allSatisfy {
                $0.headers.first(name: "X-Amz-Target") == "AmazonSQS.DeleteMessageBatch"
            }
        )
    }

    @Test func aHandleThatHasEndedIsNoFailureAndOneOfTheServiceIs() throws {
        let isSender = Mutex(true)
        let queue = try TestQueue { _, _ in
            let fault = isSender.withLock { $0 }
            return .answer(
                200,
                [:],
                #"{"Successful": [], "Failed": [{"Id": "0", "SenderFault": \#(fault), "Code": "ReceiptHandleIsInvalid"}]}"#
            )
        }
        let message = QueueMessage(id: "m", receiptHandle: "h", body: "")
        try queue.client.delete([message])
        isSender.withLock { $0 = false }
        #expect(s3Error { try queue.client.delete([message]) }?.code == .serverFailed)
    }

    @Test func attributesComeByName() throws {
        let answer = #"{"Attributes": {"ApproximateNumberOfMessages": "7"}}"#
        let queue = try TestQueue { _, _ in .answer(200, [:], answer) }
        #expect(
            try queue.client.attributes(["ApproximateNumberOfMessages"]) == [
                "ApproximateNumberOfMessages": "7"
            ]
        )
        let body = ["QueueUrl": queue.url, "AttributeNames": ["ApproximateNumberOfMessages"]] as NSDictionary
        #expect(try queue.bodies() == [body])
    }

    // MARK: Failures

    private static func refusal(_ type: String) -> String {
        #"{"__type": "\#(type)", "message": "about \#(type)"}"#
    }

    @Test(arguments: [
        (400, "com.amazonaws.sqs#QueueDoesNotExist", S3Error.Code.notFound),
        (403, "com.amazon.coral.service#AccessDeniedException", .accessDenied),
        (403, "com.amazon.coral.service#UnrecognizedClientException", .credentialsRefused),
        (403, "com.amazon.coral.service#InvalidSignatureException", .credentialsRefused),
        (400, "com.amazonaws.sqs#KmsAccessDenied", .accessDenied),
        (400, "com.amazonaws.sqs#UnsupportedOperation", .refused),
    ])
    func aRefusalSaysWhyAndIsNotRepeated(status: Int, type: String, code: S3Error.Code) throws {
        let queue = try TestQueue { _, _ in
            .answer(status, ["x-amzn-RequestId": "r-1"], Self.refusal(type))
        }
        let error = try #require(s3Error { _ = try queue.client.receive(wait: .zero) })
        #expect(error.code == code)
        #expect(error.path == queue.url && error.requestID == "r-1")
        #expect(error.serviceCode == type.split(separator: "#").last.map(String.init))
        #expect(error.message == "about \(type)")
        #expect(queue.server.requests.count == 1)
    }

    @Test(arguments: [
        StandInServer.Reply.answer(500, [:], "oops"), .answer(503), .reset,
        .answer(400, [:], #"{"__type": "com.amazonaws.sqs#RequestThrottled"}"#),
    ])
    func whatPassesIsRepeated(reply: StandInServer.Reply) throws {
        let queue = try TestQueue { number, _ in number < 2 ? reply : .answer(200, [:], Self.received) }
        #expect(try queue.client.receive(wait: .zero).count == 1)
        #expect(queue.server.requests.count == 3 && queue.clock.waits.count == 2)
    }

    @Test func attemptsEnd() throws {
        let queue = try TestQueue { _, _ in .answer(503) }
        #expect(s3Error { _ = try queue.client.receive(wait: .zero) }?.code == .throttled)
        #expect(queue.server.requests.count == 3)
    }

    @Test func aServiceThatIsSilentIsLeftInTime() throws {
        let limits = WebLimits(idle: .milliseconds(50))
        let queue = try TestQueue(limits: limits) { _, _ in .silence }
        #expect(s3Error { _ = try queue.client.receive(wait: .zero) }?.code == .timeout)
    }

    @Test(arguments: ["<html>", "[]", #"{"Messages": [{"Body": "no name"}]}"#, ""])
    func whatIsNoAnswerOfAQueueIsSaid(answer: String) throws {
        let queue = try TestQueue { _, _ in .answer(200, [:], answer) }
        #expect(s3Error { _ = try queue.client.receive(wait: .zero) }?.code == .invalidAnswer)
    }

    @Test func aWrongClockIsMended() throws {
        let refused = Self.refusal("com.amazon.coral.service#InvalidSignatureException")
        let queue = try TestQueue { number, _ in
            number == 0
                ? .answer(403, ["Date": "Fri, 02 Jan 2026 04:04:05 GMT"], refused)
                : .answer(200, [:], Self.received)
        }
        #expect(try queue.client.receive(wait: .zero).count == 1)
        let times = queue.server.requests.map { $0.headers.first(name: "X-Amz-Date") }
        #expect(times == ["20260102T030405Z", "20260102T040405Z"])
    }

    @Test func endedCredentialsAreFetchedAnew() throws {
        final class Renewed: CredentialsProvider {
            let isOld = Mutex(true)
            func credentials() -> S3Credentials {
                S3Credentials(accessKeyID: isOld.withLock { $0 } ? "OLD" : "NEW", secretAccessKey: "s")
            }
            func reject(_ credentials: S3Credentials) { isOld.withLock { $0 = false } }
        }
        let refused = Self.refusal("com.amazon.coral.service#ExpiredTokenException")
        let queue = try TestQueue(credentials: Renewed()) { _, request in
            let isNew = request.headers.first(name: "Authorization")?.contains("NEW/") ?? false
            return isNew ? .answer(200, [:], Self.received) : .answer(403, [:], refused)
        }
        #expect(try queue.client.receive(wait: .zero).count == 1)
        #expect(queue.server.requests.count == 2)
    }

    @Test(arguments: ["sqs.eu-central-1.amazonaws.com/1/q", "https://", "https://host", "https://host/"])
    func aURLThatNamesNoQueueIsRefused(url: String) {
        let settings = QueueSettings(url: url, region: "eu-central-1")
        let error = s3Error { _ = try QueueClient(settings, credentials: TestBucket.credentials) }
        #expect(error?.code == .invalidSettings)
    }
}
