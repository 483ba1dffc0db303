import Pipelines

/// What is kept while the lake is down.
struct SpoolMetrics: Sendable {
    /// Whether the lake is down.
    var isOpen = false
    /// Bytes of copies.
    var byteCount: UInt64 = 0
    /// Bytes that were seen and not copied.
    var refusedByteCount: UInt64 = 0

    /// Takes in what has happened.
    mutating func apply(_ event: SpoolEvent) {
        switch event {
        case .began: isOpen = true
        case .grew(let bytes, let refused): (byteCount, refusedByteCount) = (bytes, refused)
        case .ended, .endedUnkept: self = SpoolMetrics()
        case .unusable, .taken, .refuses, .failed, .removed, .setAside: break
        }
    }
}
