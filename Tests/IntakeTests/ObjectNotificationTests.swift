import Foundation
import Intake
import Testing

/// Messages as AWS's documents have them, and what they say.
@Suite struct ObjectNotificationTests {
    /// S3 User Guide, "Event message structure".
    private static let put = """
        {"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z",
        "eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters":{"sourceIPAddress":"127.0.0.1"},"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810",
        "x-amz-id-2":"FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"},"s3":{"s3SchemaVersion":"1.0",
        "configurationId":"testConfigRule","bucket":{"name":"mybucket","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},
        "arn":"arn:aws:s3:::mybucket"},"object":{"key":"HappyFace.jpg","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e",
        "versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}]}
        """

    /// The same page, "Test message".
    private static let test = """
        {"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"bucketname",
        "RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE"}
        """

    /// S3 User Guide, "EventBridge event message structure".
    private static let eventBridge = """
        {"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3",
        "account":"111122223333","time":"2021-11-12T00:00:00Z","region":"ca-central-1",
        "resources":["arn:aws:s3:::amzn-s3-demo-bucket1"],"detail":{"version":"0","bucket":{"name":"amzn-s3-demo-bucket1"},
        "object":{"key":"example-key","size":5,"etag":"b1946ac92492d2347c6235b4d2611184",
        "version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e","sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R",
        "requester":"123456789012","source-ip-address":"1.2.3.4","reason":"PutObject"}}
        """

    /// SNS Developer Guide, "Fanout to Amazon SQS queues", with another message.
    private static func wrapped(_ message: String) -> String {
        let quoted = message.replacingOccurrences(of: "\n", with: " ")
            .replacingOccurrences(of: "\"", with: "\\\"")
        return """
            {"Type" : "Notification", "MessageId" : "63a3f6b6-d533-4a47-aef9-fcf5cf758c76",
            "TopicArn" : "arn:aws:sns:us-west-2:123456789012:MyTopic", "Subject" : "Amazon S3 Notification",
            "Message" : "\(quoted)", "Timestamp" : "2012-03-29T05:12:16.901Z", "SignatureVersion" : "1",
            "Signature" : "EXAMPLEnTrFPa3..."}
            """
    }

    private static let happyFace = ObjectNotification.objects(
        [.init(bucket: "mybucket", key: "HappyFace.jpg", etag: "d41d8cd98f00b204e9800998ecf8427e")],
        otherCount: 0
    )

    @Test(arguments: [put, wrapped(put), put.replacingOccurrences(of: "\"ObjectC", with: "\"s3:ObjectC")])
    func anEventOfS3NamesItsObjectAlsoWithinOneOfSNS(body: String) {
        #expect(ObjectNotification(body) == Self.happyFace)
    }

    @Test func anEventOfEventBridgeNamesItsObject() {
        let object = ObjectNotification.Created(
            bucket: "amzn-s3-demo-bucket1",
            key: "example-key",
            etag: "b1946ac92492d2347c6235b4d2611184"
        )
        #expect(ObjectNotification(Self.eventBridge) == .objects([object], otherCount: 0))
    }

    @Test(arguments: [test, wrapped(test)])
    func theTestOfAQueueIsKnown(body: String) { #expect(ObjectNotification(body) == .test) }

    /// The user guide has it that `red flower.jpg` becomes `red+flower.jpg`; EventBridge leaves keys as they are.
    @Test(arguments: [
        ("red+flower.jpg", "red flower.jpg"), ("a%2Bb%2Fc%3Dd", "a+b/c=d"),
        ("t%C3%A4g/1%25.json", "täg/1%.json"),
    ])
    func keysOfS3AreEncodedAndThoseOfEventBridgeAreNot(written: String, key: String) {
        func keys(_ body: String) -> [String] {
            if case .objects(let made, _) = ObjectNotification(body) { made.map(\.key) } else { [] }
        }
        #expect(keys(Self.put.replacingOccurrences(of: "HappyFace.jpg", with: written)) == [key])
        #expect(keys(Self.eventBridge.replacingOccurrences(of: "example-key", with: written)) == [written])
    }

    @Test func eventsOfOtherKindsAreCounted() {
        let removed = Self.put.replacingOccurrences(of: "ObjectCreated:Put", with: "ObjectRemoved:Delete")
        #expect(ObjectNotification(removed) == .objects([], otherCount: 1))
        let deleted = Self.eventBridge.replacingOccurrences(of: "Object Created", with: "Object Deleted")
        #expect(ObjectNotification(deleted) == .objects([], otherCount: 1))
        let records = { (text: String) in text.dropFirst(#"{"Records":["#.count).dropLast(2) }
        let both = #"{"Records":[\#(records(Self.put)),\#(records(removed))]}"#
        #expect(ObjectNotification(both) == .objects(Self.created(Self.happyFace), otherCount: 1))
    }

    private static func created(_ notification: ObjectNotification) -> [ObjectNotification.Created] {
        if case .objects(let made, _) = notification { made } else { [] }
    }

    @Test(arguments: [
        "", "hello", "[]", "{}", #"{"Records":[]}"#, #"{"Records":"x"}"#,
        #"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#,
        #"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"%zz"}}}]}"#,
        #"{"source":"aws.s3","detail-type":"Object Created"}"#,
        #"{"source":"aws.ec2","detail-type":"Object Created"}"#,
        #"{"Type":"Notification","Message":"hello"}"#, wrapped(wrapped("{}")),
    ])
    func whatIsNoneOfTheseIsUnknown(body: String) { #expect(ObjectNotification(body) == .unknown) }
}
