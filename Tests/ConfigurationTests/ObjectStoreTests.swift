import Testing

@testable import Configuration

/// What the file says of buckets, and URLs of objects.
@Suite struct ObjectStoreTests {
    private func stores(
        _ text: String,
        environment: [String: String] = [:]
    ) throws -> [ObjectStoreConfiguration] {
        try parse("lake: s3://acme-lake/audit\nobject_stores:\n\(text)", environment: environment)
            .objectStores
    }

    @Test func aBucketThatIsNotNamedIsReachedAsTheEnvironmentSays() throws {
        let configuration = try parse("lake: s3://acme-lake/audit")
        let store = configuration.objectStore(of: "acme-lake")
        #expect(store == ObjectStoreConfiguration(bucket: "acme-lake"))
        #expect(store.endpoint == nil && store.region == nil && store.isPathStyle == nil)
        #expect(store.credentials == .environment && store.encryption == .bucketDefault)
        #expect(store.timeout == .seconds(30))
    }

    @Test func everyKeyIsTaken() throws {
        let store = try #require(
            try stores(
                """
                  acme-lake:
                    endpoint: http://127.0.0.1:7480/
                    region: eu-central-1
                    path_style: off
                    access_key_id: AKID
                    secret_access_key: ${SECRET}
                    session_token: ${TOKEN}
                    encryption: kms
                    kms_key_id: alias/audit
                    timeout: 5s
                """,
                environment: ["SECRET": "s3cr3t", "TOKEN": "t0k3n"]
            ).first
        )
        #expect(store.endpoint?.value == "http://127.0.0.1:7480")
        #expect(store.region?.value == "eu-central-1")
        #expect(store.isPathStyle == false)
        let keys = ObjectStoreConfiguration.Credentials.keys(
            id: Setting("AKID"),
            secret: Setting("s3cr3t", isSecret: true),
            sessionToken: Setting("t0k3n", isSecret: true)
        )
        #expect(store.credentials == keys)
        #expect(!"\(store)".contains("s3cr3t") && !"\(store)".contains("t0k3n"))
        #expect(store.encryption == .kms(keyID: Setting("alias/audit")))
        #expect(store.timeout == .seconds(5))
    }

    @Test func whatIsNotWrittenIsLeftToTheEnvironment() throws {
        #expect(try stores("  acme-lake: {endpoint: \"https://minio.acme.org\"}").first?.isPathStyle == nil)
        #expect(try stores("  acme-lake: {profile: audit}").first?.credentials == .profile(Setting("audit")))
        #expect(try stores("  acme-lake: {encryption: s3}").first?.encryption == .s3)
    }

    @Test(arguments: [
        ("s3://acme-lake", "acme-lake", ""), ("s3://acme-lake/a/b", "acme-lake", "a/b"),
        ("s3://ap-metadata-8-s3alias/x", "ap-metadata-8-s3alias", "x"),
        (
            "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/audit/a/b",
            "arn:aws:s3:us-west-2:123456789012:accesspoint/audit", "a/b"
        ),
    ])
    func urlsHaveABucketAndAKey(text: String, bucket: String, key: String) throws {
        let url = try #require(S3URL(text))
        #expect(url.bucket == bucket && url.key == key)
    }

    @Test(arguments: [
        "s3://", "s3:///a", "s3://Bad_Name/x", "s3://ab", "https://acme-lake/x", "s3://a:b@c/x",
        "s3://-acme-/x",
        "s3://arn:aws:s3:::bucket/x", "s3://arn:aws:s3:us-west-2:123456789012:accesspoint",
    ])
    func whatIsNoBucketIsNoURL(text: String) {
        #expect(S3URL(text) == nil)
    }

    @Test(arguments: [
        ("  Bad_Name: {region: x}", "“Bad_Name” is no bucket"),
        ("  acme-lake: {endpoint: minio}", "object_stores.acme-lake.endpoint “minio” is no server"),
        (
            "  acme-lake: {endpoint: \"http://u:p@h\"}",
            "object_stores.acme-lake.endpoint “http://u:p@h” is no server"
        ),
        (
            "  acme-lake: {access_key_id: A}",
            "object_stores.acme-lake has one of access_key_id and secret_access_key"
        ),
        (
            "  acme-lake: {profile: a, access_key_id: A, secret_access_key: B}",
            "object_stores.acme-lake has a profile and keys"
        ),
        ("  acme-lake: {session_token: A}", "object_stores.acme-lake.session_token stands without keys"),
        ("  acme-lake: {kms_key_id: A}", "object_stores.acme-lake.kms_key_id stands without encryption: kms"),
        ("  acme-lake: {regoin: x}", "unknown key “regoin” in object_stores.acme-lake"),
    ])
    func aBucketWithAFaultIsRefused(text: String, message: String) {
        let found = faults("lake: .\nobject_stores:\n\(text)")
        #expect(found.map(\.message) == [message])
        #expect(found.allSatisfy { $0.line == 3 && !$0.mend.isEmpty })
    }

    @Test(arguments: [("7d", 7), ("1d", 1), ("48h", 2)])
    func aWindowIsANumberOfDays(text: String, count: Int) throws {
        let window = "[\"s3://acme/a/**\"], window: \(text)"
        #expect(try databricks(databricksYAML(objects: window)).source.listingDayCount == count)
    }

    @Test(arguments: ["7", "0d", "-1d", "36h", "1ms", "a week"])
    func aWindowHasWholeDays(text: String) {
        let found = faults(databricksYAML(objects: "[\"s3://acme/a/**\"], window: \(text)"))
        #expect(found.map(\.message) == ["pipelines.databricks_audit.source.window cannot be “\(text)”"])
        #expect(found.map(\.mend) == ["write whole days such as 7d, at least 1d"])
    }

    @Test func foldersHaveNoWindow() {
        let found = faults(databricksYAML(objects: "[/a/**], window: 7d"))
        #expect(
            found.map(\.message) == ["pipelines.databricks_audit.source.window is for objects in a bucket"]
        )
    }

    @Test func theObjectsOfAPipelineLieInOnePlace() throws {
        let pipeline = try databricks(databricksYAML(objects: "[\"s3://acme/a/**\", \"s3://acme/b/*.json\"]"))
        #expect(pipeline.source.objects.map(\.value) == ["s3://acme/a/**", "s3://acme/b/*.json"])
        for objects in ["[/a/*, \"s3://acme/b\"]", "[\"s3://acme/a\", \"s3://other/b\"]"] {
            let found = faults(databricksYAML(objects: objects))
            let message = "pipelines.databricks_audit.source.objects names objects of several places"
            #expect(found.map(\.message) == [message])
        }
    }
}
