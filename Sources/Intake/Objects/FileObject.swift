import Glibc
import ObjectStorage

/// One file that was opened.
///
/// A compressed one is decompressed whole before anything of it is given out, for damage shows only behind bytes that are
/// wrong; if they are not too many, they are kept.
final class FileObject: ObjectBytes {
    /// Decompressed bytes that are kept in memory.
    private static let keptByteCount = 32 << 20

    let status: ObjectStatus
    private let reader: FileReader
    private let fileStatus: LogFileStatus
    private var integrity: ObjectIntegrity?
    private var kept: [UInt8]?

    init(_ reader: FileReader, _ status: LogFileStatus) {
        self.reader = reader
        fileStatus = status
        self.status = ObjectStatus(
            byteCount: status.byteCount,
            modified: status.modified / 1_000,
            version: FileVersion.text(status)
        )
    }

    /// A time that somebody gave the file may lie in the future.
    var lastWrite: Int64? { min(fileStatus.modified, fileStatus.changed) }

    func check() throws -> ObjectIntegrity {
        if let integrity { return integrity }
        let found = try reader.stream.map(decompress) ?? .whole
        integrity = found
        return found
    }

    private func decompress(_ stream: CompressedStream) throws -> ObjectIntegrity {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        do {
            while bytes.count <= Self.keptByteCount, stream.end == nil {
                let count = try chunk.withUnsafeMutableBytes {
                    try stream.read(at: UInt64(bytes.count), into: $0)
                }
                bytes += chunk[..<count]
            }
        } catch let error as StorageError where error.code == .other(EBADMSG) {
            return .damaged
        }
        if stream.end == .whole { kept = bytes }
        return switch try stream.measure().end {
        case .whole: .whole
        case .cut: .cut
        case .damaged: .damaged
        }
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let kept else { return try reader.read(at: offset, into: buffer) }
        guard offset < UInt64(kept.count) else { return 0 }
        let count = min(buffer.count, kept.count - Int(offset))
        kept.withUnsafeBytes {
            buffer.copyMemory(from: .init(rebasing: $0[Int(offset)..<Int(offset) + count]))
        }
        return count
    }

    func isUnchanged() throws -> Bool {
        let now = try reader.file.status(path: reader.path)
        return now.byteCount == fileStatus.byteCount && now.modified == fileStatus.modified
    }
}
