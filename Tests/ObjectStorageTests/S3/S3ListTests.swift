import Foundation
import ObjectStorage
import Testing

/// Listings and removals of many objects.
@Suite struct S3ListTests {
    private static func page(_ entries: String, next: String? = nil, encoded: Bool = true) -> String {
        "<?xml version='1.0' encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + "<Name>lake</Name>" + (encoded ? "<EncodingType>url</EncodingType>" : "") + entries
            + (next.map {
                "<IsTruncated>true</IsTruncated><NextContinuationToken>\($0)</NextContinuationToken>"
            }
                ?? "<IsTruncated>false</IsTruncated>") + "</ListBucketResult>"
    }

    private static func entry(_ key: String, size: String = "5") -> String {
        "<Contents><Owner><ID>x</ID></Owner><Key>\(key)</Key><LastModified>2009-10-12T17:50:30.125Z</LastModified>"
            + "<ETag>&quot;fba9&quot;</ETag><Size>\(size)</Size><StorageClass>STANDARD</StorageClass></Contents>"
    }

    private func list(
        _ bucket: TestBucket,
        delimiter: String? = nil,
        startAfter: String? = nil
    ) throws
        -> [S3ListPage]
    {
        var pages: [S3ListPage] = []
        try bucket.client.list(prefix: "a b/", delimiter: delimiter, startAfter: startAfter, pageSize: 2) {
            pages.append($0)
        }
        return pages
    }

    @Test("pages follow each other by their tokens; keys are decoded")
    func pages() throws {
        let bucket = try TestBucket { number, _ in
            number == 0
                ? .answer(
                    200,
                    [:],
                    Self.page(
                        Self.entry("a+b/%C3%BC%2B%26") + Self.entry("a%20b/%0A", size: "6000000000")
                            + "<CommonPrefixes><Prefix>a+b/c/</Prefix></CommonPrefixes>",
                        next: "t+1/="
                    )
                )
                : .answer(200, [:], Self.page(Self.entry("a+b/z")))
        }
        let pages = try list(bucket, delimiter: "/", startAfter: "a b/A")
        // 2009-10-12T17:50:30.125Z
        let modified: Int64 = 1_255_369_830_125_000
        #expect(
            pages == [
                S3ListPage(
                    objects: [
                        S3Object(key: "a b/ü+&", byteCount: 5, etag: "fba9", modified: modified),
                        S3Object(key: "a b/\n", byteCount: 6_000_000_000, etag: "fba9", modified: modified),
                    ],
                    commonPrefixes: ["a b/c/"]
                ),
                S3ListPage(
                    objects: [S3Object(key: "a b/z", byteCount: 5, etag: "fba9", modified: modified)],
                    commonPrefixes: []
                ),
            ]
        )
        #expect(
            bucket.server.requests.map(\.uri) == [
                "/lake?delimiter=%2F&encoding-type=url&list-type=2&max-keys=2&prefix=a%20b%2F&start-after=a%20b%2FA",
                "/lake?continuation-token=t%2B1%2F%3D&delimiter=%2F&encoding-type=url&list-type=2&max-keys=2"
                    + "&prefix=a%20b%2F",
            ]
        )
    }

    @Test("a service that does not encode keys writes them as XML does")
    func plain() throws {
        let bucket = try TestBucket { _, _ in
            .answer(200, [:], Self.page(Self.entry("a b/+%41&amp;&#xFC;<![CDATA[<]]>"), encoded: false))
        }
        #expect(try list(bucket).first?.objects.first?.key == "a b/+%41&ü<")
    }

    @Test(
        "what is no listing is an error, and so is one that leads nowhere",
        arguments: [
            "", "<html></html>", "<ListBucketResult><Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
            page(entry("a", size: "-1")), page(entry("%4")), page(entry("%FF")), page(entry("a&unknown;")),
            page(entry("a"), next: ""), page(entry("a"), next: "same"),
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<!DOCTYPE x [<!ENTITY e \"e\">]>" + page(entry("a")), page(entry("a")) + "<more/>",
            String(repeating: "<a>", count: 100_000),
        ]
    )
    func malformed(text: String) throws {
        let bucket = try TestBucket { _, _ in .answer(200, [:], text) }
        #expect(s3Error { _ = try list(bucket) }?.code == .invalidAnswer)
        // Only a token that comes twice is seen by asking twice.
        #expect(bucket.server.requests.count == (text.contains(">same<") ? 2 : 1))
    }

    @Test("what the caller throws ends the listing")
    func ended() throws {
        struct Enough: Error {}
        let bucket = try TestBucket { _, _ in .answer(200, [:], Self.page(Self.entry("a"), next: "t")) }
        #expect(throws: Enough.self) { try bucket.client.list(prefix: "") { _ in throw Enough() } }
        #expect(bucket.server.requests.count == 1)
    }

    @Test("many objects are removed a thousand at a time, with a checksum; what XML cannot say alone")
    func removal() throws {
        let bucket = try TestBucket { _, request in
            request.method == .DELETE ? .answer(204) : .answer(200, [:], "<DeleteResult/>")
        }
        try bucket.client.delete((0..<1500).map { "k<\($0)>&" } + ["\u{1}"])
        let requests = bucket.server.requests
        #expect(requests.map(\.uri) == ["/lake?delete=", "/lake/%01", "/lake?delete="])
        let counts = requests.map {
            String(decoding: $0.body, as: UTF8.self).components(separatedBy: "<Key>").count
        }
        #expect(counts == [1001, 1, 501])
        #expect(requests[0].body.starts(with: Array("<Delete ".utf8)))
        #expect(String(decoding: requests[2].body, as: UTF8.self).contains("<Key>k&lt;1499&gt;&amp;</Key>"))
        // MD5 in Base64: 24 characters.
        #expect(requests[0].headers.first(name: "content-md5")?.count == 24)
    }

    @Test("one object that cannot be removed is an error; one that is gone is none")
    func removalRefused() throws {
        let bucket = try TestBucket { number, _ in
            let code = number == 0 ? "NoSuchKey" : "AccessDenied"
            return .answer(
                200,
                [:],
                "<DeleteResult><Error><Key>b</Key><Code>\(code)</Code><Message>no</Message></Error></DeleteResult>"
            )
        }
        try bucket.client.delete(["a", "b"])
        let error = s3Error { try bucket.client.delete(["a", "b"]) }
        #expect(error?.code == .accessDenied)
        #expect(error?.path == "s3://lake/b")
    }
}
