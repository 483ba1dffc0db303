import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// One queue of SQS, by its AWS JSON protocol.
///
/// All methods block the calling thread and may be called from many threads, but never on an event loop or a thread of
/// Swift's concurrency pool. Failures that pass are repeated; everything has a time limit.
///
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
package final class QueueClient: Sendable {
    /// Messages that one request can bring or delete.
    package static let batchCount = 10
    /// The longest time that the service waits for messages.
    package static let longestWait = Duration.seconds(20)

    /// Which queue it is.
    package let settings: QueueSettings
    private let origin: String
    private let credentials: any CredentialsProvider
    private let clock: StoreClock
    private let transport: WebTransport
    private let calls: ServiceCalls
    /// The service's clock less this machine's, in microseconds.
    private let clockOffset = Mutex<Int64>(0)

    /// Signatures are refused when the clocks differ by five minutes; less is no reason to mend anything.
    private static let toleratedSkew: Int64 = 240_000_000

    /// Creates a client.
    ///
    /// - Throws: `S3Error` with code `invalidSettings`. No request is made.
    package init(
        _ settings: QueueSettings,
        credentials: any CredentialsProvider,
        clock: StoreClock = .system
    ) throws {
        self.settings = settings
        self.credentials = credentials
        self.clock = clock
        origin = try settings.origin()
        transport = WebTransport(limits: settings.limits, certificates: settings.certificates)
        calls = ServiceCalls(
            transport: transport,
            credentials: credentials,
            clock: clock,
            retries: settings.retries
        )
    }

    deinit { transport.shutdown() }

    // MARK: Calls

    /// Takes messages, which nobody else is handed out for a while.
    ///
    /// - Parameters:
    ///   - wait: How long the service waits for the first message, in whole seconds up to `longestWait`. Without a wait it
    ///     may find none although there are some.
    ///   - count: The most messages, up to `batchCount`.
    ///   - visibility: How long they are kept from others, in whole seconds; as the queue says unless given.
    /// - Returns: The messages; none when none came.
    /// - Throws: `S3Error`.
    package func receive(
        wait: Duration,
        atMost count: Int = batchCount,
        hiddenFor visibility: Duration? = nil
    ) throws -> [QueueMessage] {
        let request = Receive(
            queueURL: settings.url,
            maxNumberOfMessages: count,
            waitTimeSeconds: Int(wait.components.seconds),
            visibilityTimeout: visibility.map { Int($0.components.seconds) }
        )
        let answer: Received = try call("ReceiveMessage", "receive messages of", request)
        return try (answer.messages ?? []).map { message in
            guard let id = message.id, let handle = message.receiptHandle else {
                throw invalidAnswer("receive messages of")
            }
            return QueueMessage(id: id, receiptHandle: handle, body: message.body ?? "")
        }
    }

    /// Deletes messages.
    ///
    /// - Parameter messages: As they were handed out last. One whose handle is too old stays in the queue, and is handed
    ///   out again.
    /// - Throws: `S3Error`; some may be deleted by then.
    package func delete(_ messages: [QueueMessage]) throws {
        var rest = messages[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.batchCount)
            rest = rest.dropFirst(part.count)
            let entries = part.enumerated().map { index, message in
                Delete.Entry(id: String(index), receiptHandle: message.receiptHandle)
            }
            let request = Delete(queueURL: settings.url, entries: entries)
            let answer: Deleted = try call("DeleteMessageBatch", "delete messages of", request)
            // What the sender is to blame for is a handle that has ended.
            if let failed = (answer.failed ?? []).first(where: { $0.senderFault != true }) {
                throw S3Error(
                    .serverFailed,
                    "delete messages of",
                    settings.url,
                    message: failed.message ?? failed.code ?? "the service failed"
                )
            }
        }
    }

    /// What the service says of the queue, by the names of its attributes.
    ///
    /// - Throws: `S3Error`.
    package func attributes(_ names: [String]) throws -> [String: String] {
        let request = GetAttributes(queueURL: settings.url, attributeNames: names)
        let answer: Attributes = try call("GetQueueAttributes", "look at", request)
        return answer.attributes ?? [:]
    }

    // MARK: Requests

    private func call<Answer: Decodable>(
        _ action: String,
        _ operation: String,
        _ request: some Encodable
    ) throws -> Answer {
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(request))
        } catch {
            throw S3Error(.refused, operation, settings.url, message: "the request cannot be written")
        }
        let response = try send(action, operation, body)
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)) else {
            throw invalidAnswer(operation)
        }
        return answer
    }

    private func invalidAnswer(_ operation: String) -> S3Error {
        S3Error(.invalidAnswer, operation, settings.url, message: "the answer is not what SQS answers")
    }

    /// Makes a call until it has an answer or may not be repeated.
    private func send(_ action: String, _ operation: String, _ body: [UInt8]) throws -> WebResponse {
        var isClockMended = false
        var areKeysChanged = false
        func judge(_ outcome: ServiceCalls.Outcome) -> ServiceCalls.Verdict {
            switch outcome {
            case .lost(let failure): return .failed(S3Error(failure, operation, settings.url))
            case .answer(let response, let keys):
                if response.isSuccess { return .done }
                let fault = ServiceFault(json: response)
                var error = fault.error(operation, settings.url)
                error.code = fault.reasonOfQueue
                guard error.code == .credentialsRefused || error.code == .clockSkew else {
                    return .failed(error)
                }
                if !isClockMended, mendClock(response) {
                    isClockMended = true
                    return .again
                }
                if !areKeysChanged {
                    areKeysChanged = true
                    credentials.reject(keys)
                    if (try? credentials.credentials()).map({ $0 != keys }) ?? false { return .again }
                }
                return .failed(error)
            }
        }
        return try calls.answer(to: { signed(action, body, with: $0) }, judge)
    }

    private func signed(_ action: String, _ body: [UInt8], with keys: S3Credentials) -> WebRequest {
        let headers: HTTPHeaders = [
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.\(action)",
        ]
        let buffer = ByteBuffer(bytes: body)
        var request = WebRequest(.POST, origin: origin, path: "/", headers: headers, body: buffer)
        RequestSigner(credentials: keys, region: settings.region, service: "sqs")
            .sign(
                &request,
                payloadHash: PayloadHash.sha256(body),
                now: clock.now() + clockOffset.withLock { $0 }
            )
        return request
    }

    /// Takes over the service's clock when it is far from the one that a refused request was signed by.
    private func mendClock(_ response: WebResponse) -> Bool {
        guard let date = response.headers.first(name: "Date"),
            let serviceTime = UTCTime.microseconds(httpDate: date)
        else { return false }
        let offset = serviceTime - clock.now()
        return clockOffset.withLock { current in
            guard abs(offset - current) > Self.toleratedSkew else { return false }
            current = offset
            return true
        }
    }
}
