import Glibc
import NIOHTTP1
import ObjectStorage
import Testing

/// The store below a prefix: which keys it asks for.
@Suite struct S3StoreTests {
    @Test("a prefix has no slash too many", arguments: ["lake/x", "/lake/x/", "lake//x", ""])
    func prefix(text: String) throws {
        let objects = StandInObjects()
        let bucket = try TestBucket { _, request in objects.answer(request) }
        let store = S3Store(client: bucket.client, prefix: text)
        let base = text.isEmpty ? "" : "lake/x/"
        #expect(try store.putIfAbsent("t/1.json", [1]))
        #expect(try !store.putIfAbsent("t/1.json", [2]))
        #expect(objects["/lake/\(base)t/1.json"] == [1])
        try store.replace("t/1.json", [3])
        #expect(try store.read("t/1.json") == [3])
        #expect(try store.read("t/2.json") == nil)
        #expect(store.path("t/1.json") == "s3://lake/\(base)t/1.json")
    }

    @Test("a published object appears when it is finished, unless its name is taken; a written one replaces")
    func writers() throws {
        let objects = StandInObjects()
        let bucket = try TestBucket { _, request in objects.answer(request) }
        let store = S3Store(client: bucket.client, prefix: "p")
        func write(_ content: String, _ writer: any ObjectWriter) throws -> Bool {
            try Array(content.utf8).withUnsafeBytes { try writer.write($0) }
            #expect(writer.byteCount == content.utf8.count)
            return try writer.finish()
        }
        #expect(try write("one", store.publisher("t/1")))
        #expect(try !write("two", store.publisher("t/1")))
        #expect(objects["/lake/p/t/1"] == Array("one".utf8))
        #expect(try write("three", store.writer("t/1")))
        #expect(objects["/lake/p/t/1"] == Array("three".utf8))
        let given = try store.writer("t/2")
        try [1, 2, 3].withUnsafeBytes { try given.write($0) }
        given.abandon()
        #expect(objects["/lake/p/t/2"] == nil)
    }

