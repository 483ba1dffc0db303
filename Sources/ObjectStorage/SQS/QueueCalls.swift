/// Bodies of requests and answers, as far as they are used.
extension QueueClient {
    struct Receive: Encodable {
        var queueURL: String
        var maxNumberOfMessages: Int
        var waitTimeSeconds: Int
        var visibilityTimeout: Int?

        enum CodingKeys: String, CodingKey {
            case queueURL = "QueueUrl"
            case maxNumberOfMessages = "MaxNumberOfMessages"
            case waitTimeSeconds = "WaitTimeSeconds"
            case visibilityTimeout = "VisibilityTimeout"
        }
    }

    struct Received: Decodable {
        struct Message: Decodable {
            var id: String?
            var receiptHandle: String?
            var body: String?

            enum CodingKeys: String, CodingKey {
                case id = "MessageId"
                case receiptHandle = "ReceiptHandle"
                case body = "Body"
            }
        }

        var messages: [Message]?

        enum CodingKeys: String, CodingKey {
            case messages = "Messages"
        }
    }

    struct Delete: Encodable {
        struct Entry: Encodable {
            var id: String
            var receiptHandle: String

            enum CodingKeys: String, CodingKey {
                case id = "Id"
                case receiptHandle = "ReceiptHandle"
            }
        }

        var queueURL: String
        var entries: [Entry]

        enum CodingKeys: String, CodingKey {
            case queueURL = "QueueUrl"
            case entries = "Entries"
        }
    }

    struct Deleted: Decodable {
        struct Failed: Decodable {
            var code: String?
            var message: String?
            var senderFault: Bool?

            enum CodingKeys: String, CodingKey {
                case code = "Code"
                case message = "Message"
                case senderFault = "SenderFault"
            }
        }

        var failed: [Failed]?

        enum CodingKeys: String, CodingKey {
            case failed = "Failed"
        }
    }

    struct GetAttributes: Encodable {
        var queueURL: String
        var attributeNames: [String]

        enum CodingKeys: String, CodingKey {
            case queueURL = "QueueUrl"
            case attributeNames = "AttributeNames"
        }
    }

    struct Attributes: Decodable {
        var attributes: [String: String]?

        enum CodingKeys: String, CodingKey {
            case attributes = "Attributes"
        }
    }
}
