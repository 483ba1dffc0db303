import FoundationEssentials
import ObjectStorage

/// What a message says of objects.
///
/// Three forms are read: S3's event notification, whose keys are URL-encoded with `+` for a blank; the same in a
/// notification of SNS; and EventBridge's event, whose keys are written as they are.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
package enum ObjectNotification: Hashable, Sendable {
    /// Objects that were made, and how many other events the message has: removals, restores, tags.
    case objects([Created], otherCount: Int)
    /// S3's test of a queue that was just named to it.
    case test
    /// None of these.
    case unknown

    /// An object that was made.
    package struct Created: Hashable, Sendable {
        /// The bucket's name.
        package var bucket: String
        /// The object's key.
        package var key: String
        /// The entity tag of what was made, when the message has it.
        package var etag: String?

        /// Creates a description.
        package init(bucket: String, key: String, etag: String?) {
            self.bucket = bucket
            self.key = key
            self.etag = etag
        }
    }

    /// Reads the body of a message.
    package init(_ body: String) { self = Self.read(body, mayBeWrapped: true) }

    private static func read(_ body: String, mayBeWrapped: Bool) -> Self {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(body.utf8)) else {
            return .unknown
        }
        if mayBeWrapped, document.type == "Notification", let message = document.message {
            return read(message, mayBeWrapped: false)
        }
        if document.event == "s3:TestEvent" { return .test }
        if let records = document.records { return notifications(records) }
        if document.source == "aws.s3", let kind = document.detailType {
            guard kind == "Object Created" else { return .objects([], otherCount: 1) }
            guard let detail = document.detail else { return .unknown }
            let object = Created(bucket: detail.bucket.name, key: detail.object.key, etag: detail.object.etag)
            return .objects([object], otherCount: 0)
        }
        return .unknown
    }

    private static func notifications(_ records: [Record]) -> Self {
        var made: [Created] = []
        for record in records where record.tellsOfANewObject {
            guard let object = record.s3?.created else { return .unknown }
            made.append(object)
        }
        // What speaks of nothing says nothing.
        return records.isEmpty ? .unknown : .objects(made, otherCount: records.count - made.count)
    }
}

extension ObjectNotification {
    private struct Document: Decodable {
        var type: String?
        var message: String?
        var event: String?
        var records: [Record]?
        var source: String?
        var detailType: String?
        var detail: Detail?

        enum CodingKeys: String, CodingKey {
            case type = "Type"
            case message = "Message"
            case event = "Event"
            case records = "Records"
            case source
            case detailType = "detail-type"
            case detail
        }
    }

    private struct Bucket: Decodable {
        var name: String
    }

    private struct Record: Decodable {
        struct Entity: Decodable {
            struct Object: Decodable {
                var key: String
                var eTag: String?
            }

            var bucket: Bucket
            var object: Object

            /// nil when the key is not encoded as it should be.
            var created: Created? {
                PercentEncoding.decodeKey(object.key).map {
                    Created(bucket: bucket.name, key: $0, etag: object.eTag)
                }
            }
        }

        var eventName: String
        var s3: Entity?

        /// MinIO writes `s3:` before the event, as the bucket's configuration does.
        var tellsOfANewObject: Bool {
            eventName.hasPrefix("ObjectCreated:") || eventName.hasPrefix("s3:ObjectCreated:")
        }
    }

    private struct Detail: Decodable {
        struct Object: Decodable {
            var key: String
            var etag: String?
        }

        var bucket: Bucket
        var object: Object
    }
}
