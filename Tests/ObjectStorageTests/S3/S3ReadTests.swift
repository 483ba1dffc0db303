import NIOHTTP1
import ObjectStorage
import Testing

/// Reads, looks, listings and removals: what is asked for, and what is made of the answer.
@Suite struct S3ReadTests {
    private static let bytes = Array("0123456789".utf8)
    private static let head: HTTPHeaders = [
        "ETag": "\"abc-2\"", "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT", "x-amz-version-id": "v7",
    ]
    /// 2015-10-21T07:28:00Z in microseconds.
    private static let modified: Int64 = 1_445_412_480_000_000

    private static func part(_ range: String, _ bytes: [UInt8]) -> StandInServer.Reply {
        var headers = head
        headers.add(name: "Content-Range", value: range)
        return .bytes(206, headers, bytes)
    }

    @Test("an object is read with what the service says of it, its key encoded")
    func whole() throws {
        let bucket = try TestBucket { _, _ in .bytes(200, Self.head, Self.bytes) }
        let body = try #require(try bucket.client.get("a b/ü+&?#%41//c"))
        #expect(body.bytes == Self.bytes)
        #expect(
            body.object
                == S3Object(
                    key: "a b/ü+&?#%41//c",
                    byteCount: 10,
                    etag: "abc-2",
                    modified: Self.modified,
                    versionID: "v7"
                )
        )
        #expect(bucket.server.requests[0].uri == "/lake/a%20b/%C3%BC%2B%26%3F%23%2541//c")
        #expect(bucket.server.requests[0].headers["host"] == [String(bucket.server.origin.dropFirst(7))])
    }

    @Test("a range is read, into memory too, and is shorter at the object's end only")
    func range() throws {
        let bucket = try TestBucket { _, request in
            request.headers.first(name: "Range") == "bytes=2-4"
                ? Self.part("bytes 2-4/10", Array("234".utf8)) : Self.part("bytes 8-9/10", Array("89".utf8))
        }
        let body = try bucket.client.get("a", range: 2..<5, ifMatch: "abc-2")
        #expect(body?.bytes == Array("234".utf8))
        #expect(body?.object.byteCount == 10)
        #expect(bucket.server.requests[0].headers["if-match"] == ["\"abc-2\""])
        var memory = Array("........".utf8)
        let count = try memory.withUnsafeMutableBytes { try bucket.client.get("a", range: 8..<16, into: $0) }
        #expect(count == 2)
        #expect(memory == Array("89......".utf8))
    }

    @Test(
        "other bytes than were asked for are an error",
        arguments: ["bytes 0-2/10", "bytes 2-5/10", "bytes 2-3/10", "bytes 4-2/10", "bytes 2-4", "x"]
    )
    func otherBytes(range: String) throws {
        let bucket = try TestBucket { _, _ in Self.part(range, Array("234".utf8)) }
        #expect(s3Error { _ = try bucket.client.get("a", range: 2..<5) }?.code == .invalidAnswer)
        let ignorant = try TestBucket { _, _ in .bytes(200, Self.head, Self.bytes) }
        #expect(s3Error { _ = try ignorant.client.get("a", range: 2..<5) }?.code == .invalidAnswer)
        var memory: [UInt8] = [1, 2, 3]
        let error = s3Error {
            _ = try memory.withUnsafeMutableBytes { try ignorant.client.get("a", range: 2..<5, into: $0) }
        }
        #expect(error != nil)
    }

    @Test("a refusal's words are not taken for bytes")
    func refusalIntoMemory() throws {
        let bucket = try TestBucket { _, _ in .answer(403, [:], TestBucket.error("AccessDenied")) }
        var memory = [UInt8](repeating: 7, count: 1000)
        let error = s3Error {
            _ = try memory.withUnsafeMutableBytes { try bucket.client.get("a", range: 0..<1000, into: $0) }
        }
        #expect(error?.code == .accessDenied)
        #expect(memory.allSatisfy { $0 == 7 })
    }

    @Test("no object is nil; no bucket, another tag and a range behind the end are errors")
    func absent() throws {
        let bucket = try TestBucket { _, request in
            switch request.path {
            case "/lake/gone": .answer(404, [:], TestBucket.error("NoSuchKey"))
            case "/lake/changed": .answer(412, [:], TestBucket.error("PreconditionFailed"))
            case "/lake/short": .answer(416, [:], TestBucket.error("InvalidRange"))
            default: .answer(404, [:], TestBucket.error("NoSuchBucket"))
            }
        }
        #expect(try bucket.client.get("gone") == nil)
        #expect(s3Error { _ = try bucket.client.get("changed", ifMatch: "e") }?.code == .preconditionFailed)
        #expect(s3Error { _ = try bucket.client.get("short", range: 9..<10) }?.code == .rangeNotSatisfiable)
        #expect(s3Error { _ = try bucket.client.get("x") }?.code == .notFound)
        #expect(s3Error { try bucket.client.delete("x") }?.code == .notFound)
    }

    @Test("parts that travel side by side fill the memory in order, and are all of one object")
    func parts() throws {
        let content = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) }
        let bucket = try TestBucket(partByteCount: 100_000) { _, request in
            let ends = request.headers.first(name: "Range")?.dropFirst(6).split(separator: "-").map {
                Int($0)
            }
            guard let first = ends?[0], let last = ends?[1] else { return .answer(400) }
            let to = min(last + 1, content.count)
            return Self.part("bytes \(first)-\(to - 1)/\(content.count)", Array(content[first..<to]))
        }
        var memory = [UInt8](repeating: 0, count: 1_000_000)
        let count = try memory.withUnsafeMutableBytes {
            try bucket.client.getInParts("a", range: 3..<1_000_003, ifMatch: "abc-2", into: $0)
        }
        #expect(count == 1_000_000)
        #expect(memory == Array(content[3...]))
        #expect(bucket.server.requests.count == 10)
        #expect(bucket.server.requests.allSatisfy { $0.headers["if-match"] == ["\"abc-2\""] })
    }

    @Test("a part that fails fails the read")
    func failingPart() throws {
        let bucket = try TestBucket(partByteCount: 10) { _, request in
            request.headers.first(name: "Range") == "bytes=10-19"
                ? .answer(412, [:], TestBucket.error("PreconditionFailed"))
                : Self.part("bytes 0-9/20", Self.bytes)
        }
        var memory = [UInt8](repeating: 0, count: 20)
        let error = s3Error {
            _ = try memory.withUnsafeMutableBytes {
                try bucket.client.getInParts("a", range: 0..<20, ifMatch: "e", into: $0)
            }
        }
        #expect(error?.code == .preconditionFailed)
    }

    @Test("a look says size, tag and time; nil when there is no object")
    func look() throws {
        let bucket = try TestBucket { _, request in
            var headers = Self.head
            headers.add(name: "Content-Length", value: "5000000000")
            return request.path == "/lake/a" ? .answer(200, headers) : .answer(404)
        }
        let object = try bucket.client.head("a")
        #expect(
            object
                == S3Object(
                    key: "a",
                    byteCount: 5_000_000_000,
                    etag: "abc-2",
                    modified: Self.modified,
                    versionID: "v7"
                )
        )
        #expect(try bucket.client.head("b") == nil)
    }

    @Test("a look that is refused without words asks for the reason")
    func lookRefused() throws {
        let bucket = try TestBucket { _, request in
            request.method == .HEAD ? .answer(403) : .answer(403, [:], TestBucket.error("InvalidAccessKeyId"))
        }
        let error = s3Error { _ = try bucket.client.head("a") }
        #expect(error?.code == .credentialsRefused)
        #expect(error?.description.hasPrefix("cannot look at s3://lake/a: about InvalidAccessKeyId") == true)
    }

    @Test("a look with credentials that have ended is made again with new ones")
    func lookExpired() throws {
        let bucket = try TestBucket(credentials: RefreshedCredentials(CountingSource())) { _, request in
            let isNew = request.headers.first(name: "authorization")?.contains("Credential=KEY2/") == true
            if request.method == .HEAD { return isNew ? .answer(200, Self.head) : .answer(400) }
            return isNew
                ? Self.part("bytes 0-0/10", Array("0".utf8))
                : .answer(400, [:], TestBucket.error("ExpiredToken"))
        }
        #expect(try bucket.client.head("a")?.etag == "abc-2")
    }
}
