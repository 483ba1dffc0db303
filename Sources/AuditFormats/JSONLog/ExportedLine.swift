/// A line of an object that CloudWatch Logs exported (CreateExportTask): the time of ingestion in ISO 8601, a blank, the
/// event's message.
enum ExportedLine {
    /// `2026-11-21T08:23:36.329Z` at the longest with nine digits of a second and a numeric zone.
    private static let longestPrefix = "YYYY-MM-DDTHH:MM:SS.123456789+00:00 ".utf8.count
    private static let shortestPrefix = "YYYY-MM-DDTHH:MM:SSZ ".utf8.count
    private static let pattern = Array("dddd-dd-ddTdd:dd:dd".utf8)

    /// Bytes before the message of an exported line; 0 for a line that has no such time.
    static func prefixLength<Bytes>(_ bytes: Bytes) -> Int
    where Bytes: RandomAccessCollection<UInt8>, Bytes.Index == Int {
        guard let first = bytes.first, first &- 0x30 <= 9, bytes.count > shortestPrefix else { return 0 }
        let start = bytes.startIndex
        for (index, expected) in pattern.enumerated() {
            let byte = bytes[start + index]
            guard expected == UInt8(ascii: "d") ? byte &- 0x30 <= 9 : byte == expected else { return 0 }
        }
        guard
            let blank = bytes[(start + pattern.count)...].prefix(longestPrefix - pattern.count)
                .firstIndex(of: UInt8(ascii: " ")), blank + 1 < bytes.endIndex,
            bytes[blank + 1] == UInt8(ascii: "{"), isZone(bytes[(start + pattern.count)..<blank])
        else { return 0 }
        return blank + 1 - start
    }

    /// `Z`, `.329Z`, `+00:00`, `.329+00:00`.
    private static func isZone<Bytes>(_ bytes: Bytes) -> Bool where Bytes: RandomAccessCollection<UInt8> {
        var rest = Array(bytes)[...]
        if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst().drop { $0 &- 0x30 <= 9 } }
        if rest.elementsEqual("Z".utf8) { return true }
        guard let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
            return false
        }
        return rest.dropFirst().allSatisfy { $0 &- 0x30 <= 9 || $0 == UInt8(ascii: ":") }
    }

    /// Where the line of the object at `brace` begins: at the time before it, or at the brace itself.
    static func start(of brace: Int, in line: UnsafeRawBufferPointer, notBefore limit: Int) -> Int {
        for length in shortestPrefix...longestPrefix where brace - length >= limit {
            if prefixLength(line[(brace - length)...]) == length { return brace - length }
        }
        return brace
    }
}
