import Glibc
import ObjectStorage

/// A bucket as a source sees it: objects by key, listed in order of their keys' bytes.
///
/// May be used from several threads. Everything throws `StorageError`.
package protocol Bucket: Sendable {
    /// `s3://name`.
    var url: String { get }
    /// Tells of requests that fail or have no answer; nil when nobody does.
    var failures: FailureBell? { get }

    /// Ends all requests under way, and all that follow, without an answer.
    func giveUp()

    /// Calls `page` with all objects whose keys begin with a prefix and stand behind another key, some at a time, until it
    /// returns false.
    func list(prefix: String, behind key: String, _ page: ([S3Object]) throws -> Bool) throws

    /// What the service says of objects, asked side by side; nil for one that is not there.
    ///
    /// - Parameter keys: The objects' keys.
    /// - Returns: As many answers, in the order of the keys; failures are `StorageError`.
    func heads(of keys: [String]) -> [Result<S3Object?, any Error>]

    /// The first bytes of an object; nil when there is none.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - byteCount: How many bytes, at the most.
    /// - Returns: The bytes, and what the service says of the object.
    /// - Throws: `StorageError`.
    func start(of key: String, byteCount: Int) throws -> S3Body?

    /// The same on another thread.
    func startLater(of key: String, byteCount: Int) -> any PendingBody

    /// Reads bytes of an object that is still the one of an entity tag.
    ///
    /// - Returns: The number of bytes.
    /// - Throws: `StorageError`; with `ESTALE` when it was overwritten or has vanished.
    func read(
        _ object: S3Object,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int
}

extension Bucket {
    package var failures: FailureBell? { nil }
    package func giveUp() {}
}

/// Bytes that are under way.
package protocol PendingBody {
    /// Waits for them; nil when there is no object.
    func value() throws -> S3Body?
}

/// A bucket of S3.
package struct S3Bucket: Bucket {
    private let client: S3Client

    /// Reads through a client.
    package init(_ client: S3Client) { self.client = client }

    package var url: String { "s3://\(client.settings.bucket)" }
    package var failures: FailureBell? { client.failures }

    package func giveUp() { client.giveUp() }

    private struct Enough: Error {}

    package func list(prefix: String, behind key: String, _ page: ([S3Object]) throws -> Bool) throws {
        do {
            try StorageError.translating {
                try client.list(prefix: prefix, startAfter: key.isEmpty ? nil : key) {
                    guard try page($0.objects) else { throw Enough() }
                }
            }
        } catch is Enough {
            return
        }
    }

    package func heads(of keys: [String]) -> [Result<S3Object?, any Error>] {
        let calls = keys.map { key in
            client.later { [client] in try StorageError.translating { try client.head(key) } }
        }
        return calls.map { call in Result { try call.value() } }
    }

    package func start(of key: String, byteCount: Int) throws -> S3Body? {
        do {
            return try client.get(key, range: 0..<UInt64(byteCount))
        } catch let error as S3Error where error.code == .rangeNotSatisfiable {
            // It has no bytes at all.
            return try StorageError.translating { try client.get(key) }
        } catch let error as S3Error {
            throw StorageError(error)
        }
    }

    package func startLater(of key: String, byteCount: Int) -> any PendingBody {
        PendingStart(call: client.later { try self.start(of: key, byteCount: byteCount) })
    }

    private struct PendingStart: PendingBody {
        let call: PendingCall<S3Body?>
        func value() throws -> S3Body? { try call.value() }
    }

    package func read(
        _ object: S3Object,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        let range = offset..<min(offset + UInt64(buffer.count), max(offset, object.byteCount))
        guard !range.isEmpty else { return 0 }
        let count = try StorageError.translating {
            try client.getInParts(object.key, range: range, ifMatch: object.etag, into: buffer)
        }
        guard let count else {
            var error = StorageError(errno: ESTALE, operation: "read", path: "\(url)/\(object.key)")
            error.detail = "it was removed while it was read"
            throw error
        }
        return count
    }
}
