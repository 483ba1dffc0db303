import NIOHTTP1
import ObjectStorage
import Synchronization
import Testing

/// Objects that are written piece by piece.
@Suite struct S3UploadTests {
    /// A service that knows uploads, with faults by request.
    final class Uploads: Sendable {
        struct State {
            var parts: [Int: [UInt8]] = [:]
            var object: [UInt8]?
            var putID: String?
            var isAborted = false
        }

        let state = Mutex(State())

        func answer(_ request: StandInServer.Request) -> StandInServer.Reply {
            state.withLock { state in
                switch (request.method, request.query) {
                case (.POST, "uploads="):
                    state.putID = request.headers.first(name: "x-amz-meta-put-id")
                    return .answer(
                        200,
                        [:],
                        "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
                    )
                case (.PUT, let query) where query.hasSuffix("&uploadId=u1"):
                    guard let number = Int(query.dropFirst("partNumber=".count).prefix { $0 != "&" }) else {
                        return .answer(400)
                    }
                    state.parts[number] = request.body
                    return .answer(200, ["ETag": "\"p\(number)\""])
                case (.POST, "uploadId=u1"):
                    guard !state.parts.isEmpty else {
                        return .answer(404, [:], TestBucket.error("NoSuchUpload"))
                    }
                    state.object = state.parts.sorted { $0.key < $1.key }.flatMap(\.value)
                    state.parts = [:]
                    return .answer(
                        200,
                        [:],
                        " \n<?xml version=\"1.0\"?><CompleteMultipartUploadResult><ETag>\"w-3\"</ETag></CompleteMultipartUploadResult>"
                    )
                case (.DELETE, "uploadId=u1"):
                    state.isAborted = true
                    return .answer(204)
                case (.PUT, ""):
                    state.object = request.body
                    return .answer(200, ["ETag": "\"single\""])
                case (.GET, ""):
                    guard let object = state.object else { return .answer(404) }
                    return .bytes(
                        206,
                        [
                            "ETag": "\"w-3\"", "Content-Range": "bytes 0-0/\(object.count)",
                            "x-amz-meta-put-id": state.putID ?? "",
                        ],
                        Array(object.prefix(1))
                    )
                default: return .answer(400)
                }
            }
        }
    }

    private static let content = (0..<2500).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func write(_ upload: S3Upload, step: Int, count: Int = 2500) throws {
        for start in stride(from: 0, to: count, by: step) {
            try Self.content[start..<min(start + step, count)].withUnsafeBytes { try upload.write($0) }
        }
    }

