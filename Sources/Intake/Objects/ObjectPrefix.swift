import BatchProtocol
import ObjectStorage

/// Compares an object with what was read of it.
struct ObjectPrefix {
    private static let newline = UInt8(ascii: "\n")

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
        var last: UInt8?
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            while hashes.byteCount < seen.to {
                let wanted = Int(min(UInt64(buffer.count), seen.to - hashes.byteCount))
                let count = try bytes.read(
                    at: hashes.byteCount,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                )
                guard count > 0 else { return }
                hashes.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                last = buffer[count - 1]
            }
        }
        guard hashes.byteCount == seen.to, hashes.chain == seen.chain, hashes.rest == seen.rest,
            try last == nil || last == Self.newline || beginsNewLine()
        else { return nil }
        return hashes
    }

    /// Whether the bytes behind those that were read do not continue their last line.
    private func beginsNewLine() throws -> Bool {
        try withUnsafeTemporaryAllocation(byteCount: 2, alignment: 1) { buffer in
            let count = try bytes.read(at: seen.to, into: buffer)
            if count == 0 || buffer[0] == Self.newline { return true }
            return count == 2 && buffer[0] == UInt8(ascii: "\r") && buffer[1] == Self.newline
        }
    }
}