    @Test("an open object is read at any place, and refused when it has become another one")
    func open() throws {
        let bucket = try TestBucket(partByteCount: 4) { number, request in
            switch request.method {
            case .HEAD where request.path == "/lake/p/gone": return .answer(404)
            case .HEAD: return .answer(200, ["ETag": "\"e1\"", "Content-Length": "10"])
            default:
                guard number < 5, request.headers["if-match"] == ["\"e1\""] else {
                    return .answer(412, [:], TestBucket.error("PreconditionFailed"))
                }
                let first =
                    Int(request.headers.first(name: "Range")?.dropFirst(6).prefix { $0 != "-" } ?? "") ?? 0
                let bytes = Array("0123456789".utf8)[first..<min(first + 4, 10)]
                return .bytes(
                    206,
                    ["ETag": "\"e1\"", "Content-Range": "bytes \(first)-\(first + bytes.count - 1)/10"],
                    Array(bytes)
                )
            }
        }
        let store = S3Store(client: bucket.client, prefix: "p")
        #expect(try store.open("gone") == nil)
        let content = try #require(try store.open("a"))
        #expect(content.byteCount == 10)
        var memory = Array("..........".utf8)
        #expect(try memory.withUnsafeMutableBytes { try content.read(at: 2, into: $0) } == 8)
        #expect(memory == Array("23456789..".utf8))
        #expect(try memory.withUnsafeMutableBytes { try content.read(at: 10, into: $0) } == 0)
        #expect(bucket.server.requests.count == 4)
        memory = [0]
        #expect(try memory.withUnsafeMutableBytes { try content.read(at: 9, into: $0) } == 1)
        let error = #expect(throws: StorageError.self) {
            try memory.withUnsafeMutableBytes { try content.read(at: 9, into: $0) }
        }
        #expect(error?.code == .other(ESTALE) && error?.path == "s3://lake/p/a")
    }

    private static let page = """
        <ListBucketResult><Contents><Key>p/t/</Key><Size>0</Size><LastModified>2009-10-12T17:50:30.000Z</LastModified>\
        </Contents><Contents><Key>p/t/a</Key><Size>7</Size><LastModified>2009-10-12T17:50:30.000Z</LastModified>\
        </Contents><CommonPrefixes><Prefix>p/t/sub/</Prefix></CommonPrefixes></ListBucketResult>
        """

    @Test("a folder's objects and folders are told by their names in it")
    func list() throws {
        let bucket = try TestBucket { _, _ in .answer(200, [:], Self.page) }
        let found = try S3Store(client: bucket.client, prefix: "p").list("t")
        #expect(
            found == [
                ObjectEntry(name: "a", byteCount: 7, modified: 1_255_369_830_000_000),
                ObjectEntry(name: "sub", isFolder: true),
            ]
        )
        #expect(bucket.server.requests[0].query.contains("delimiter=%2F"))
        #expect(bucket.server.requests[0].query.hasSuffix("&prefix=p%2Ft%2F"))
    }

    @Test("a folder is there as long as an object is below it")
    func hasFolder() throws {
        let bucket = try TestBucket { _, request in
            request.query.hasSuffix("&prefix=p%2Ft%2F")
                ? .answer(200, [:], Self.page) : .answer(200, [:], "<ListBucketResult/>")
        }
        let store = S3Store(client: bucket.client, prefix: "p")
        #expect(try store.hasFolder("t"))
        #expect(try !store.hasFolder("other"))
        #expect(bucket.server.requests.allSatisfy { $0.query.contains("max-keys=1&") })
    }

    @Test("the store speaks of failures in the terms of files")
    func translated() throws {
        let bucket = try TestBucket { _, _ in .answer(403, [:], TestBucket.error("InvalidAccessKeyId")) }
        let store = S3Store(client: bucket.client, prefix: "p")
        let writer = try store.writer("a")
        let calls: [() throws -> Void] = [
            { _ = try store.read("a") }, { _ = try store.open("a") }, { _ = try store.exists("a") },
            { _ = try store.hasFolder("a") }, { _ = try store.list("a") }, { try store.remove("a") },
            { try store.removeFolder("a") }, { _ = try store.putIfAbsent("a", []) },
            { try store.replace("a", []) }, { _ = try writer.finish() },
        ]
        for (number, call) in calls.enumerated() {
            let error = #expect(throws: StorageError.self, "call \(number)") { try call() }
            #expect(error?.code == .other(EKEYREJECTED))
        }
    }

    @Test("a folder is removed with all below it and nothing beside it")
    func removeFolder() throws {
        let bucket = try TestBucket { _, request in
            .answer(200, [:], request.method == .GET ? Self.page : "<DeleteResult/>")
        }
        try S3Store(client: bucket.client, prefix: "p").removeFolder("t")
        #expect(bucket.server.requests[0].query.hasSuffix("&prefix=p%2Ft%2F"))
        #expect(!bucket.server.requests[0].query.contains("delimiter"))
        let removed = String(decoding: bucket.server.requests[1].body, as: UTF8.self)
        #expect(removed.contains("<Key>p/t/</Key>") && removed.contains("<Key>p/t/a</Key>"))
    }

    @Test(
        "callers who know files only hear what an error means to them",
        arguments: [
            (S3Error.Code.notFound, StorageError.Code.notFound), (.accessDenied, .permissionDenied),
            (.credentialsRefused, .other(EKEYREJECTED)), (.noCredentials, .other(ENOKEY)),
            (.throttled, .other(EAGAIN)), (.timeout, .other(EAGAIN)), (.unreachable, .other(EAGAIN)),
            (.connectionBroken, .other(EAGAIN)), (.serverFailed, .other(EAGAIN)), (.refused, .other(EPROTO)),
            (.keyUnusable, .permissionDenied), (.keyWanted, .permissionDenied),
            (.archived, .permissionDenied),
        ]
    )
    func fileError(code: S3Error.Code, expected: StorageError.Code) {
        var fault = S3Error(code, "read", "s3://lake/a", message: "m")
        fault.serviceCode = "NoSuchThing"
        let error = StorageError(fault)
        #expect(error.code == expected && error.operation == "read" && error.path == "s3://lake/a")
        #expect(error.description == "cannot read s3://lake/a: m (NoSuchThing)")
        #expect(error.mend == fault.mend)
        // What passes by itself is tried again, and nobody sets a single object aside for it.
        #expect(error.isRetryable == (expected == .other(EAGAIN)))
        #expect(error.concernsOneFile == (expected == .permissionDenied))
    }
}
