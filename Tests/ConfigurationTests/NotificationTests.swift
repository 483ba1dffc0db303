import Testing

@testable import Configuration

@Suite struct NotificationTests {
    private static let url = "https://sqs.eu-central-1.amazonaws.com/111122223333/audit-objects"

    private func source(_ notifications: String, objects: String = "\"s3://acme/a/**\"") -> String {
        databricksYAML(objects: "\(objects), notifications: \(notifications)")
    }

    @Test func aQueueNeedsItsURLAlone() throws {
        let notifications = try databricks(source("{queue_url: \"\(Self.url)\"}")).source.notifications
        #expect(
            notifications
                == NotificationsConfiguration(
                    queueURL: Setting(Self.url),
                    region: Setting("eu-central-1"),
                    profile: nil,
                    listEvery: .seconds(3_600)
                )
        )
        #expect(try databricks(databricksYAML()).source.notifications == nil)
    }

    @Test func everyKeyIsTaken() throws {
        let text = "{queue_url: \"\(Self.url)\", region: eu-west-3, profile: audit, list_every: 10m}"
        let notifications = try #require(try databricks(source(text)).source.notifications)
        #expect(notifications.region?.value == "eu-west-3" && notifications.profile?.value == "audit")
        #expect(notifications.listEvery == .seconds(600))
    }

    /// Hosts as AWS's list of endpoints and LocalStack's documentation have them.
    @Test(arguments: [
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/1/q.fifo", "us-gov-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/1/q", "eu-west-1"),
        ("https://vpce-1-2.sqs.us-east-2.vpce.amazonaws.com/1/q", "us-east-2"),
        ("http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q", "us-east-1"),
        ("https://queue.amazonaws.com/1/q", nil), ("http://localhost:4566/000000000000/q", nil),
        ("http://localhost:4566/queue/us-east-1/000000000000/q", nil),
    ])
    func theHostTellsTheRegion(url: String, region: String?) throws {
        let notifications = try databricks(source("{queue_url: \"\(url)\"}")).source.notifications
        #expect(notifications?.region?.value == region)
    }

    @Test(arguments: [
        "acme", "arn:aws:sqs:eu-central-1:111122223333:q", "s3://acme/q",
        "https://sqs.eu-central-1.amazonaws.com",
        "https://sqs.eu-central-1.amazonaws.com/1", "https://sqs.eu-central-1.amazonaws.com/1/",
        "https://user@sqs.eu-central-1.amazonaws.com/1/q", "https://host/1/q q",
    ])
    func whatIsNoQueueIsRefused(url: String) {
        let found = faults(source("{queue_url: \"\(url)\"}"))
        let name = "pipelines.databricks_audit.source.notifications.queue_url"
        #expect(found.map(\.message) == ["\(name) “\(url)” is no URL of a queue"])
        #expect(found.allSatisfy { $0.line == 5 && $0.mend.contains("https://sqs.") })
    }

    @Test(arguments: [
        ("{}", "[/a/**]", "pipelines.databricks_audit.source.notifications is for objects in a bucket"),
        (
            "{}", "\"s3://my-point-abc-s3alias/a\"",
            "pipelines.databricks_audit.source.notifications stands beside the name of an access point"
        ),
        ("{}", "\"s3://acme/a\"", "pipelines.databricks_audit.source.notifications.queue_url is missing"),
        ("on", "\"s3://acme/a\"", "pipelines.databricks_audit.source.notifications is not a mapping"),
        (
            "{queue_url: \"\(url)\", list_every: never}", "\"s3://acme/a\"",
            "pipelines.databricks_audit.source.notifications.list_every cannot be “never”"
        ),
        (
            "{queue_url: \"\(url)\", queue: x}", "\"s3://acme/a\"",
            "unknown key “queue” in pipelines.databricks_audit.source.notifications"
        ),
    ])
    func faultsAreToldWithTheirLine(notifications: String, objects: String, message: String) {
        let found = faults(source(notifications, objects: objects))
        #expect(found.map(\.message) == [message])
        #expect(found.allSatisfy { $0.line == 5 && !$0.mend.isEmpty })
    }

    @Test func aQueueBelongsToOnePipeline() {
        let second = """

              other:
                kind: databricks
                source: {objects: "s3://acme/b/**", notifications: {queue_url: "\(Self.url)"}}
                schema: other
            """
        let found = faults(source("{queue_url: \"\(Self.url)\"}") + second)
        let name = "pipelines.other.source.notifications.queue_url"
        #expect(found.map(\.message) == ["\(name) is the queue of pipelines.databricks_audit"])
    }

    @Test func filesOfPostgreSQLSendNone() {
        let text = yaml().replacing("{files: /logs/*.csv}", with: "{files: /logs/*.csv, notifications: {}}")
        let found = faults(text)
        #expect(found.map(\.message) == ["unknown key “notifications” in pipelines.pg1.source"])
        #expect(found.allSatisfy { $0.line == 5 && !$0.mend.isEmpty })
    }
}
