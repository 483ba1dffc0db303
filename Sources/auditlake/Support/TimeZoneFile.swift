import AuditFormats
import Foundation

/// Reads the history of a time zone from the system's tz database.
///
/// Foundation gives offsets but not the abbreviations that a log carries. Source: RFC 9636 (TZif).
enum TimeZoneFile {
    /// The transitions of an IANA zone, ascending.
    ///
    /// - Throws: `UsageError` for a zone that the system does not have.
    static func transitions(of zone: String) throws -> [LogTimeZone.Transition] {
        let path = "/usr/share/zoneinfo/\(zone)"
        guard !zone.contains(".."), !zone.hasPrefix("/"),
            let data = FileManager.default.contents(atPath: path),
            let transitions = parse(Array(data))
        else {
            throw UsageError(
                message: "timezone: \(zone) is not in \("/usr/share/zoneinfo")",
                mend:
                    "write an IANA name such as Europe/Berlin, and install the package tzdata if it is missing"
            )
        }
        return transitions
    }

    private static let headerByteCount = 44

    /// Reads the 64-bit block, which follows the 32-bit one.
    static func parse(_ bytes: [UInt8]) -> [LogTimeZone.Transition]? {
        guard let first = Header(bytes, at: 0) else { return nil }
        let start = headerByteCount + first.blockByteCount(timeByteCount: 4)
        guard let header = Header(bytes, at: start),
            bytes.count >= start + headerByteCount + header.blockByteCount(timeByteCount: 8)
        else { return nil }
        let times = start + headerByteCount
        let indices = times + header.timeCount * 8
        let types = indices + header.timeCount
        let names = types + header.typeCount * 6
        func type(_ index: Int, from instant: Int64) -> LogTimeZone.Transition {
            let at = types + index * 6
            let offset = Int32(bitPattern: UInt32(big(bytes, at, 4)))
            let name = bytes[(names + Int(bytes[at + 5]))...].prefix { $0 != 0 }
            return LogTimeZone.Transition(
                instant: instant,
                offset: Int64(offset),
                abbreviation: String(decoding: name, as: UTF8.self)
            )
        }
        guard header.typeCount > 0 else { return nil }
        return [type(0, from: .min / 2)]
            + (0..<header.timeCount).map { index in
                type(Int(bytes[indices + index]), from: Int64(bitPattern: big(bytes, times + index * 8, 8)))
            }
    }

    private struct Header {
        var utcCount, standardCount, leapCount, timeCount, typeCount, nameByteCount: Int

        init?(_ bytes: [UInt8], at start: Int) {
            guard bytes.count >= start + headerByteCount, bytes[start..<start + 4].elementsEqual("TZif".utf8)
            else {
                return nil
            }
            let counts = (0..<6).map { Int(big(bytes, start + 20 + $0 * 4, 4)) }
            (utcCount, standardCount, leapCount) = (counts[0], counts[1], counts[2])
            (timeCount, typeCount, nameByteCount) = (counts[3], counts[4], counts[5])
        }

        func blockByteCount(timeByteCount: Int) -> Int {
            timeCount * (timeByteCount + 1) + typeCount * 6 + nameByteCount + leapCount * (timeByteCount + 4)
                + standardCount
                + utcCount
        }
    }
}

/// A big-endian number of `count` bytes.
private func big(_ bytes: [UInt8], _ at: Int, _ count: Int) -> UInt64 {
    bytes[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) }
}
