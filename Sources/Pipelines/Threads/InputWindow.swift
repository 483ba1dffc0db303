import Glibc

/// Bytes of a source that are being decoded, with room behind them that a parser may look at.
package struct InputWindow {
    private static let padding = 128
    /// More room than this, and more than four times what is needed, is given back.
    private static let keptByteCount = 16 << 20

    private var bytes: [UInt8] = []

    /// Creates an empty window.
    package init() {}

    /// Reads more bytes behind those that are kept.
    ///
    /// - Parameters:
    ///   - kept: Bytes at the start that stay.
    ///   - wanted: The most bytes to read.
    ///   - read: Fills a buffer; returns how many bytes it brought.
    /// - Returns: What `read` returned.
    package mutating func fill(
        _ kept: Int,
        _ wanted: Int,
        _ read: (UnsafeMutableRawBufferPointer) throws -> Int
    ) rethrows -> Int {
        let needed = kept + wanted + Self.padding
        let isTooLarge = bytes.count > max(Self.keptByteCount, needed * 4)
        if bytes.count < needed || isTooLarge { resize(to: needed, keeping: kept) }
        return try bytes.withUnsafeMutableBytes { all in
            try read(UnsafeMutableRawBufferPointer(rebasing: all[kept..<kept + wanted]))
        }
    }

    private mutating func resize(to byteCount: Int, keeping kept: Int) {
        let old = bytes
        bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { room, count in
            old.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(room).copyMemory(from: .init(rebasing: $0[..<kept]))
            }
            // Bytes that are not read into yet are never looked at for what they hold; pages without any cost nothing.
            count = byteCount
        }
    }

    /// Gives the first bytes, and how many more may be looked at behind them.
    package func withBytes<Result>(
        _ count: Int,
        _ body: (UnsafeRawBufferPointer, Int) throws -> Result
    ) rethrows -> Result {
        try bytes.withUnsafeBytes { all in
            try body(UnsafeRawBufferPointer(rebasing: all[..<count]), all.count - count)
        }
    }

    /// Where the line ends that the first newline of a part of the bytes ends, that included; the end of the part when it has none.
    package func lineEnd(from start: Int, to end: Int) -> Int {
        bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress, start < end,
                let newline = memchr(base + start, Int32(UInt8(ascii: "\n")), end - start)
            else { return end }
            return UnsafeRawPointer(newline) - base + 1
        }
    }

    /// Drops bytes at the start and moves the ones behind them there.
    package mutating func drop(_ dropped: Int, keeping kept: Int) {
        guard dropped > 0, kept > 0 else { return }
        bytes.withUnsafeMutableBytes { all in
            guard let base = all.baseAddress else { return }
            base.copyMemory(from: base + dropped, byteCount: kept)
        }
    }
}
