import BatchProtocol
import ObjectStorage

/// Compares an object with what was read of it.
struct ObjectPrefix {
    let bytes: any ObjectBytes
    let seen: SeenObject
    /// Whether all of it is compared, or the last piece.
    let isFull: Bool

    /// The hashes of what was read, ready to go on; nil when the object does not begin so any more.
    ///
    /// - Throws: `StorageError`.
    func verified() throws -> PieceHashes? {
        // At a border there is no last piece that could be compared.
        let isFromStart = isFull || seen.restOffset == seen.to
        let hashes = isFromStart ? PieceHashes() : PieceHashes(at: seen.restOffset, chain: seen.chain)
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            while hashes.byteCount < seen.to {
                let wanted = Int(min(UInt64(buffer.count), seen.to - hashes.byteCount))
                let count = try bytes.read(
                    at: hashes.byteCount,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                )
                guard count > 0 else { return }
                hashes.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        // What goes on in the line that was taken last is a line of its own.
        guard hashes.byteCount == seen.to, hashes.chain == seen.chain, hashes.rest == seen.rest else {
            return nil
        }
        return hashes
    }
}
