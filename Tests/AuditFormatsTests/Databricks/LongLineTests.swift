import Testing

@testable import AuditFormats

/// Lines over `max_record_bytes`: in bronze piece by piece, in the quarantine once, and no event.
@Suite struct LongLineTests {
    private static let event = #"{"timestamp":1793491200123,"serviceName":"s","actionName":"a"}"#

    private func event(of byteCount: Int) -> String {
        let start = #"{"actionName":"a","x":""#
        return start + String(repeating: "x", count: byteCount - start.utf8.count - 2) + #""}"#
    }

    private func lines(_ tables: EventTables) -> [String] {
        tables.bronze.compactMap { if case .text(let raw) = $0["raw"] { raw } else { nil } }
    }

    @Test func aLineOfTheLimitIsAnEventAndALongerOneIsNot() {
        let texts = [event(of: 200), event(of: 201), event(of: 200) + "\r"]
        let found = decodeEvents(Array(texts.joined(separator: "\n").utf8), piece: 64) {
            $0.maxRecordBytes = 200
        }
        #expect(found.totals.silverRowCount == 2 && found.totals.recordCount == 3)
        #expect(found.tables.bronze.count == 1 + 4 + 1 && found.totals.lineCount == 6)
        #expect(lines(found.tables)[1...4].joined() == texts[1])
        #expect(found.tables.quarantine.map { $0["reason"] } == [.text("oversized")])
        #expect(found.tables.quarantine[0]["source_offset"] == .number(201))
        #expect(found.tables.quarantine[0]["length"] == .number(201))
        #expect(found.tables.quarantine[0]["raw"] == .text(texts[1]))
        #expect(
            found.tables.quarantine[0]["detail"]
                == .text("the line has 201 bytes, max_record_bytes is 200; bronze has all of it")
        )
    }

    @Test func theLimitIsSixteenMebibytesUnlessSet() {
        let limit = 16 << 20
        let found = decodeEvents("\(event(of: limit))\n\(event(of: limit + 1))\n\(Self.event)")
        #expect(found.totals.silverRowCount == 2)
        #expect(found.tables.events[1]["_rescued"]?.texts["x"]??.utf8.count == limit - 25)
        #expect(lines(found.tables).map(\.utf8.count) == [limit, 8 << 20, 8 << 20, 1, Self.event.utf8.count])
        #expect(found.tables.quarantine.count == 1)
        #expect(found.tables.quarantine[0]["raw"] == .text(String(event(of: limit).prefix(64 << 10))))
    }

    /// A long line, one without an end for longer than lines wait, blanks, text of many bytes a character, no UTF-8.
    private static let samples: [UInt8] = {
        let texts = [
            event, String(repeating: "x", count: 250) + event, String(repeating: "é€🚀", count: 30),
            event + "\r",
            String(repeating: "y", count: 320), String(repeating: " ", count: 130),
            String(repeating: "z", count: 62) + "\r",
            String(repeating: "z", count: 64), String(repeating: "w", count: 127) + "\r", event,
        ]
        return Array(texts.joined(separator: "\n").utf8) + [0x0A] + Array(repeating: 0xE9, count: 140) + [
            0x0A
        ]
            + Array(event.utf8)
    }()

    private func limit(_ settings: inout DatabricksDecoderSettings) {
        settings.maxRecordBytes = 100
        settings.maxPendingBytes = 300
    }

    @Test(arguments: [1, 2, 3, 7, 63, 64, 65, 99, 101, 180, 299, 301, 303])
    func windowsOfAnySizeGiveTheSamePieces(_ window: Int) {
        let whole = decodeEvents(Self.samples, piece: 64, limit)
        #expect(whole.totals.silverRowCount == 4)
        #expect(
            whole.tables.quarantine.map { $0["reason"] }
                == [
                    "too_long", "oversized", "too_long", "oversized", "malformed_json", "malformed_json",
                    "oversized", "oversized",
                ]
                .map { .text($0) }
        )
        let parts = decodeEvents(Self.samples, window: window, piece: 64, limit)
        #expect(parts.tables == whole.tables)
        #expect(parts.totals == whole.totals)
    }

    @Test func bronzeHasEveryByteAndGivesTheSameRowsAgain() {
        let whole = decodeEvents(Self.samples, piece: 64, limit)
        var rest = Self.samples[...]
        for row in whole.tables.bronze {
            guard case .text(let raw) = row["raw"], case .number(let offset) = row["source_offset"] else {
                continue
            }
            let bytes = row["raw_encoding"] == .text("latin1") ? latin1(raw) : Array(raw.utf8)
            #expect(Array(Self.samples[Int(offset)...].prefix(bytes.count)) == bytes)
            #expect(rest[rest.startIndex..<Int(offset)].allSatisfy { $0 == 0x0A || $0 == 0x0D })
            rest = Self.samples[(Int(offset) + bytes.count)...]
        }
        #expect(rest.isEmpty)
        // Only what is no UTF-8 is Latin-1: no piece ends inside a character.
        #expect(whole.tables.bronze.filter { $0["raw_encoding"] != .null }.count == 3)
        let again = decodeEvents(bronze: whole.tables.bronze, piece: 64, limit)
        #expect(again.tables.silver == whole.tables.silver && again.tables.gold == whole.tables.gold)
        #expect(again.tables.quarantine == whole.tables.quarantine)
        #expect(again.totals == whole.totals)
    }

    @Test func aHigherLimitMakesAnEventOfTheRowsOfBronze() {
        let text = "\(Self.event)\n\(event(of: 500))\n\(Self.event)"
        let low = decodeEvents(Array(text.utf8), piece: 64) { $0.maxRecordBytes = 100 }
        #expect(low.totals.silverRowCount == 2)
        let high = decodeEvents(bronze: low.tables.bronze, piece: 64) { $0.maxRecordBytes = 500 }
        #expect(high.tables.events == decodeEvents(text).tables.events)
        #expect(high.totals.quarantineRowCount == 0)
    }

    @Test func theQuarantineHasTheBeginning() {
        let text = String(repeating: "é€🚀", count: 10_000)
        let found = decodeEvents(Array(text.utf8), piece: 5_000) { $0.maxRecordBytes = 100 }
        guard case .text(let raw) = found.tables.quarantine[0]["raw"] else {
            Issue.record("no text")
            return
        }
        #expect(text.hasPrefix(raw) && (65_533...65_536).contains(raw.utf8.count))
        let again = decodeEvents(bronze: found.tables.bronze, piece: 5_000) { $0.maxRecordBytes = 100 }
        #expect(again.tables.quarantine == found.tables.quarantine)
    }

    @Test func whatFollowsAnotherSourceBeginsALine() {
        var settings = DatabricksDecoderSettings()
        settings.maxRecordBytes = 100
        settings.maxPendingBytes = 300
        var decoder = DatabricksDecoder(settings: settings)
        decoder.pieceByteCount = 64
        decoder.begin(source: "a", sourceTime: nil)
        let long = [UInt8](repeating: 0x78, count: 400)
        let step = long.withUnsafeBytes { decoder.decode($0, baseOffset: 0) }
        // The last piece may go on.
        let isInside = decoder.isInsideLine
        #expect(step.consumed == 384 && isInside)
        decoder.begin(source: "b", sourceTime: nil)
        let isStillInside = decoder.isInsideLine
        #expect(!isStillInside)
        _ = Array(Self.event.utf8).withUnsafeBytes { decoder.decode($0, baseOffset: 384, isEnd: true) }
        let totals = decoder.totals
        #expect(totals.silverRowCount == 1 && totals.quarantineRowCount == 1)
    }
}
