import Glibc

/// Cuts the output of PostgreSQL's log collector itself (`.log`, stderr) into lines.
///
/// It holds words of the server from before its logs began, and fragments of records that were lost on their way into
/// them. Nothing in it is read as a record: a fragment that looks whole was never acknowledged as one.
enum CollectorSplitter {
    /// Looks at the start of `bytes`, which is the start of a line.
    ///
    /// - Parameters:
    ///   - bytes: The rest of the input that has been read.
    ///   - isEnd: Nothing follows: the rest is a line.
    /// - Returns: `.fault` for a line, `.blank` for an empty one, `.incomplete` for one that goes on.
    static func step(_ bytes: UnsafeRawBufferPointer, isEnd: Bool) -> LogStep {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return .incomplete }
        let newline = memchr(base, Int32(UInt8(ascii: "\n")), bytes.count).map { UnsafeRawPointer($0) - base }
        guard newline != nil || isEnd else { return .incomplete }
        let byteCount = newline.map { $0 + 1 } ?? bytes.count
        if bytes[..<byteCount].allSatisfy({ $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            return .blank(byteCount: byteCount)
        }
        return .fault(
            byteCount: byteCount,
            code: .collectorOutput,
            detail: "written by the log collector itself: never a record"
        )
    }
}
