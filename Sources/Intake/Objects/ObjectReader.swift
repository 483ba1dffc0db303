import BatchProtocol
import Glibc
import ObjectStorage

/// One object that is read on from where the last batch ended.
///
/// `read` gives the bytes in order; what belongs to the batch is handed to `take`, in order as well. `range` then describes
/// it. What was read and not taken is left for a later batch.
package final class ObjectReader {
    /// What the end of an object says of a last line that has no newline.
    package enum Ending: Hashable, Sendable {
        /// The object is complete: the line is whole.
        case complete
        /// Somebody may be writing the object: the line is whole when nothing can continue it.
        case fresh
        /// The object was written to while it was read: the line waits.
        case changed
    }

    /// The object's key.
    package let key: String
    /// Offset of the first byte of the range.
    package let from: UInt64
    /// Whether the object was read before with other bytes, and is now read from its start.
    package let isCorrection: Bool

    let bytes: any ObjectBytes
    /// The hashes of all that was taken, and of what came before; of nothing when a plan's range is read again.
    let hashes: PieceHashes
    private let hasher = RangeHasher()
    /// Offset of the next byte to be read.
    private var position: UInt64
    /// Offset that is not passed: a file that grows while it is read is read as it was when it was opened.
    private let end: UInt64
    /// The range of a plan that is read again.
    private let planned: ObjectRange?
    /// As long as somebody may be writing it, until when, in nanoseconds since 1970-01-01 UTC.
    let freshUntil: Int64?
    private var metEnding: Ending?

    /// Reads an object on from where the hashes end.
    init(
        _ bytes: any ObjectBytes,
        key: String,
        hashes: PieceHashes,
        freshUntil: Int64?,
        isCorrection: Bool = false
    ) {
        self.bytes = bytes
        self.key = key
        self.hashes = hashes
        self.freshUntil = freshUntil
        self.isCorrection = isCorrection
        planned = nil
        end = Compression(path: key) == nil ? max(bytes.status.byteCount, hashes.byteCount) : .max
        from = hashes.byteCount
        to = hashes.byteCount
        position = hashes.byteCount
    }

    /// Reads the range of a plan again.
    init(_ bytes: any ObjectBytes, planned: ObjectRange) {
        self.bytes = bytes
        self.planned = planned
        end = planned.to
        key = planned.key
        hashes = PieceHashes()
        freshUntil = nil
        isCorrection = planned.isCorrection
        from = planned.from
        to = planned.from
        position = planned.from
    }

    /// The object when it was opened.
    package var status: ObjectStatus { bytes.status }

    /// Offset one past the last byte that was taken.
    package private(set) var to: UInt64

    /// Reads the next bytes.
    ///
    /// - Returns: The number of bytes; 0 at the end of the object, or of the range that is read again.
    /// - Throws: `StorageError`.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(UInt64(buffer.count), end - position))
        do {
            let count = try bytes.read(
                at: position,
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted])
            )
            position += UInt64(count)
            return count
        } catch let error as StorageError where error.code == .other(EBADMSG) {
            // It could be decompressed when it was opened.
            metEnding = .changed
            return 0
        }
    }

    /// Reads bytes before `from`, which earlier batches have.
    ///
    /// - Returns: The number of bytes; 0 at `from`.
    /// - Throws: `StorageError`.
    package func readBehind(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard offset < from else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), from - offset))
        return try bytes.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
    }

    /// What the end of the object says of its last line; to be asked when `read` gave 0.
    ///
    /// An object that was written to while it was read is found again by the next look.
    ///
    /// - Throws: `StorageError`.
    package func ending() throws -> Ending {
        if let metEnding { return metEnding }
        let isUnchanged = try planned != nil || bytes.isUnchanged()
        let ending: Ending = isUnchanged ? freshUntil == nil ? .complete : .fresh : .changed
        metEnding = ending
        return ending
    }

    /// Whether the end of the object was met.
    package var hasEnded: Bool { metEnding != nil }

    /// Bytes that were read and not taken.
    var untakenByteCount: UInt64 { position - to }

    /// The next bytes belong to the batch.
    package func take(_ bytes: UnsafeRawBufferPointer) {
        to += UInt64(bytes.count)
        guard planned == nil else { return }
        hasher.update(bytes)
        hashes.update(bytes)
    }

    /// What was taken; the plan's range when that is read again.
    ///
    /// The object is found again by a later look unless its end was met, nobody wrote to it and all of it was taken.
    package var range: ObjectRange {
        planned
            ?? ObjectRange(
                key: key,
                version: status.version,
                byteCount: status.byteCount,
                modified: status.modified,
                from: from,
                to: to,
                hash: hasher.digest,
                chain: hashes.chain.description,
                rest: hashes.rest.description,
                isWhole: hasEnded && metEnding != .changed && to == position,
                isCorrection: isCorrection
            )
    }
}
