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
    private let ifAbsent: Bool
    private let putID = RandomName.make()
    private var filling: [UInt8] = []
    private var uploadID: String?
    private var parts: [EventLoopFuture<String>] = []
    private var isEnded = false

    /// S3 takes no more parts.
    private static let maximumParts = 10_000

    init(client: S3Client, key: String, ifAbsent: Bool) {
        self.client = client
        self.key = key
        self.ifAbsent = ifAbsent
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
            filling.append(contentsOf: UnsafeRawBufferPointer(rebasing: step))
            rest = rest.dropFirst(step.count)
            byteCount += step.count
        }
    }

    /// Makes the object of what was written.
    ///
    /// - Returns: `exists` when the key is taken and the upload is one that leaves such an object alone.
    /// - Throws: `S3Error`; call `abandon`. When its `outcomeIsUnknown` is set, the object may be there, whole.
    @discardableResult
    package func finish() throws -> PutOutcome {
        precondition(!isEnded, "the object is finished")
        let outcome: PutOutcome
        if uploadID == nil {
            outcome = try client.put(key, filling, ifAbsent: ifAbsent)
        } else {
            if !filling.isEmpty { try sendPart() }
            outcome = try complete(parts.map { try $0.wait() })
        }
        if outcome == .exists { abandon() } else { end() }
        return outcome
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

    private func complete(_ tags: [String]) throws -> PutOutcome {
        let list = tags.enumerated().map { number, tag in
            "<Part><PartNumber>\(number + 1)</PartNumber><ETag>&quot;\(tag)&quot;</ETag></Part>"
        }
        let body = Array(
            ("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + list.joined()
                + "</CompleteMultipartUpload>").utf8
        )
        var request = S3Request(operation: "put", method: .POST, key: key, accepted: [404, 412])
        request.mayFailInBody = true
        request.demandsTag = true
        request.query = [.init("uploadId", uploadID ?? "")]
        request.headers = ["Content-Type": "application/xml"]
        if ifAbsent { request.headers.add(name: "If-None-Match", value: "*") }
        request.body = ByteBuffer(bytes: body)
        request.payloadHash = PayloadHash.sha256(body)
        let answer = try client.send(request)
        if answer.response.isSuccess {
            let result = try? XMLTree(parsing: answer.response.body)
            return .created(etag: S3Object.unquoted(result?.text("ETag") ?? ""))
        }
        // After a lost answer the upload may be gone, or the key taken, because the object is there: ours.
        if answer.mayBeDoneBefore, let found = try client.get(key, range: 0..<1), found.putID == putID,
            found.object.byteCount == UInt64(byteCount)
        {
            return .created(etag: found.object.etag)
        }
        if answer.response.status == 412 { return .exists }
        throw ServiceFault(answer.response).error("put", path)
    }
}

extension S3Client {
    /// Starts an object of any size.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - ifAbsent: Leave an object alone that has this key when the upload is finished. Some services heed that only
    ///     for objects that fit into one part.
    /// - Returns: The object under way.
    package func upload(_ key: String, ifAbsent: Bool = false) -> S3Upload {
        S3Upload(client: self, key: key, ifAbsent: ifAbsent)
    }

    /// Stores a part of an upload.
    ///
    /// - Returns: Its entity tag.
    fileprivate func putPart(_ key: String, uploadID: String, number: Int, _ bytes: [UInt8]) throws -> String
    {
        var request = S3Request(operation: "put", method: .PUT, key: key)
        request.query = [.init("partNumber", String(number)), .init("uploadId", uploadID)]
        request.body = ByteBuffer(bytes: bytes)
        request.payloadHash = PayloadHash.sha256(bytes)
        request.demandsTag = true
        return S3Object.unquoted(try send(request).response.headers.first(name: "ETag") ?? "")
    }
}
