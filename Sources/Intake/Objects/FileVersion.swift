/// The version of a file as plans have it: `<mtime in ns>-<size>-<inode>`.
struct FileVersion {
    /// Bytes that the longest one takes.
    static let capacity = 64

    /// Writes the version into a buffer of `capacity` bytes.
    ///
    /// - Returns: The number of bytes.
    static func write(_ status: LogFileStatus, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        if status.modified < 0 {
            buffer[count] = UInt8(ascii: "-")
            count += 1
        }
        write(status.modified.magnitude, into: buffer, &count)
        buffer[count] = UInt8(ascii: "-")
        count += 1
        write(status.byteCount, into: buffer, &count)
        buffer[count] = UInt8(ascii: "-")
        count += 1
        write(status.id.inode, into: buffer, &count)
        return count
    }

    /// The version as a text.
    static func text(_ status: LogFileStatus) -> String {
        String(unsafeUninitializedCapacity: capacity) {
            write(status, into: UnsafeMutableRawBufferPointer($0))
        }
    }

    private static func write(
        _ number: UInt64,
        into buffer: UnsafeMutableRawBufferPointer,
        _ count: inout Int
    ) {
        var rest = number
        let from = count
        repeat {
            buffer[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        buffer[from..<count].reverse()
    }
}
