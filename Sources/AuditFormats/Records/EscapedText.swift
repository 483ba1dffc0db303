import CByteScan
import Columnar

extension ByteBuffer {
    /// Appends `stored` with its escapes undone.
    @inline(__always)
    mutating func append(_ stored: UnsafeRawBufferPointer, undoing escape: bs_escape) {
        let bytes = stored.bindMemory(to: UInt8.self)
        append(atMost: bytes.count) {
            bs_unescape(bytes.baseAddress, bytes.count, escape, $0.assumingMemoryBound(to: UInt8.self))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Ranges of the text that these bytes stand for, as ranges of the bytes.
    ///
    /// A range that ends inside what one escape sequence stands for takes all of the sequence.
    ///
    /// - Parameters:
    ///   - ranges: Ascending, without overlaps.
    ///   - escape: What was undone to have the text.
    /// - Returns: As many ranges, in the same order; they do not overlap either.
    /// - Complexity: O(`count`).
    func escaped(_ ranges: [Range<Int>], _ escape: bs_escape) -> [Range<Int>] {
        guard escape != BS_ESCAPE_NONE else { return ranges }
        let bytes = bindMemory(to: UInt8.self)
        var result: [Range<Int>] = []
        var at = 0
        var position = 0
        func sequence() -> (length: Int, written: Int) {
            guard let base = bytes.baseAddress else { return (0, 0) }
            var written = 0
            let length = bs_escape_length(base + at, count - at, escape, &written)
            return (length, written)
        }
        for range in ranges {
            while at < count {
                let next = sequence()
                guard position + next.written <= range.lowerBound else { break }
                at += next.length
                position += next.written
            }
            let start = at
            while position < range.upperBound, at < count {
                let next = sequence()
                at += next.length
                position += next.written
            }
            result.append(start..<at)
        }
        return result
    }
}
