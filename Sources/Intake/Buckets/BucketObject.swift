import ObjectStorage

/// One object of a bucket, read in windows of several parts.
///
/// All of its bytes are of one version: the service refuses to go on with another.
final class BucketObject: ObjectBytes {
    private static let windowByteCount = 16 << 20

    let status: ObjectStatus
    /// An object appears whole.
    let lastWrite: Int64? = nil
    private let object: S3Object
    private let bucket: any Bucket
    private var window: [UInt8]
    /// Offset of the window's first byte.
    private var offset: UInt64 = 0

    init(_ start: S3Body, in bucket: any Bucket) {
        object = start.object
        window = start.bytes
        self.bucket = bucket
        status = ObjectStatus(start.object)
    }

    func check() -> ObjectIntegrity { .whole }

    func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        while count < buffer.count, position + UInt64(count) < object.byteCount {
            let at = position + UInt64(count)
            if at < offset || at >= offset + UInt64(window.count) { try fetch(at) }
            let from = Int(at - offset)
            let part = min(buffer.count - count, window.count - from)
            guard part > 0 else { break }
            window.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[from..<from + part]))
            }
            count += part
        }
        return count
    }

    private func fetch(_ position: UInt64) throws {
        let count = Int(min(UInt64(Self.windowByteCount), object.byteCount - position))
        // The old window goes first, so that there is one only.
        window = []
        offset = position
        window = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try bucket.read(object, at: position, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// The service gives no other bytes than those of the version.
    func isUnchanged() -> Bool { true }
}

/// A compressed object of a bucket, which is brought to the disk of this machine to be decompressed.
final class CompressedBucketObject: ObjectBytes {
    let status: ObjectStatus
    let lastWrite: Int64? = nil
    private let file: FileObject

    init(_ start: S3Body, _ compression: Compression, in bucket: any Bucket) throws {
        status = ObjectStatus(start.object)
        let copy = try TemporaryCopy(suffix: compression.suffixes[0])
        try start.bytes.withUnsafeBytes { try copy.append($0) }
        var offset = UInt64(start.bytes.count)
        // An array, not a temporary allocation: that may lie on the stack, which is no larger.
        var part: [UInt8] = []
        while offset < start.object.byteCount {
            if part.isEmpty { part = [UInt8](repeating: 0, count: ReadAhead.startByteCount) }
            let count = try part.withUnsafeMutableBytes { buffer in
                let count = try bucket.read(start.object, at: offset, into: buffer)
                try copy.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                return count
            }
            guard count > 0 else { break }
            offset += UInt64(count)
        }
        file = try copy.object()
    }

    func check() throws -> ObjectIntegrity { try file.check() }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try file.read(at: offset, into: buffer)
    }

    func isUnchanged() -> Bool { true }
}

extension ObjectStatus {
    /// What S3 says of an object.
    init(_ object: S3Object) {
        self.init(byteCount: object.byteCount, modified: object.modified, version: object.etag)
    }
}
