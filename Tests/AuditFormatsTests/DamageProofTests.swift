import AuditFormats
import Foundation
import Testing

/// Damage at every byte of 200 records of a real server: cut there, glued there, a quote lost or added there.
///
/// Each damage stands between three undamaged records on either side. Takes every 29th byte unless `AUDITLAKE_FULL_DAMAGE`
/// names the format, or is `1` for both.
@Suite struct DamageProofTests {
    private static let full = ProcessInfo.processInfo.environment["AUDITLAKE_FULL_DAMAGE"]
    private static func isFull(_ format: LogFormat) -> Bool { full == "1" || full == format.rawValue }
    private static let parts = 8

    /// Records of all shapes first, then others spread over the logs; in the order of the logs.
    private static let csv: [[UInt8]] = {
        let names = ["082336", "082337", "082338", "082340"]
        let all = names.flatMap { name -> [[UInt8]] in
            let bytes = (try? ShippedLogs.bytes("primary/postgresql-2026-11-21_\(name).csv")) ?? []
            return ShippedLogs.csvRecords(bytes)
        }.filter { $0.count < 4_000 }
        let isSpecial = { (record: [UInt8]) in
            record.dropLast().contains(UInt8(ascii: "\n")) || String(validating: record, as: UTF8.self) == nil
                || hasQuotes(8, record)
        }
        let special = all.indices.filter { isSpecial(all[$0]) }
        let others = all.indices.filter { !isSpecial(all[$0]) }
        let wanted = 200 - special.count
        let spread = (0..<wanted).map { others[$0 * others.count / wanted] }
        return (special + spread).sorted().map { all[$0] }
    }()

    private static let json = csv.map { jsonRecord(csv: $0.dropLast()) + [UInt8(ascii: "\n")] }

    private static func hasQuotes(_ count: Int, _ record: [UInt8]) -> Bool {
        var run = 0
        return record.contains { byte in
            run = byte == UInt8(ascii: "\"") ? run + 1 : 0
            return run == count
        }
    }

    private static func records(_ format: LogFormat) -> [[UInt8]] { format == .csvlog ? csv : json }

    @Test(arguments: [LogFormat.csvlog, .jsonlog])
    func sampleIsSoundAndOfAllShapes(_ format: LogFormat) throws {
        let records = Self.records(format)
        #expect(records.count == 200)
        var observer = DamageObserver(format: format)
        let found = try observer.rowsOfDamage(in: Array(records.joined()), after: records[...], before: [])
        #expect(found.fault == nil)
        #expect(found.count == 0)
        #expect(records.contains { String(validating: $0, as: UTF8.self) == nil }, "Latin-1")
        #expect(Self.csv.contains { Self.hasQuotes(8, $0) }, "three levels of CSV")
        #expect(Self.csv.filter { $0.dropLast().contains(UInt8(ascii: "\n")) }.count > 10, "several lines")
    }

    @Test(arguments: [LogFormat.csvlog, .jsonlog], 0..<parts)
    func damageAtAnyByteCostsNoRecordBesideIt(_ format: LogFormat, _ part: Int) throws {
        let records = Self.records(format)
        var observer = DamageObserver(format: format)
        var count = DamageCount()
        var offset = 0
        let step = Self.isFull(format) ? 1 : 29
        for index in records.indices {
            let record = records[index]
            for byte in record.indices {
                offset += 1
                guard offset % step == 0, offset / step % Self.parts == part else { continue }
                try damage(records, index, at: byte, &observer, &count)
            }
        }
        #expect(count.damages > 0)
        #expect(count.faults.isEmpty, "\(count.faults.count) of \(count.damages): \(count.faults.prefix(3))")
        if Self.isFull(format) {
            print(
                "\(format) part \(part): \(count.damages) damages, \(count.rowsOfDamage) rows of damaged bytes"
            )
        }
    }

    private func damage(
        _ records: [[UInt8]],
        _ index: Int,
        at byte: Int,
        _ observer: inout DamageObserver,
        _ count: inout DamageCount
    ) throws {
        let before = records[max(0, index - 3)..<index]
        let start = Array(before.joined())
        let record = records[index]
        let head = record[..<byte]
        let name = "record \(index), byte \(byte)"

        let torn = try observer.rowsOfDamage(in: start + head, after: before, before: [])
        count.add(torn, atMost: 1, "cut, \(name)")

        if index + 2 < records.count {
            // As when a disk was full: what comes next is a whole record.
            let next = records[(index + 2)...].prefix(3)
            if byte > 0 {
                let glued = try observer.rowsOfDamage(
                    in: start + head + Array(next.joined()),
                    after: before,
                    before: next
                )
                count.add(glued, atMost: 1, "glued to a record, \(name)")
            }
            // And what no server does: the rest of some record.
            let other = records[index + 2]
            let from = (byte &* 7_919 &+ index) % other.count
            // With a number as its timestamp the line reads as a log event: of that, the message alone is quarantined.
            if observer.format == .csvlog || !(10...13).contains(byte) {
                let bytes = start + head + Array(other[from...]) + Array(next.dropFirst().joined())
                let spliced = try observer.rowsOfDamage(in: bytes, after: before, before: next.dropFirst())
                // A record without its newline before a whole one: both are there.
                count.add(spliced, atMost: from == 0 ? 2 : 1, "glued to byte \(from) of a record, \(name)")
            }
        }

        let after = records[(index + 1)...].prefix(3)
        let end = Array(after.joined())
        var longer = record
        longer.insert(UInt8(ascii: "\""), at: byte)
        let added = try observer.rowsOfDamage(in: start + longer + end, after: before, before: after)
        count.add(added, atMost: 1, "quote added, \(name)")
        guard record[byte] == UInt8(ascii: "\"") else { return }
        var shorter = record
        shorter.remove(at: byte)
        let lost = try observer.rowsOfDamage(in: start + shorter + end, after: before, before: after)
        count.add(lost, atMost: 1, "quote lost, \(name)")
    }

    @Test(arguments: [LogFormat.csvlog, .jsonlog])
    func damageInAWholeFileCostsNoRecordBesideIt(_ format: LogFormat) throws {
        let records = Self.records(format)
        var observer = DamageObserver(format: format)
        var count = DamageCount()
        for index in stride(from: 5, to: records.count, by: Self.isFull(format) ? 5 : 40) {
            let byte = index * 31 % records[index].count
            var damaged = records[index]
            damaged.insert(UInt8(ascii: "\""), at: byte)
            let (before, after) = (records[..<index], records[(index + 1)...])
            let bytes = Array(before.joined()) + damaged + Array(after.joined())
            count.add(
                try observer.rowsOfDamage(in: bytes, after: before, before: after),
                atMost: 1,
                "record \(index), byte \(byte)"
            )
        }
        #expect(count.faults.isEmpty, "\(count.faults.prefix(3))")
    }
}
