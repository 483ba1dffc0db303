import CCompression
import Glibc
import ObjectStorage

/// The decompressed bytes of a file, by their offsets.
///
/// Memory is bounded. What was read a short while ago, and the first bytes, can be read again; a read further back starts
/// the decompression anew.
final class CompressedStream {
    /// How the file ends.
    enum End: Hashable {
        /// Where a member or frame does.
        case whole
        /// Inside a member or frame: it is still being written, or was cut.
        case cut
        /// Its bytes do not follow the format.
        case damaged
    }

    private static let recentByteCount = 1 << 17

    private let file: OpenFile
    private let stream: OpaquePointer
    private let path: String
    /// Offset one past the last byte that was decompressed.
    private var position: UInt64 = 0
    /// How the file ends; nil as long as the end was not reached.
    private(set) var end: End?
    private var head: [UInt8] = []
    /// The bytes before `position`.
    private var recent: [UInt8] = []

    init(_ file: OpenFile, _ compression: Compression, path: String) {
        guard let stream = cc_create(file.handle, compression.format) else {
            preconditionFailure("out of memory")
        }
        self.file = file
        self.stream = stream
        self.path = path
    }

    deinit { cc_destroy(stream) }

    /// Reads up to `buffer.count` bytes at an offset; fewer only at the end.
    ///
    /// - Throws: `StorageError`; with `EBADMSG` for damaged bytes.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if offset + UInt64(buffer.count) <= UInt64(head.count) {
            head.withUnsafeBytes {
                buffer.copyMemory(from: .init(rebasing: $0[Int(offset)...].prefix(buffer.count)))
            }
            return buffer.count
        }
        if offset + UInt64(recent.count) < position { try restart() }
        try skip(to: offset)
        var count = 0
        if offset < position {
            let from = recent.count - Int(position - offset)
            count = min(buffer.count, recent.count - from)
            recent.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[from..<from + count])) }
        }
        guard count < buffer.count, offset + UInt64(count) == position else { return count }
        count += try advance(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
        if end == .damaged { throw StorageError(errno: EBADMSG, operation: "decompress", path: path) }
        return count
    }

    /// Reads to the end.
    ///
    /// - Parameter isCalledOff: Ends it soon.
    /// - Returns: The number of bytes up to there, and how the file ends.
    /// - Throws: `StorageError`, `LookCalledOff`.
    func measure(unless isCalledOff: () -> Bool = { false }) throws -> (byteCount: UInt64, end: End) {
        while true {
            if let end { return (position, end) }
            if isCalledOff() { throw LookCalledOff() }
            try skip(to: position + UInt64(Self.recentByteCount))
        }
    }

    private func skip(to offset: UInt64) throws {
        guard offset > position else { return }
        try withUnsafeTemporaryAllocation(byteCount: Self.recentByteCount, alignment: 16) { scratch in
            while position < offset, end == nil {
                let wanted = Int(min(UInt64(scratch.count), offset - position))
                _ = try advance(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<wanted]))
            }
        }
    }

    private func advance(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard end == nil, buffer.count > 0 else { return 0 }
        var produced = 0
        let status = cc_read(stream, buffer.baseAddress, buffer.count, &produced)
        switch status {
        case CC_END: end = .whole
        case CC_CUT: end = .cut
        case CC_DAMAGED: end = .damaged
        case CC_FAILED: throw StorageError(errno: errno, operation: "read", path: path)
        default: break
        }
        remember(UnsafeRawBufferPointer(rebasing: buffer[..<produced]))
        return produced
    }

    private func remember(_ bytes: UnsafeRawBufferPointer) {
        if head.count < TailedFileSource.hashedByteCount, UInt64(head.count) == position {
            head += bytes.prefix(TailedFileSource.hashedByteCount - head.count)
        }
        position += UInt64(bytes.count)
        if bytes.count >= Self.recentByteCount {
            recent = Array(bytes.suffix(Self.recentByteCount))
            return
        }
        if recent.count + bytes.count > 2 * Self.recentByteCount {
            recent.removeFirst(recent.count - (Self.recentByteCount - bytes.count))
        }
        recent += bytes
    }

    private func restart() throws {
        guard cc_restart(stream) == 0 else {
            throw StorageError(errno: ENOMEM, operation: "read", path: path)
        }
        position = 0
        end = nil
        recent.removeAll(keepingCapacity: true)
    }
}