    @Test(
        "pieces of any size become parts of one size and a rest, in order",
        arguments: [1, 999, 1000, 1001, 2500]
    )
    func parts(step: Int) throws {
        let uploads = Uploads()
        let bucket = try TestBucket(encryption: .kms(key: "k1", bucketKey: true), partByteCount: 1000) {
            _,
            request in uploads.answer(request)
        }
        let upload = bucket.client.upload("a")
        try write(upload, step: step)
        #expect(upload.byteCount == 2500)
        #expect(uploads.state.withLock { $0.object } == nil, "nobody sees it before it is finished")
        #expect(try upload.finish() == .created(etag: "w-3"))
        #expect(uploads.state.withLock { $0.object } == Self.content)
        let requests = bucket.server.requests
        #expect(requests.filter { $0.method == .PUT }.map(\.body.count).sorted() == [500, 1000, 1000])
        let first = requests[0].headers
        #expect(first["x-amz-server-side-encryption"] == ["aws:kms"])
        #expect(first["x-amz-server-side-encryption-aws-kms-key-id"] == ["k1"])
        #expect(first["x-amz-server-side-encryption-bucket-key-enabled"] == ["true"])
        let list = String(decoding: requests.last?.body ?? [], as: UTF8.self)
        for number in 1...3 {
            #expect(
                list.contains(
                    "<Part><PartNumber>\(number)</PartNumber><ETag>&quot;p\(number)&quot;</ETag></Part>"
                )
            )
        }
    }

    @Test("what fits into one part is one put", arguments: [0, 1, 1000])
    func single(count: Int) throws {
        let uploads = Uploads()
        let bucket = try TestBucket(encryption: .s3, partByteCount: 1000) { _, request in
            uploads.answer(request)
        }
        let upload = bucket.client.upload("a")
        try write(upload, step: 300, count: count)
        #expect(try upload.finish() == .created(etag: "single"))
        #expect(uploads.state.withLock { $0.object } == Array(Self.content[..<count]))
        #expect(bucket.server.requests.count == 1)
        #expect(bucket.server.requests[0].headers["x-amz-server-side-encryption"] == ["AES256"])
    }

    @Test("a part that fails is sent again; one that fails for ever surfaces and the upload is taken away")
    func failingPart() throws {
        for isForEver in [false, true] {
            let uploads = Uploads()
            let bucket = try TestBucket(partByteCount: 1000) { number, request in
                let isSecond = request.query.hasPrefix("partNumber=2")
                return isSecond && (isForEver || number < 3) ? .answer(503) : uploads.answer(request)
            }
            let upload = bucket.client.upload("a")
            let error = s3Error {
                try write(upload, step: 2500)
                try upload.finish()
            }
            if error != nil { upload.abandon() }
            #expect((error?.code == .throttled) == isForEver)
            #expect(uploads.state.withLock { $0.isAborted } == isForEver)
            #expect(uploads.state.withLock { $0.object } == (isForEver ? nil : Self.content))
        }
    }

    @Test("an upload that is abandoned is taken away; one without parts leaves no trace")
    func abandoned() throws {
        let uploads = Uploads()
        let bucket = try TestBucket(partByteCount: 1000) { _, request in uploads.answer(request) }
        let upload = bucket.client.upload("a")
        try write(upload, step: 2500)
        upload.abandon()
        #expect(uploads.state.withLock { $0.isAborted && $0.object == nil })
        let count = bucket.server.requests.count
        let small = bucket.client.upload("b")
        try write(small, step: 100, count: 100)
        small.abandon()
        #expect(bucket.server.requests.count == count)
    }

    @Test("completion that fails in the body of a success is repeated")
    func failureInBody() throws {
        let uploads = Uploads()
        let failed = Mutex(false)
        let bucket = try TestBucket(partByteCount: 1000) { _, request in
            if request.query == "uploadId=u1",
                failed.withLock({ failed in
                    defer { failed = true }
                    return !failed
                })
            {
                return .answer(200, [:], "  \n" + TestBucket.error("InternalError"))
            }
            return uploads.answer(request)
        }
        let upload = bucket.client.upload("a")
        try write(upload, step: 2500)
        #expect(try upload.finish() == .created(etag: "w-3"))
        #expect(uploads.state.withLock { $0.object } == Self.content)
    }

    @Test("an upload that leaves an object alone says so and is taken away", arguments: [false, true])
    func taken(isAnswerLost: Bool) throws {
        let uploads = Uploads()
        uploads.state.withLock { $0.object = [1] }
        let lost = Mutex(isAnswerLost)
        let bucket = try TestBucket(partByteCount: 1000) { _, request in
            guard request.query == "uploadId=u1", request.method == .POST else {
                return uploads.answer(request)
            }
            if lost.withLock({ value in
                defer { value = false }
                return value
            }) {
                return .reset
            }
            return request.headers["if-none-match"] == ["*"]
                ? .answer(412, [:], TestBucket.error("PreconditionFailed")) : .answer(400)
        }
        let upload = bucket.client.upload("a", ifAbsent: true)
        try write(upload, step: 2500)
        uploads.state.withLock { $0.putID = "other" }
        #expect(try upload.finish() == .exists)
        #expect(uploads.state.withLock { $0.isAborted && $0.object == [1] })
    }

    @Test("completion whose answer is lost is found by the object's name for it", arguments: [true, false])
    func lostCompletion(isOurs: Bool) throws {
        let uploads = Uploads()
        let bucket = try TestBucket(partByteCount: 1000) { _, request in
            let isFirst = request.query == "uploadId=u1" && uploads.state.withLock { $0.object == nil }
            let answer = uploads.answer(request)
            if isFirst, !isOurs { uploads.state.withLock { $0.putID = "other" } }
            return isFirst ? .reset : answer
        }
        let upload = bucket.client.upload("a")
        try write(upload, step: 2500)
        if isOurs {
            #expect(try upload.finish() == .created(etag: "w-3"))
        } else {
            #expect(s3Error { try upload.finish() }?.code == .notFound)
        }
    }
}
