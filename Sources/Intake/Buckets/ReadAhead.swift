import ObjectStorage

/// Fetches the first bytes of objects before they are asked for, some at once: most objects are small, and the way to the
/// service takes longer than their bytes.
///
/// Belongs to one thread.
final class ReadAhead {
    /// Bytes of an object that are fetched with the first request.
    static let startByteCount = 8 << 20
    /// Bytes that may be under way or waiting.
    private static let limit = 48 << 20

    private let bucket: any Bucket
    /// What will be asked for, the next one last.
    private var queue: [(key: String, byteCount: Int)] = []
    /// By the bytes of the key: text that looks alike may be several keys.
    private var pending: [[UInt8]: (body: any PendingBody, byteCount: Int)] = [:]
    private var byteCount = 0

    init(_ bucket: any Bucket) { self.bucket = bucket }

    /// What will be asked for, in order; what was expected before and is not any more is given up.
    func expect(_ objects: [(key: String, byteCount: Int)]) {
        let wanted = Set(objects.map { Array($0.key.utf8) })
        for (key, entry) in pending where !wanted.contains(key) {
            pending[key] = nil
            byteCount -= entry.byteCount
        }
        queue = objects.reversed().filter { pending[Array($0.key.utf8)] == nil }
        fill()
    }

    private func fill() {
        while let next = queue.last {
            let count = min(next.byteCount, Self.startByteCount)
            guard byteCount + count <= Self.limit else { return }
            queue.removeLast()
            byteCount += count
            let body = bucket.startLater(of: next.key, byteCount: Self.startByteCount)
            pending[Array(next.key.utf8)] = (body, count)
        }
    }

    /// The first bytes of an object; nil when there is none.
    func start(of key: String) throws -> S3Body? {
        guard let entry = pending.removeValue(forKey: Array(key.utf8)) else {
            queue.removeAll { $0.key.utf8.elementsEqual(key.utf8) }
            return try bucket.start(of: key, byteCount: Self.startByteCount)
        }
        let body = Result { try entry.body.value() }
        byteCount -= entry.byteCount
        fill()
        return try body.get()
    }
}
