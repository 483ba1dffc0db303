import Testing

@testable import AuditFormats

/// A byte order mark before a line is in bronze, and costs no event.
@Suite struct ByteOrderMarkTests {
    private static let line = #"{"timestamp":1793491200123,"serviceName":"s","actionName":"a"}"#

    @Test func theEventBehindAMarkIsRead() {
        let found = decodeEvents("\u{FEFF}\(Self.line)\n\(Self.line)\r\n\u{FEFF} \(Self.line)\r\n")
        #expect(found.totals.quarantineRowCount == 0)
        #expect(
            found.tables.bronze.map { $0["raw"] }
                == ["\u{FEFF}\(Self.line)", Self.line, "\u{FEFF} \(Self.line)"].map { .text($0) }
        )
        #expect(found.tables.bronze.map { $0["source_offset"] } == [0, 66, 130].map { .number($0) })
        // The event begins behind the mark, and is the same event.
        #expect(found.tables.events.map { $0["source_offset"] } == [3, 66, 133].map { .number($0) })
        let ids = found.tables.events.compactMap { $0["event_id"] }.map(\.description)
        #expect(
            ids[0].dropLast(3) == ids[1].dropLast(3) && ids[0].hasSuffix("-0\"") && ids[1].hasSuffix("-1\"")
        )
    }

    @Test func bronzeGivesTheSameRowsAgain() {
        let records = #"{"records":[{"actionName":"é"},{"actionName":"b"},3]}"#
        var bytes = Array("\u{FEFF}\(Self.line)\n\u{FEFF}\(records)\n\u{FEFF}\u{FEFF}{}\n\u{FEFF}".utf8)
        bytes +=
            Array(#"{"records":[{"actionName":""#.utf8) + [0xE4] + Array(#""},{"actionName":"c"}]}"#.utf8)
        let whole = decodeEvents(bytes)
        #expect(whole.tables.bronze.last?["raw_encoding"] == .text("latin1"))
        let last = #"{"actionName":"c"}]}"#.utf8.count
        #expect(
            whole.tables.events.contains {
                $0["actionName"] == .text("c") && $0["source_offset"] == .number(Int64(bytes.count - last))
            }
        )
        #expect(whole.tables.events.contains { $0["actionName"] == .text("ä") })
        #expect(whole.totals.silverRowCount == 5 && whole.totals.quarantineRowCount == 2)
        let again = decodeEvents(bronze: whole.tables.bronze)
        #expect(again.tables.silver == whole.tables.silver && again.tables.gold == whole.tables.gold)
        #expect(again.tables.quarantine == whole.tables.quarantine && again.totals == whole.totals)
    }

    @Test func aMarkAloneIsABlankLine() {
        let found = decodeEvents("\u{FEFF}\n\u{FEFF}  \r\n\(Self.line)")
        #expect(found.tables.bronze.count == 1 && found.totals.lineCount == 1)
        #expect(found.tables.events.count == 1)
    }
}
