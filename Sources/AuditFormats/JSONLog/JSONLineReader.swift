import CByteScan
import CSimdJSON
import Columnar

/// Finds the fields of one line of JSON; owns the parser and its memory.
struct JSONLineReader: ~Copyable {
    /// Made with the first line: who reads csvlog alone needs no library.
    private var parser: OpaquePointer?
    private let padding = sj_padding()
    /// A copy of a line behind which nothing may be read.
    private var padded = ByteBuffer()

    init() {}

    deinit { if let parser { sj_parser_destroy(parser) } }

    /// The fields of a line, at their csvlog columns.
    ///
    /// - Parameters:
    ///   - line: One object, without a line end.
    ///   - readableByteCount: Bytes from the start of the line that may be read, at least those of the line.
    ///   - fields: Room for ``LogField/capacity`` fields.
    ///   - names: Room for as many keys.
    /// - Returns: What the line is.
    mutating func read(
        _ line: UnsafeRawBufferPointer,
        readableByteCount: Int,
        fields: UnsafeMutablePointer<bs_field>,
        names: UnsafeMutablePointer<bs_field>
    ) -> sj_line {
        let parser = openParser()
        let bytes = paddedBytes(of: line, readableByteCount: readableByteCount)
        let found = sj_parse_line(parser, bytes, line.count, fields, names, UInt32(LogField.capacity))
        // The process ends: memory that runs out is no fault of the line, which must not end in the quarantine, and Swift's own
        // allocations end it as well. The batch is done again by the next run.
        if found.kind == SJ_OUT_OF_MEMORY { fatalError("no memory for a line of \(line.count) bytes") }
        return found
    }

    /// Calls `take` with the message of each event of a line that holds a batch of them.
    ///
    /// - Returns: Whether the line is sound to its end.
    mutating func findEvents(in line: UnsafeRawBufferPointer, _ take: (bs_field) -> Void) -> Bool {
        let parser = openParser()
        let bytes = paddedBytes(of: line, readableByteCount: line.count)
        return withoutActuallyEscaping(take) { take in
            withUnsafePointer(to: take) { pointer in
                sj_find_events(parser, bytes, line.count, UnsafeMutableRawPointer(mutating: pointer)) {
                    context,
                    message in
                    context?.assumingMemoryBound(to: ((bs_field) -> Void).self).pointee(message)
                } != 0
            }
        }
    }

    private mutating func openParser() -> OpaquePointer {
        if let parser { return parser }
        // Whoever reads jsonlog has asked `LogFormat.isReadable` before.
        guard let made = sj_parser_create() else { preconditionFailure("simdjson is not there") }
        parser = made
        return made
    }

    private mutating func paddedBytes(
        of line: UnsafeRawBufferPointer,
        readableByteCount: Int
    ) -> UnsafePointer<UInt8>? {
        if readableByteCount >= line.count + padding {
            return line.baseAddress?.assumingMemoryBound(to: UInt8.self)
        }
        padded.removeAll()
        padded.append(line)
        padded.append(atMost: padding) { target in
            target.initializeMemory(as: UInt8.self, repeating: 0, count: padding)
            return padding
        }
        return padded.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    /// Gives back what a long line took.
    mutating func releaseCopy() { padded = ByteBuffer() }
}
