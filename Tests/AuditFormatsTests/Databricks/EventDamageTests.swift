import AuditFormats
import Testing

/// No damage loses a line, and none that leaves no event makes one.
@Suite struct EventDamageTests {
    /// Checks that each line is in bronze once, byte for byte, and each record in silver and gold or in the quarantine.
    private func check(_ bytes: [UInt8], _ comment: @autoclosure () -> String) {
        let found = decodeEvents(bytes)
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: true)
            .map { $0.last == 0x0D ? $0.dropLast() : $0 }
            .filter { !$0.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
            .map(Array.init)
        let raws = found.tables.bronze.map { row -> [UInt8] in
            guard case .text(let raw) = row["raw"] else { return [] }
            return row["raw_encoding"] == .text("latin1") ? latin1(raw) : Array(raw.utf8)
        }
        if raws != lines { Issue.record("bronze differs: \(comment())") }
        let totals = found.totals
        let goldCount = found.tables.gold.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } }
        if totals.recordCount != totals.silverRowCount + totals.quarantineRowCount
            || found.tables.events.count != totals.silverRowCount || goldCount != totals.silverRowCount
            || found.tables.quarantine.count != totals.quarantineRowCount || totals.recordCount < lines.count
        {
            Issue.record("a record is lost: \(comment())")
        }
        let rows = found.tables.events + found.tables.quarantine
        if rows.contains(where: { $0.values.contains { $0.holdsInvalidText } }) {
            Issue.record("no UTF-8: \(comment())")
        }
    }

    private static let samples = EventSamples.lines.enumerated().filter { ![6, 8, 9].contains($0.offset) }
        .map(\.element)

    @Test(arguments: samples.indices)
    func everyTruncationIsKept(_ index: Int) {
        let line = Array(Self.samples[index].utf8)
        check((1..<line.count).flatMap { line[..<$0] + [0x0A] }, "beginnings of sample \(index)")
    }

    @Test(arguments: samples.indices, [0x01, 0x02, 0x08, 0x20, 0x80, 0xFF] as [UInt8])
    func everyFlippedByteIsKept(_ index: Int, _ flip: UInt8) {
        let line = Array(Self.samples[index].utf8)
        var bytes: [UInt8] = []
        for at in line.indices {
            bytes += line
            bytes[bytes.count - line.count + at] ^= flip
            bytes.append(0x0A)
        }
        check(bytes, "sample \(index), bytes flipped by \(flip)")
    }

    @Test func everyTruncationIsNoEvent() {
        let line = Array(EventFormsTests.classic.utf8)
        let found = decodeEvents((1..<line.count).flatMap { line[..<$0] + [0x0A] })
        #expect(found.totals.quarantineRowCount == line.count - 1 && found.totals.silverRowCount == 0)
        #expect(Set(found.tables.quarantine.map { $0["reason"] }) == [.text("malformed_json")])
    }

    @Test(arguments: [
        #"{"timestamp":1}}"#, #"{"timestamp":1} {"timestamp":2}"#, #"{"timestamp":1},"#, #"{"timestamp":01}"#,
        #"{"timestamp":1,}"#, #"{"timestamp":1 "a":2}"#, #"{"timestamp" 1}"#, #"{"timestamp":tru}"#,
        #"{"timestamp":1,"a":[1,,2]}"#, #"{"timestamp":1,"a":{"b":nul}}"#, #"{"timestamp":1,"a":{"b":"\q"}}"#,
        #"{"timestamp":1,"a":"\u12g4"}"#, #"{"timestamp":1,"a":[}}"#, #"{"timestamp":1,"a":1.}"#, "{", "}",
        #"{"timestamp":1,'a':2}"#, "{timestamp:1}", #"{"timestamp":1"#, "nul",
        "{\"a\":\"\u{1}\"}",
        #"{"timestamp":1,"requestParams":{"a":1"}}"#, #"{"timestamp":1,"requestParams":{"a":1 2}}"#,
    ])
    func whatIsNoJSONIsQuarantined(_ line: String) {
        let found = decodeEvents(line)
        #expect(found.tables.quarantine.map { $0["reason"] } == [.text("malformed_json")])
        #expect(found.tables.bronze.map { $0["raw"] } == [.text(line)])
        #expect(found.tables.events.isEmpty)
    }

    @Test(arguments: [
        "{}", "[]", "12", "null", #""text""#, #"{"records":[{"records":[]}]}"#, #"[{"timestamp":1}]"#,
        #"{"records":[[]]}"#, #"{"records":[],"a":1}"#,
    ])
    func whatIsNoEventIsQuarantined(_ line: String) {
        let found = decodeEvents(line)
        #expect(found.tables.quarantine.map { $0["reason"] } == [.text("no_event")])
        #expect(found.tables.events.isEmpty)
    }

    @Test func depthHasALimit() {
        func event(_ depth: Int) -> String {
            #"{"timestamp":1,"x":"# + String(repeating: "[", count: depth)
                + String(repeating: "]", count: depth) + "}"
        }
        #expect(decodeEvents(event(4_000)).tables.events.count == 1)
        #expect(
            decodeEvents(event(100_000)).tables.quarantine.map { $0["reason"] } == [.text("malformed_json")]
        )
    }

    @Test func aByteOfLatin1IsKeptAndItsEventRead() throws {
        let found = decodeEvents(EventSamples.bytes)
        let rows = found.tables.rows(of: "jobs").filter { $0["actionName"] == .text("café") }
        #expect(rows.count == 1)
        #expect(rows[0]["requestParams"]?.texts == ["b": "üß"])
        #expect(found.tables.bronze.filter { $0["raw_encoding"] == .text("latin1") }.count == 3)
        let actions = found.tables.rows(of: "_").map { $0["actionName"] }
        #expect(actions.contains(.text("ä")) && actions.contains(.text("second")))
        // Where the second record of the last line begins, in bytes of the source.
        let second = Array(#"{"actionName":"second"}"#.utf8)
        let offset = EventSamples.bytes.count - second.count - 2
        #expect(found.tables.events.contains { $0["source_offset"] == .number(Int64(offset)) })
    }
}

extension Cell {
    /// Whether a text is no UTF-8; `Column.pairs` and maps have "no key" for such a key.
    fileprivate var holdsInvalidText: Bool {
        switch self {
        case .invalid: true
        case .pairs(let cells), .fields(let cells):
            cells["no key"] != nil || cells.values.contains { $0.holdsInvalidText }
        default: false
        }
    }
}
