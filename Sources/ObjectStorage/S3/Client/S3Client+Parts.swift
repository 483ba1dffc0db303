import NIOCore
import NIOPosix

extension S3Client {
    /// Reads bytes of an object straight into memory, in parts that travel side by side.
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - range: Which bytes; they lie inside the object, and `memory` has room for them.
    ///   - ifMatch: The entity tag that the object must have, so that all parts are of one object.
    ///   - memory: Gets the bytes.
    /// - Returns: How many bytes there were; nil when there is no object.
    /// - Throws: `S3Error`, as `get` of one part; what `memory` holds then is not defined.
    package func getInParts(
        _ key: String,
        range: Range<UInt64>,
        ifMatch: String,
        into memory: UnsafeMutableRawBufferPointer
    ) throws -> Int? {
        precondition(range.count <= memory.count, "the range is longer than the memory")
        let size = UInt64(settings.partByteCount)
        if range.count <= size { return try get(key, range: range, ifMatch: ifMatch, into: memory) }
        let target = PartTarget(memory: memory)
        let parts = stride(from: range.lowerBound, to: range.upperBound, by: Int(size)).map { start in
            onWorker { [self] in
                let part = start..<min(start + size, range.upperBound)
                let at = Int(start - range.lowerBound)
                return try get(key, range: part, ifMatch: ifMatch, into: target[at..<(at + part.count)])
            }
        }
        // All are waited for before the first error is thrown: they write into the caller's memory.
        let results = parts.map { part in Result { try part.wait() } }
        let counts = try results.map { try $0.get() }
        return counts.contains(nil) ? nil : counts.reduce(0) { $0 + ($1 ?? 0) }
    }

    /// Runs `body` on one of the client's own threads.
    ///
    /// - Returns: What it comes to, to be waited for.
    package func later<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) -> PendingCall<Value>
    {
        PendingCall(future: onWorker(body))
    }

    /// Runs `body` on one of the client's own threads.
    func onWorker<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) -> EventLoopFuture<Value> {
        workers.runIfActive(eventLoop: MultiThreadedEventLoopGroup.singleton.any(), body)
    }
}

/// What a call on another thread comes to.
package struct PendingCall<Value: Sendable>: Sendable {
    fileprivate let future: EventLoopFuture<Value>

    /// Waits for it; throws what the call threw.
    package func value() throws -> Value { try future.wait() }
}

/// The caller's memory.
///
/// `@unchecked Sendable`: parts write to places of their own in it, and the caller waits for all of them before it goes on.
private struct PartTarget: @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer

    subscript(range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[range])
    }
}
