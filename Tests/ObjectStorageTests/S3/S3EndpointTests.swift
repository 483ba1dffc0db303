import ObjectStorage
import Testing

/// Which host is asked for a bucket, and with what path.
@Suite struct S3EndpointTests {
    /// Settings and the address that follows from them.
    struct Case: Sendable {
        var bucket: String
        var endpoint: String?
        var region = "eu-central-1"
        var pathStyle = false
        var url: String
        var signedFor = "eu-central-1"
    }

    private static let arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/audit"

    private static let cases = [
        Case(bucket: "lake", url: "https://lake.s3.eu-central-1.amazonaws.com/a/b%20c"),
        Case(bucket: "lake", pathStyle: true, url: "https://s3.eu-central-1.amazonaws.com/lake/a/b%20c"),
        // The certificate of *.s3.… does not cover a name with dots.
        Case(bucket: "la.ke", url: "https://s3.eu-central-1.amazonaws.com/la.ke/a/b%20c"),
        Case(
            bucket: "lake",
            region: "cn-north-1",
            url: "https://lake.s3.cn-north-1.amazonaws.com.cn/a/b%20c",
            signedFor: "cn-north-1"
        ),
        Case(bucket: "lake", endpoint: "http://minio:9000/", url: "http://lake.minio:9000/a/b%20c"),
        Case(bucket: "la.ke", endpoint: "http://minio:9000", url: "http://la.ke.minio:9000/a/b%20c"),
        Case(bucket: "lake", endpoint: "https://minio", pathStyle: true, url: "https://minio/lake/a/b%20c"),
        Case(bucket: "lake", endpoint: "http://127.0.0.1:7480", url: "http://127.0.0.1:7480/lake/a/b%20c"),
        Case(bucket: "lake", endpoint: "http://[::1]:7480", url: "http://[::1]:7480/lake/a/b%20c"),
        Case(
            bucket: arn,
            url: "https://audit-123456789012.s3-accesspoint.us-west-2.amazonaws.com/a/b%20c",
            signedFor: "us-west-2"
        ),
        Case(
            bucket: "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:audit",
            url: "https://audit-123456789012.s3-accesspoint.cn-north-1.amazonaws.com.cn/a/b%20c",
            signedFor: "cn-north-1"
        ),
        Case(
            bucket: arn,
            endpoint: "https://vpce-1.s3.us-west-2.vpce.amazonaws.com",
            url: "https://audit-123456789012.vpce-1.s3.us-west-2.vpce.amazonaws.com/a/b%20c",
            signedFor: "us-west-2"
        ),
        Case(
            bucket: "audit-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias",
            url:
                "https://audit-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias.s3.eu-central-1.amazonaws.com/a/b%20c"
        ),
    ]

    @Test("a bucket's address follows from the settings", arguments: cases)
    func address(expected: Case) throws {
        let endpoint = try S3Endpoint(
            S3Settings(
                endpoint: expected.endpoint,
                region: expected.region,
                bucket: expected.bucket,
                pathStyle: expected.pathStyle
            )
        )
        #expect(endpoint.origin + endpoint.path("a/b c") == expected.url)
        #expect(endpoint.region == expected.signedFor)
    }

    @Test("the bucket itself is asked at its path or at the root")
    func bucketPath() throws {
        #expect(try S3Endpoint(S3Settings(region: "r", bucket: "lake")).path() == "/")
        #expect(try S3Endpoint(S3Settings(region: "r", bucket: "lake", pathStyle: true)).path() == "/lake")
    }

    @Test(
        "access points are reached by host names only",
        arguments: [arn, "audit-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias"]
    )
    func pathStyleOfAccessPoint(bucket: String) {
        let error = s3Error { _ = try S3Endpoint(S3Settings(region: "r", bucket: bucket, pathStyle: true)) }
        #expect(error?.code == .invalidSettings)
        #expect(error?.message.contains("path_style") == true)
    }

    @Test(
        "what is no bucket, access point or endpoint is refused before a request is made",
        arguments: [
            ("", nil), ("ab", nil), ("a/b", nil), ("a b", nil), ("lake@evil.example", nil),
            ("arn:aws:s3:::lake", nil), ("arn:aws:s3:us-west-2:123456789012:bucket/x", nil),
            ("arn:aws:s3::123456789012:accesspoint/x.mrap", nil),
            ("arn:aws:s3::123456789012:accesspoint/x", nil),
            ("arn:aws:s3:evil.example/:123456789012:accesspoint/x", nil),
            ("arn:aws:s3-outposts:us-west-2:123456789012:outpost/o/accesspoint/x", nil),
            ("lake", "minio:9000"), ("lake", "ftp://minio"), ("lake", "http://"), ("lake", "http://minio/x"),
            ("lake", "http://user@minio"),
        ] as [(String, String?)]
    )
    func refused(bucket: String, endpoint: String?) {
        let error = s3Error {
            _ = try S3Endpoint(S3Settings(endpoint: endpoint, region: "r", bucket: bucket))
        }
        #expect(error?.code == .invalidSettings)
    }
}
