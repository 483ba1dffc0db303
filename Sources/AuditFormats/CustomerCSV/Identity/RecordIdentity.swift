import CByteScan
import Columnar

/// What tells the records of a file apart: the order of its columns by name, and how they are written for a hash.
///
/// For each pair of a name and a text that is not empty, sorted by the name's bytes: the name, then the text, each behind its
/// length in bytes (LEB128). No two different records are written alike.
struct RecordIdentity {
    private var parts: [bs_prefixed_text] = []
    private var prefixes: [UInt8] = []

    /// Orders columns.
    ///
    /// - Parameter names: By index of the text; nil for those that do not count.
    init(_ names: [String?]) {
        let sorted = names.enumerated().compactMap { index, name in name.map { (index, Array($0.utf8)) } }
            .sorted { $0.1.lexicographicallyPrecedes($1.1) }
        for (index, name) in sorted {
            let start = prefixes.count
            var length = [UInt8](repeating: 0, count: Int(BS_MAX_LENGTH_BYTES))
            let written = bs_write_length(UInt64(name.count), &length)
            prefixes += length.prefix(written) + name
            parts.append(
                bs_prefixed_text(
                    text: UInt32(index),
                    prefix_start: UInt32(start),
                    prefix_length: UInt32(prefixes.count - start)
                )
            )
        }
    }

    /// Writes the pairs of a record.
    ///
    /// - Parameters:
    ///   - texts: By index.
    ///   - byteCount: At least that of all texts together.
    ///   - out: What it held is dropped.
    @inline(__always)
    func write(_ texts: UnsafePointer<bs_text>, byteCount: Int, to out: inout ByteBuffer) {
        out.removeAll()
        let room = byteCount &+ prefixes.count &+ parts.count &* Int(BS_MAX_LENGTH_BYTES)
        out.append(atMost: room) { room in
            parts.withUnsafeBufferPointer { parts in
                prefixes.withUnsafeBufferPointer { prefixes in
                    bs_write_prefixed_texts(
                        texts,
                        parts.baseAddress,
                        UInt32(parts.count),
                        prefixes.baseAddress,
                        room.assumingMemoryBound(to: UInt8.self)
                    )
                }
            }
        }
    }
}
