import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1

extension S3Client {
    /// Carries the name of an attempt to put an object, so that a lost answer can be told from a lost race.
    static let putIDHeader = "x-amz-meta-put-id"

    /// Stores an object in one request.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - bytes: At most 5 GiB.
    ///   - ifAbsent: Leave an object alone that has this key already. Of several clients exactly one creates it, also
    ///     when answers are lost: each attempt has a name, and who finds its own name created the object.
    /// - Returns: `exists` only with `ifAbsent`.
    /// - Throws: `S3Error`. When its `outcomeIsUnknown` is set, the object may be there, whole.
    package func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool) throws -> PutOutcome {
        let id = RandomName.make()
        var request = S3Request(
            operation: "put",
            method: .PUT,
            key: key,
            headers: newObjectHeaders(putID: id)
        )
        request.body = ByteBuffer(bytes: bytes)
        request.payloadHash = PayloadHash.sha256(bytes)
        request.demandsTag = true
        guard ifAbsent else { return .created(etag: etag(try send(request))) }
        request.headers.add(name: "If-None-Match", value: "*")
        request.accepted = [412]
        while true {
            let answer = try send(request)
            guard answer.response.status == 412 else { return .created(etag: etag(answer)) }
            guard answer.mayBeDoneBefore else { return .exists }
            // An object that vanished since says nothing: the question is asked anew.
            guard let found = try get(key) else { continue }
            let isOurs = found.bytes == bytes && (found.putID ?? id) == id
            return isOurs ? .created(etag: found.object.etag) : .exists
        }
    }

    /// Headers of a request that makes an object.
    func newObjectHeaders(putID: String) -> HTTPHeaders {
        var headers: HTTPHeaders = [
            "Content-Type": "application/octet-stream", Self.putIDHeader: putID,
        ]
        switch settings.encryption {
        case .bucketDefault: break
        case .s3: headers.add(name: "x-amz-server-side-encryption", value: "AES256")
        case .kms(let key, let bucketKey):
            headers.add(name: "x-amz-server-side-encryption", value: "aws:kms")
            if let key { headers.add(name: "x-amz-server-side-encryption-aws-kms-key-id", value: key) }
            headers.add(
                name: "x-amz-server-side-encryption-bucket-key-enabled",
                value: bucketKey ? "true" : "false"
            )
        }
        return headers
    }

    private func etag(_ answer: S3Answer) -> String {
        S3Object.unquoted(answer.response.headers.first(name: "ETag") ?? "")
    }
}

extension S3Client {
    /// Removes an object; one that is gone already is no error.
    ///
    /// - Throws: `S3Error`.
    package func delete(_ key: String) throws {
        let answer = try send(S3Request(operation: "remove", method: .DELETE, key: key, accepted: [404]))
        let fault = ServiceFault(answer.response)
        if fault.code == "NoSuchBucket" { throw fault.error("remove", path(key)) }
    }

    /// Removes objects, a thousand in a request; those that are gone already are no error.
    ///
    /// - Throws: `S3Error` for the first that was not removed; others may have been.
    package func delete(_ keys: [String]) throws {
        var batch: [(key: String, text: String)] = []
        for key in keys {
            // XML cannot say all that a key may hold.
            guard let text = XMLTree.escaped(key) else {
                try delete(key)
                continue
            }
            batch.append((key, text))
            if batch.count == 1000 {
                try delete(batch: batch.map(\.text))
                batch = []
            }
        }
        if !batch.isEmpty { try delete(batch: batch.map(\.text)) }
    }

    private func delete(batch: [String]) throws {
        let objects = batch.map { "<Object><Key>\($0)</Key></Object>" }.joined()
        let body = Array(
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>\(objects)</Delete>"
                .utf8
        )
        var request = S3Request(operation: "remove", method: .POST, query: [.init("delete")])
        request.body = ByteBuffer(bytes: body)
        request.payloadHash = PayloadHash.sha256(body)
        request.headers = [
            "Content-Type": "application/xml",
            "Content-MD5": Data(Insecure.MD5.hash(data: body)).base64EncodedString(),
        ]
        request.mayFailInBody = true
        let response = try send(request).response
        guard let result = try? XMLTree(parsing: response.body), result.name == "DeleteResult" else {
            throw invalidAnswer(nil, "the answer to a removal is no DeleteResult")
        }
        for error in result.all("Error") where error.text("Code") != "NoSuchKey" {
            var fault = ServiceFault(response)
            fault.code = error.text("Code")
            fault.message = error.text("Message")
            throw fault.error("remove", path(error.text("Key")))
        }
    }
}
