import AuditFormats
import Columnar
import Testing

/// What is decoded depends neither on how the bytes come nor on when row groups are taken.
@Suite struct EventWindowTests {
    @Test func theSamplesHoldWhatTheyAreFor() {
        let whole = decodeEvents(EventSamples.bytes)
        #expect(whole.tables.bronze.count == 14)
        #expect(
            whole.tables.quarantine.map { $0["reason"] }
                == ["no_event", "malformed_json", "malformed_json"].map { .text($0) }
        )
        #expect(
            whole.tables.silver.keys.sorted()
                == [20_756, 20_757, 20_758, 20_759, 20_778].filter { whole.tables.silver[$0] != nil }
        )
        #expect(whole.totals.recordCount == whole.totals.silverRowCount + whole.totals.quarantineRowCount)
        #expect(whole.totals.goldRowCounts.reduce(0, +) == whole.totals.silverRowCount)
        #expect(whole.tables.events.count == whole.totals.silverRowCount)
        #expect(
            whole.tables.gold.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } }
                == whole.tables.events.count
        )
    }

    @Test(arguments: [1, 2, 3, 7, 16, 64, 100, 1_000])
    func windowsOfAnySizeGiveTheSameRows(_ window: Int) {
        let whole = decodeEvents(EventSamples.bytes)
        let parts = decodeEvents(EventSamples.bytes, window: window)
        #expect(parts.tables == whole.tables)
        #expect(parts.totals == whole.totals)
        #expect(parts.services == whole.services)
    }

    @Test(arguments: [1, 1 << 16, 1 << 17, 1 << 18])
    func rowGroupsOfAnySizeGiveTheSameRows(_ budget: Int) {
        let text = Array(repeating: EventSamples.bytes + [0x0A], count: 40).flatMap(\.self)
        let whole = decodeEvents(text)
        let parts = decodeEvents(text, window: 10_000, budget: budget)
        #expect(parts.tables.flushCount > 1)
        #expect(parts.tables == whole.tables)
        #expect(parts.totals == whole.totals)
    }

    @Test func bronzeGivesTheSameRowsAsTheSource() {
        let whole = decodeEvents(EventSamples.bytes)
        let found = decodeEvents(bronze: whole.tables.bronze)
        let again = found.tables
        #expect(again.bronze.isEmpty)
        #expect(again.silver == whole.tables.silver)
        #expect(again.gold == whole.tables.gold)
        #expect(again.quarantine == whole.tables.quarantine)
        #expect(found.services == whole.services)
        #expect(found.totals == whole.totals)
    }

    @Test func whatIsNotBuiltIsStillCounted() {
        let whole = decodeEvents(EventSamples.bytes)
        let none = decodeEvents(EventSamples.bytes) {
            $0.buildsBronze = false
            $0.buildsSilver = false
            $0.buildsGold = false
        }
        #expect(none.totals == whole.totals)
        #expect(none.services.map(\.keys) == whole.services.map(\.keys))
        #expect(none.tables.bronze.isEmpty && none.tables.silver.isEmpty && none.tables.gold.isEmpty)
        let gold = decodeEvents(EventSamples.bytes) {
            $0.buildsBronze = false
            $0.buildsSilver = false
        }
        #expect(gold.tables.gold == whole.tables.gold)
    }

    @Test func idsAreHashesWithOrdinalsWhichBeginAgainWithASource() {
        let line = EventSamples.lines[5]
        // sha256(line).hexdigest()[:32], by Python.
        let hash = "66943827640bbdbb221a70e9ae4a87a6"
        let events = decodeEvents([line, line, EventSamples.lines[3], line + "\r"].joined(separator: "\n"))
            .tables
        #expect(events.silver[20_756]?.map { $0["event_id"] } == (0..<3).map { .text("\(hash)-\($0)") })
        #expect(events.silver[20_759]?.first?["event_id"] == .text("id-1"))
        var decoder = DatabricksDecoder(settings: DatabricksDecoderSettings())
        var batches: [RecordBatch] = []
        for source in ["a", "a", "b"] {
            decoder.begin(source: source, sourceTime: nil)
            _ = Array(line.utf8).withUnsafeBytes { decoder.decode($0, baseOffset: 0, isEnd: true) }
        }
        decoder.flushAll { if case .silver = $0 { batches.append($1) } }
        #expect(batches[0].columns[0].texts == Array(repeating: "\(hash)-0", count: 3))
    }
}
