import NIOHTTP1
import ObjectStorage
import Testing

/// Signatures of the examples that AWS publishes.
@Suite struct RequestSignerTests {
    /// A request with the signature that AWS says it has.
    struct Vector: Sendable, CustomTestStringConvertible {
        var name: String
        var method = HTTPMethod.GET
        var path = "/"
        var query: [WebRequest.QueryItem] = []
        var headers: HTTPHeaders = [:]
        var token: String?
        var payloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        var signedHeaders: String
        var signature: String

        var testDescription: String { name }
    }

    /// From the aws-sig-v4-test-suite: what concerns requests of S3, whose paths are not normalized.
    private static let suite: [Vector] = [
        Vector(
            name: "get-vanilla",
            signedHeaders: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "get-unreserved",
            path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            signedHeaders: "host;x-amz-date",
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
        ),
        Vector(
            name: "get-vanilla-query-order-key-case",
            query: [.init("Param2", "value2"), .init("Param1", "value1")],
            signedHeaders: "host;x-amz-date",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        Vector(
            name: "get-vanilla-query-order-value",
            query: [.init("Param1", "value2"), .init("Param1", "value1")],
            signedHeaders: "host;x-amz-date",
            signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"
        ),
        Vector(
            name: "get-vanilla-utf8-query",
            query: [.init("\u{1234}", "bar")],
            signedHeaders: "host;x-amz-date",
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"
        ),
        Vector(
            name: "get-header-key-duplicate",
            headers: ["My-Header1": "value2", "my-header1": "value2", "MY-HEADER1": "value1"],
            signedHeaders: "host;my-header1;x-amz-date",
            signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"
        ),
        Vector(
            name: "get-header-value-order",
            headers: [
                "My-Header1": "value4", "my-header1": "value1", "MY-Header1": "value3",
                "my-Header1": "value2",
            ],
            signedHeaders: "host;my-header1;x-amz-date",
            signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"
        ),
        Vector(
            name: "get-header-value-trim",
            headers: ["My-Header1": " value1", "My-Header2": "\"a   b   c\""],
            signedHeaders: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        Vector(
            name: "get-vanilla-with-session-token",
            token: "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
            signedHeaders: "host;x-amz-date;x-amz-security-token",
            signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"
        ),
        Vector(
            name: "post-x-www-form-urlencoded",
            method: .POST,
            headers: ["Content-Type": "application/x-www-form-urlencoded"],
            // SHA-256 of "Param1=value1".
            payloadHash: "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            signedHeaders: "content-type;host;x-amz-date",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        ),
    ]

    @Test("a request of the test suite has the signature that AWS publishes", arguments: suite)
    func testSuite(vector: Vector) {
        var request = WebRequest(
            vector.method,
            origin: "https://example.amazonaws.com",
            path: vector.path,
            query: vector.query,
            headers: vector.headers
        )
        let signer = RequestSigner(
            credentials: S3Credentials(
                accessKeyID: "AKIDEXAMPLE",
                secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                sessionToken: vector.token
            ),
            region: "us-east-1",
            service: "service"
        )
        // 2015-08-30T12:36:00Z
        signer.sign(&request, payloadHash: vector.payloadHash, now: 1_440_938_160_000_000)
        #expect(request.headers["x-amz-date"] == ["20150830T123600Z"])
        #expect(
            request.headers["authorization"] == [
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                    + "SignedHeaders=\(vector.signedHeaders), Signature=\(vector.signature)"
            ]
        )
    }

    /// From "Signature Calculations for the Authorization Header" in the reference of S3.
    private static let s3Examples: [Vector] = [
        Vector(
            name: "get object, a range of it",
            path: "/test.txt",
            headers: ["Range": "bytes=0-9"],
            signedHeaders: "host;range;x-amz-content-sha256;x-amz-date",
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        ),
        Vector(
            name: "put object",
            method: .PUT,
            path: "/test%24file.text",
            headers: [
                "Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY",
            ],
            // SHA-256 of "Welcome to Amazon S3."
            payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signedHeaders: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        ),
        Vector(
            name: "get bucket lifecycle",
            query: [.init("lifecycle")],
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        Vector(
            name: "list objects",
            query: [.init("prefix", "J"), .init("max-keys", "2")],
            signedHeaders: "host;x-amz-content-sha256;x-amz-date",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ]

    @Test("a request of S3's reference has the signature that AWS publishes", arguments: s3Examples)
    func s3Reference(vector: Vector) {
        var request = WebRequest(
            vector.method,
            origin: "https://examplebucket.s3.amazonaws.com",
            path: vector.path,
            query: vector.query,
            headers: vector.headers
        )
        request.headers.add(name: "x-amz-content-sha256", value: vector.payloadHash)
        let signer = RequestSigner(
            credentials: S3Credentials(
                accessKeyID: "AKIAIOSFODNN7EXAMPLE",
                secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
            ),
            region: "us-east-1",
            service: "s3"
        )
        // 2013-05-24T00:00:00Z
        signer.sign(&request, payloadHash: vector.payloadHash, now: 1_369_353_600_000_000)
        #expect(
            request.headers["authorization"] == [
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                    + "SignedHeaders=\(vector.signedHeaders), Signature=\(vector.signature)"
            ]
        )
    }

    @Test("no description of credentials shows a secret")
    func secretsStaySecret() {
        let credentials = S3Credentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: "se/cret",
            sessionToken: "to+ken"
        )
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), "\([credentials])", dumped] {
            #expect(text.contains("AKIDEXAMPLE"))
            #expect(!text.contains("se/cret") && !text.contains("to+ken"))
        }
    }
}
