import BatchProtocol

/// The hashes of an object's bytes, piece by piece, as far as they were taken in.
final class PieceHashes {
    /// Bytes that were taken in, from the start of the object.
    private(set) var byteCount: UInt64
    /// The chain over the whole pieces.
    private(set) var chain: ContentHash
    private let piece = RangeHasher()

    /// Starts at a border between pieces.
    init(at byteCount: UInt64 = 0, chain: ContentHash = .none) {
        precondition(byteCount % UInt64(ObjectRange.pieceByteCount) == 0)
        self.byteCount = byteCount
        self.chain = chain
    }

    /// The hash of the bytes behind the last whole piece.
    var rest: ContentHash { piece.value }

    /// Takes in the bytes that follow.
    func update(_ bytes: UnsafeRawBufferPointer) {
        var left = bytes
        while left.count > 0 {
            let inPiece = Int(byteCount % UInt64(ObjectRange.pieceByteCount))
            let part = UnsafeRawBufferPointer(rebasing: left.prefix(ObjectRange.pieceByteCount - inPiece))
            piece.update(part)
            byteCount += UInt64(part.count)
            left = UnsafeRawBufferPointer(rebasing: left.dropFirst(part.count))
            if inPiece + part.count == ObjectRange.pieceByteCount {
                chain = chain.chained(piece.value)
                piece.reset()
            }
        }
    }
}
