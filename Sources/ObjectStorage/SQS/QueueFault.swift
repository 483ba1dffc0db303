import FoundationEssentials

extension ServiceFault {
    /// Reads a refusal of a service that speaks the AWS JSON protocol.
    ///
    /// `__type` is `com.amazonaws.sqs#QueueDoesNotExist`; the name that older clients know stands in the header
    /// `x-amzn-query-error`: `AWS.SimpleQueueService.NonExistentQueue;Sender`.
    ///
    /// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-api-responses.html
    init(json response: WebResponse) {
        // Services and proxies between them and us also answer in other forms.
        self.init(response)
        requestID = response.headers.first(name: "x-amzn-RequestId") ?? requestID
        guard let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(response.body)) else { return }
        code = refusal.type.map { String($0.split(separator: "#").last ?? "") }
        message = refusal.message ?? refusal.capitalMessage
    }

    private struct Refusal: Decodable {
        var type: String?
        var message: String?
        var capitalMessage: String?

        enum CodingKeys: String, CodingKey {
            case type = "__type"
            case message
            case capitalMessage = "Message"
        }
    }

    /// Why a request to a queue failed: its service has names of its own.
    var reasonOfQueue: S3Error.Code {
        switch code {
        case "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "InvalidAddress": .notFound
        case "AccessDeniedException", "KmsAccessDenied", "NotAuthorized", "AccessDenied": .accessDenied
        case "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
            "IncompleteSignature", "IncompleteSignatureException":
            .credentialsRefused
        case "RequestThrottled", "KmsThrottled", "OverLimit": .throttled
        default: reason
        }
    }
}
