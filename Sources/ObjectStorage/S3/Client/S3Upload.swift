import NIOCore
import NIOHTTP1

/// An object under way that nobody sees yet: bytes in order, then `finish` or `abandon`.
///
/// A small object becomes one put. A larger one travels in parts, some of them side by side; memory holds those and the
/// one that is being filled. To be used by one thread at a time.
package final class S3Upload {
    /// `s3://bucket/key`.
    package let path: String
    /// Bytes written so far.
    package private(set) var byteCount = 0
    private let client: S3Client
    private let key: String
    private let putID = RandomName.make()
    private var filling: [UInt8] = []
    private var uploadID: String?
    private var parts: [EventLoopFuture<String>] = []
    private var isEnded = false

    /// S3 takes no more parts.
    private static let maximumParts = 10_000

    init(client: S3Client, key: String) {
        self.client = client
        self.key = key
        path = client.path(key)
    }

    /// Appends bytes; blocks while as many parts travel as may.
    ///
    /// - Throws: `S3Error`, also that of a part that was sent before; call `abandon`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(!isEnded, "the object is finished")
        var rest = bytes[...]
        let size = client.settings.partByteCount
        while !rest.isEmpty {
            // A full part is sent when it turns out not to be the last.
            if filling.count == size { try sendPart() }
            if filling.isEmpty { filling.reserveCapacity(min(size, max(rest.count, 64 << 10))) }
            let step = rest.prefix(size - filling.count)
            filling.append(contentsOf: step)
            rest = rest.dropFirst(step.count)
            byteCount += step.count
        }
    }

    /// Makes the object of what was written; it replaces one of its name.
    ///
    /// - Returns: The entity tag.
    /// - Throws: `S3Error`; call `abandon`. When its `outcomeIsUnknown` is set, the object may be there, whole.
    @discardableResult
    package func finish() throws -> String {
        precondition(!isEnded, "the object is finished")
        if uploadID == nil {
            guard case .created(let etag) = try client.put(key, filling, ifAbsent: false) else {
                preconditionFailure("a put without condition creates")
            }
            end()
            return etag
        }
        if !filling.isEmpty { try sendPart() }
        let tags = try parts.map { try $0.wait() }
        let etag = try complete(tags)
        end()
        return etag
    }

    /// Gives the object up, and its parts with it as far as that is possible.
    ///
    /// Parts that cannot be removed now stay, unseen, until a lifecycle rule of the bucket removes them.
    package func abandon() {
        guard !isEnded else { return }
        end()
        for part in parts { _ = Result { try part.wait() } }
        guard let uploadID else { return }
        var request = S3Request(operation: "abandon", method: .DELETE, key: key, accepted: [404])
        request.query = [.init("uploadId", uploadID)]
        _ = Result { try client.send(request) }
    }

    private func end() {
        isEnded = true
        filling = []
    }

    private func sendPart() throws {
        let id = try uploadID ?? begin()
        uploadID = id
        let number = parts.count + 1
        guard number <= Self.maximumParts else {
            throw S3Error(.tooLarge, "put", path, message: "it has more than \(Self.maximumParts) parts")
        }
        let parallel = max(1, client.settings.parallelParts)
        if parts.count >= parallel { _ = try parts[parts.count - parallel].wait() }
        let bytes = filling
        filling = []
        parts.append(
            client.onWorker { [client, key] in
                try client.putPart(key, uploadID: id, number: number, bytes)
            }
        )
    }

    private func begin() throws -> String {
        var request = S3Request(operation: "put", method: .POST, key: key, query: [.init("uploads")])
        request.headers = client.newObjectHeaders(putID: putID)
        let response = try client.send(request).response
        let result = try? XMLTree(parsing: response.body)
        guard let id = result?.text("UploadId"), !id.isEmpty else {
            throw S3Error(.invalidAnswer, "put", path, message: "the answer names no upload")
        }
        return id
    }

    private func complete(_ tags: [String]) throws -> String {
        let list = tags.enumerated().map { number, tag in
            "<Part><PartNumber>\(number + 1)</PartNumber><ETag>&quot;\(tag)&quot;</ETag></Part>"
        }
        let body = Array(
            ("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + list.joined()
                + "</CompleteMultipartUpload>").utf8
        )
        var request = S3Request(
            operation: "put",
            method: .POST,
            key: key,
            accepted: [404],
            mayFailInBody: true
        )
        request.query = [.init("uploadId", uploadID ?? "")]
        request.headers = ["Content-Type": "application/xml"]
        request.body = ByteBuffer(bytes: body)
        request.payloadHash = PayloadHash.sha256(body)
        let answer = try client.send(request)
        if answer.response.status == 404 { return try lookForObject(answer) }
        let result = try? XMLTree(parsing: answer.response.body)
        return S3Object.unquoted(result?.text("ETag") ?? "")
    }

    /// An upload that is gone after a lost answer is the object that is there, or has been abandoned by someone else.
    private func lookForObject(_ answer: S3Answer) throws -> String {
        if answer.mayBeDoneBefore, let found = try client.get(key, range: 0..<1), found.putID == putID,
            found.object.byteCount == UInt64(byteCount)
        {
            return found.object.etag
        }
        throw ServiceFault(answer.response).error("put", path)
    }
}

extension S3Client {
    /// Starts an object of any size.
    package func upload(_ key: String) -> S3Upload { S3Upload(client: self, key: key) }

    /// Stores a part of an upload.
    ///
    /// - Returns: Its entity tag.
    fileprivate func putPart(_ key: String, uploadID: String, number: Int, _ bytes: [UInt8]) throws -> String
    {
        var request = S3Request(operation: "put", method: .PUT, key: key)
        request.query = [.init("partNumber", String(number)), .init("uploadId", uploadID)]
        request.body = ByteBuffer(bytes: bytes)
        request.payloadHash = PayloadHash.sha256(bytes)
        let response = try send(request).response
        guard let tag = response.headers.first(name: "ETag") else {
            throw S3Error(.invalidAnswer, "put", path(key), message: "the answer has no entity tag")
        }
        return S3Object.unquoted(tag)
    }
}
