import Glibc
import Intake
import ObjectStorage
import Synchronization

/// A bucket in memory, which writes down every request.
///
/// As S3 does, it lists in order of the keys' bytes, tells times to the millisecond in listings and to the second with an
/// object, and refuses to read on in an object that was overwritten.
package final class MemoryBucket: Bucket {
    /// What was asked for.
    package enum Request: Hashable, Sendable {
        /// A page of a listing.
        case list
        /// What there is of a key.
        case head(String)
        /// The first bytes of a key.
        case start(String)
        /// Later bytes of a key.
        case read(String)
    }

    private struct Stored: Sendable {
        var bytes: [UInt8]
        var etag: String
        var modified: Int64
    }

    private struct State: Sendable {
        var objects: [[UInt8]: Stored] = [:]
        /// All keys in order; nil when they have to be sorted.
        var order: [[UInt8]]? = []
        var requests: [Request] = []
        var writeCount = 0
        var waitingByteCount = 0
        var mostWaitingByteCount = 0
        var onRequest: (@Sendable (Request) throws -> Void)?
    }

    package let url = "s3://bucket"
    private let pageSize: Int
    private let state = Mutex(State())

    /// Has no objects.
    ///
    /// - Parameter pageSize: Objects of one page of a listing.
    package init(pageSize: Int = 1_000) { self.pageSize = pageSize }

    // MARK: What lies in it

    /// Puts an object, over one that is there.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - bytes: What it holds.
    ///   - modified: In microseconds since 1970-01-01 UTC; by default a second behind that of the last put.
    package func put(_ key: String, _ bytes: [UInt8], modified: Int64? = nil) {
        state.withLock { state in
            state.writeCount += 1
            let key = Array(key.utf8)
            if state.objects[key] == nil {
                let isLast = state.order.map { $0.last?.lexicographicallyPrecedes(key) ?? true } ?? false
                if isLast { state.order?.append(key) } else { state.order = nil }
            }
            state.objects[key] = Stored(
                bytes: bytes,
                etag: "etag-\(state.writeCount)",
                modified: modified ?? 1_793_491_200_123_000 + Int64(state.writeCount) * 1_000_000
            )
        }
    }

    /// The same with text.
    package func put(_ key: String, _ text: String, modified: Int64? = nil) {
        put(key, Array(text.utf8), modified: modified)
    }

    /// Removes an object.
    package func remove(_ key: String) {
        state.withLock {
            $0.objects[Array(key.utf8)] = nil
            $0.order = nil
        }
    }

    // MARK: What is asked of it

    /// All requests since the last call.
    package func takeRequests() -> [Request] {
        state.withLock { state in
            defer { state.requests = [] }
            return state.requests
        }
    }

    /// The most bytes that were fetched ahead and not taken at one time.
    package var mostWaitingByteCount: Int { state.withLock(\.mostWaitingByteCount) }

    /// Called before every request is answered; may change the bucket, and fail the request.
    package func beforeRequests(_ body: (@Sendable (Request) throws -> Void)?) {
        state.withLock { $0.onRequest = body }
    }

    private func note(_ request: Request) throws {
        let onRequest = state.withLock { state in
            state.requests.append(request)
            return state.onRequest
        }
        try onRequest?(request)
    }

    // MARK: Bucket

    package func list(prefix: String, behind key: String, _ page: ([S3Object]) throws -> Bool) throws {
        var last = Array(key.utf8)
        while true {
            try note(.list)
            let objects = self.page(prefix: Array(prefix.utf8), behind: last)
            guard try page(objects), objects.count == pageSize, let key = objects.last?.key else { return }
            last = Array(key.utf8)
        }
    }

    private func page(prefix: [UInt8], behind key: [UInt8]) -> [S3Object] {
        state.withLock { state in
            let order = state.order ?? state.objects.keys.sorted { $0.lexicographicallyPrecedes($1) }
            state.order = order
            var low = 0
            var high = order.count
            while low < high {
                let middle = (low + high) / 2
                let isWanted =
                    key.lexicographicallyPrecedes(order[middle])
                    && !order[middle].lexicographicallyPrecedes(prefix)
                if isWanted { high = middle } else { low = middle + 1 }
            }
            return order[low...].prefix(pageSize).prefix { $0.starts(with: prefix) }.compactMap { key in
                state.objects[key].map { Self.object(key, $0, modified: $0.modified / 1_000 * 1_000) }
            }
        }
    }

    private static func object(_ key: [UInt8], _ stored: Stored, modified: Int64) -> S3Object {
        S3Object(
            key: String(decoding: key, as: UTF8.self),
            byteCount: UInt64(stored.bytes.count),
            etag: stored.etag,
            modified: modified
        )
    }

    package func heads(of keys: [String]) -> [Result<S3Object?, any Error>] {
        keys.map { key in
            Result {
                try note(.head(key))
                return body(of: key, byteCount: 0)?.object
            }
        }
    }

    package func start(of key: String, byteCount: Int) throws -> S3Body? {
        try note(.start(key))
        return body(of: key, byteCount: byteCount)
    }

    private func body(of key: String, byteCount: Int) -> S3Body? {
        let key = Array(key.utf8)
        guard let stored = state.withLock({ $0.objects[key] }) else { return nil }
        return S3Body(
            object: Self.object(key, stored, modified: stored.modified / 1_000_000 * 1_000_000),
            bytes: Array(stored.bytes.prefix(byteCount))
        )
    }

    /// Answers at once; the answer may wait for long.
    package func startLater(of key: String, byteCount: Int) -> any PendingBody {
        let body = Result { try start(of: key, byteCount: byteCount) }
        wait((try? body.get())?.bytes.count ?? 0)
        return Waiting(body, in: self)
    }

    private func wait(_ byteCount: Int) {
        state.withLock { state in
            state.waitingByteCount += byteCount
            state.mostWaitingByteCount = max(state.mostWaitingByteCount, state.waitingByteCount)
        }
    }

    private final class Waiting: PendingBody {
        private let body: Result<S3Body?, any Error>
        private let bucket: MemoryBucket
        private var isTaken = false

        init(_ body: Result<S3Body?, any Error>, in bucket: MemoryBucket) {
            self.body = body
            self.bucket = bucket
        }

        func value() throws -> S3Body? {
            take()
            return try body.get()
        }

        private func take() {
            guard !isTaken else { return }
            isTaken = true
            bucket.wait(-((try? body.get())?.bytes.count ?? 0))
        }

        deinit { take() }
    }

    package func read(
        _ object: S3Object,
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws -> Int {
        try note(.read(object.key))
        let key = Array(object.key.utf8)
        guard let stored = state.withLock({ $0.objects[key] }), stored.etag == object.etag else {
            throw StorageError(errno: ESTALE, operation: "read", path: "\(url)/\(object.key)")
        }
        let part = stored.bytes.dropFirst(Int(offset)).prefix(buffer.count)
        buffer.copyBytes(from: part)
        return part.count
    }
}
