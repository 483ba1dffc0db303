import BatchProtocol
import ObjectStorage

extension ObjectDrops {
    /// Where a planned range can be read now: in the object, or in what it became by compression, decompression or a move of its
    /// folder.
    ///
    /// - Parameters:
    ///   - range: Of a plan.
    ///   - formerFolders: Where the objects may have lain when it was planned.
    ///   - withPrefix: The bytes before the range have to be those of the plan as well.
    /// - Returns: The bytes of the range and nothing else; nil when they are nowhere.
    /// - Throws: `StorageError`.
    package func locate(
        _ range: ObjectRange,
        formerFolders: [String] = [],
        withPrefix: Bool = false
    ) throws -> ObjectReader? {
        let names = ObjectNames(folders: formerFolders, others: try place.folders())
        for key in [range.key] + names.others(of: range.key) {
            guard let bytes = try place.open(key), try bytes.check() == .whole, try holds(bytes, range),
                try !withPrefix || range.from == 0 || begins(bytes, as: range)
            else { continue }
            return ObjectReader(bytes, planned: range)
        }
        return nil
    }

    /// Whether all bytes up to the end of the range are those of the plan.
    private func begins(_ bytes: any ObjectBytes, as range: ObjectRange) throws -> Bool {
        let hashes = PieceHashes()
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            while hashes.byteCount < range.to {
                let wanted = Int(min(UInt64(buffer.count), range.to - hashes.byteCount))
                let count = try bytes.read(
                    at: hashes.byteCount,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                )
                guard count > 0 else { return }
                hashes.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
        return hashes.chain.description == range.chain && hashes.rest.description == range.rest
    }

    private func holds(_ bytes: any ObjectBytes, _ range: ObjectRange) throws -> Bool {
        let hasher = RangeHasher()
        var offset = range.from
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            while offset < range.to {
                let wanted = Int(min(UInt64(buffer.count), range.to - offset))
                let count = try bytes.read(
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
                )
                guard count > 0 else { return }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += UInt64(count)
            }
        }
        return offset == range.to && hasher.digest == range.hash
    }
}
