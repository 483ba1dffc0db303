import Columnar

/// A line that comes in pieces, one behind the other.
struct LongLine: ~Copyable {
    /// Whether there is one.
    private(set) var isOpen = false
    /// Offset of its first byte in the source.
    private(set) var offset: UInt64 = 0
    /// Bytes of the pieces so far.
    private(set) var byteCount = 0
    private var start = ByteBuffer(capacity: 64)

    init() {}

    /// Offset behind the last piece.
    var end: UInt64 { offset + UInt64(byteCount) }

    /// Its first bytes: as many as were kept.
    var keptBytes: UnsafeRawBufferPointer { start.bytes }

    /// Begins a line without a piece.
    mutating func begin(at offset: UInt64) {
        isOpen = true
        self.offset = offset
        byteCount = 0
    }

    /// Adds a piece.
    ///
    /// - Parameters:
    ///   - piece: Bytes that begin at `end`.
    ///   - limit: How many of the line's first bytes are kept.
    mutating func append(_ piece: UnsafeRawBufferPointer, keeping limit: Int) {
        byteCount += piece.count
        let room = max(0, limit - start.count)
        start.append(UnsafeRawBufferPointer(rebasing: piece.prefix(room)))
    }

    /// Forgets the line and the memory that it took.
    mutating func close() {
        isOpen = false
        byteCount = 0
        start = ByteBuffer(capacity: 64)
    }
}
