import NIOHTTP1

extension S3Client {
    /// What the service says of an object; nil when there is none.
    ///
    /// - Throws: `S3Error`.
    package func head(_ key: String) throws -> S3Object? {
        let request = S3Request(operation: "look at", method: .HEAD, key: key, accepted: [400, 403, 404])
        var response = try send(request).response
        if response.status == 400 || response.status == 403 {
            // An answer to HEAD has no body to say why. The same question as GET has one, and `send` may mend it.
            var question = request
            question.method = .GET
            question.headers.add(name: "Range", value: Self.header(0..<1))
            question.accepted = [404, 416]
            _ = try send(question)
            var again = request
            again.accepted = [404]
            response = try send(again).response
        }
        return response.status == 404 ? nil : try object(key, response)
    }

    /// An object's bytes; nil when there is none.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - range: Which bytes, from the first; what lies behind the object's end is left out.
    ///   - ifMatch: The entity tag that the object must have.
    /// - Returns: The bytes, and what the service says of the object.
    /// - Throws: `S3Error`; with code `preconditionFailed` for an object with another tag, `rangeNotSatisfiable` for a
    ///   range that begins at the object's end or behind it.
    package func get(_ key: String, range: Range<UInt64>? = nil, ifMatch: String? = nil) throws -> S3Body? {
        let response = try send(read(key, range, ifMatch)).response
        guard try isThere(response, key) else { return nil }
        let object = try object(key, response)
        try check(response, range, byteCount: response.body.count, of: object)
        return S3Body(
            object: object,
            bytes: response.body,
            putID: response.headers.first(name: Self.putIDHeader)
        )
    }

    /// Reads bytes of an object straight into memory.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - range: Which bytes, from the first; no more than `memory` has room for.
    ///   - ifMatch: The entity tag that the object must have.
    ///   - memory: Gets the bytes.
    /// - Returns: How many bytes there were; fewer than the range has only at the object's end. nil when there is no
    ///   object.
    /// - Throws: `S3Error`, as `get` without memory; what `memory` holds then is not defined.
    package func get(
        _ key: String,
        range: Range<UInt64>,
        ifMatch: String? = nil,
        into memory: UnsafeMutableRawBufferPointer
    ) throws -> Int? {
        precondition(range.count <= memory.count, "the range is longer than the memory")
        let response = try send(read(key, range, ifMatch), into: memory).response
        guard try isThere(response, key) else { return nil }
        try check(response, range, byteCount: response.byteCountInBuffer, of: object(key, response))
        return response.byteCountInBuffer
    }

    private func read(_ key: String, _ range: Range<UInt64>?, _ ifMatch: String?) -> S3Request {
        var headers = HTTPHeaders()
        if let range { headers.add(name: "Range", value: Self.header(range)) }
        if let ifMatch { headers.add(name: "If-Match", value: "\"\(ifMatch)\"") }
        return S3Request(operation: "read", method: .GET, key: key, headers: headers, accepted: [404])
    }

    private static func header(_ range: Range<UInt64>) -> String {
        precondition(!range.isEmpty, "no bytes are asked for")
        return "bytes=\(range.lowerBound)-\(range.upperBound - 1)"
    }

    /// Tells an object that is not there from a bucket that is not there.
    private func isThere(_ response: WebResponse, _ key: String) throws -> Bool {
        guard response.status == 404 else { return true }
        let fault = ServiceFault(response)
        if fault.code == "NoSuchBucket" { throw fault.error("read", path(key)) }
        return false
    }

    private func object(_ key: String, _ response: WebResponse) throws -> S3Object {
        let length = response.headers.first(name: "Content-Length").flatMap { UInt64($0) }
        let whole = response.status == 206 ? ContentRange(response)?.objectByteCount : length
        guard let whole, let etag = response.headers.first(name: "ETag") else {
            throw invalidAnswer(key, "the answer has no size or no entity tag")
        }
        let modified = response.headers.first(name: "Last-Modified").flatMap {
            UTCTime.microseconds(httpDate: $0)
        }
        return S3Object(
            key: key,
            byteCount: whole,
            etag: S3Object.unquoted(etag),
            modified: modified ?? 0,
            versionID: response.headers.first(name: "x-amz-version-id")
        )
    }

    /// Checks that the answer has the bytes that were asked for, and all of them.
    private func check(
        _ response: WebResponse,
        _ range: Range<UInt64>?,
        byteCount: Int,
        of object: S3Object
    ) throws {
        let got: Range<UInt64>?
        let wanted: Range<UInt64>
        if let range {
            wanted = range.clamped(to: 0..<max(object.byteCount, range.lowerBound))
            got = ContentRange(response)?.range
        } else {
            wanted = 0..<object.byteCount
            got = response.status == 200 ? wanted : nil
        }
        guard got == wanted, wanted.count == byteCount else {
            throw invalidAnswer(object.key, "the answer has other bytes than were asked for")
        }
    }

    func invalidAnswer(_ key: String?, _ message: String) -> S3Error {
        S3Error(.invalidAnswer, "read", path(key), message: message)
    }
}

/// The header of an answer with a part of an object: `bytes 0-9/443`.
private struct ContentRange {
    var range: Range<UInt64>
    var objectByteCount: UInt64

    /// nil when the answer has the whole object, or no such header.
    init?(_ response: WebResponse) {
        guard response.status == 206, let text = response.headers.first(name: "Content-Range"),
            text.hasPrefix("bytes ")
        else { return nil }
        let parts = text.dropFirst(6).split(separator: "/")
        let ends = parts.first?.split(separator: "-").map { UInt64($0) } ?? []
        guard parts.count == 2, ends.count == 2, let first = ends[0], let last = ends[1], first <= last,
            let whole = UInt64(parts[1]), last < whole
        else { return nil }
        range = first..<(last + 1)
        objectByteCount = whole
    }
}
