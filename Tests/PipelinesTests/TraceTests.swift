import BatchProtocol
import Foundation
import Intake
import ObjectStorage
import Testing

@testable import Pipelines

@Suite struct TraceTests {
    private let session = "6b013888.7c2"

    private func trace(_ fixture: PipelineFixture) throws -> SourceTrace {
        try #require(try SourceTrace(fixture.settings, lake: fixture.lake))
    }

    /// Three batches of two records each, a minute apart, and where each record begins.
    private func filled(_ fixture: inout PipelineFixture) throws -> [UInt64] {
        var offsets: [UInt64] = []
        var at: UInt64 = 0
        for batch in 0..<3 {
            let records = PipelineFixture.records(batch * 2 + 1...batch * 2 + 2)
            for record in records {
                offsets.append(at)
                at += UInt64(record.utf8.count)
            }
            try fixture.append(records)
            try fixture.run()
            fixture.now += 60_000_000
        }
        return offsets
    }

    @Test(arguments: 1...6) func aRowLeadsToItsBytes(line: Int) throws {
        try PipelineFixture.with { fixture in
            let start = fixture.now
            let offsets = try filled(&fixture)
            let instant = start + Int64((line - 1) / 2) * 60_000_000
            let identity = RecordIdentity(session: session, line: Int64(line))
            let place = try #require(try trace(fixture).places(of: identity, ingestedAt: instant).first)
            #expect(place.offset == offsets[line - 1] && place.batch == UInt64((line - 1) / 2 + 1))
            #expect(place.byteCount == PipelineFixture.record(line).utf8.count)
            #expect(place.ordinal == (line - 1) % 2 + 1)
            #expect(try trace(fixture).places(of: identity, ingestedAt: instant + 1).isEmpty)
        }
    }

    @Test(arguments: 1...6) func aByteLeadsToItsRecordAlsoAfterARename(line: Int) throws {
        try PipelineFixture.with { fixture in
            let offsets = try filled(&fixture)
            let path = fixture.logPath("b.csv")
            try FileManager.default.moveItem(atPath: fixture.logPath("a.csv"), toPath: path)
            let count = UInt64(PipelineFixture.record(line).utf8.count)
            for byte in [offsets[line - 1], offsets[line - 1] + count - 1] {
                guard case .planned(let place, true) = try trace(fixture).fate(of: byte, in: path) else {
                    Issue.record("byte \(byte) is in no batch")
                    continue
                }
                #expect(place.identity == RecordIdentity(session: session, line: Int64(line)))
                #expect(place.path == fixture.logPath("a.csv") && place.currentPath == path)
            }
        }
    }

    @Test func aFileThatIsGoneLeavesTheRange() throws {
        try PipelineFixture.with { fixture in
            let start = fixture.now
            _ = try filled(&fixture)
            try FileManager.default.removeItem(atPath: fixture.logPath("a.csv"))
            let identity = RecordIdentity(session: session, line: 1)
            let places = try trace(fixture).places(of: identity, ingestedAt: start)
            #expect(places.map(\.offset) == [nil] && places.map(\.currentPath) == [nil])
            let fate = try trace(fixture).fate(of: 3, in: fixture.logPath("a.csv"))
            guard case .planned(let place, true) = fate else {
                Issue.record("\(fate)")
                return
            }
            #expect(place.currentPath == nil && place.batch == 1)
        }
    }

    @Test func bytesBehindTheLastBatchAreUnreadPendingOrNotThere() throws {
        try PipelineFixture.with { fixture in
            _ = try filled(&fixture)
            let path = fixture.logPath("a.csv")
            let end = UInt64(PipelineFixture.records(1...6).joined().utf8.count)
            let whole = PipelineFixture.record(7)
            try fixture.append([whole, "2026-11-21 06:22"])
            let count = whole.utf8.count
            let trace = try trace(fixture)
            #expect(try trace.fate(of: end, in: path) == .unread(offset: end, byteCount: count))
            let border = end + UInt64(count)
            #expect(try trace.fate(of: border, in: path) == .pending(offset: border, byteCount: 16))
            #expect(try trace.fate(of: border + 16, in: path) == .beyondEnd(byteCount: border + 16))
            #expect(try trace.fate(of: 0, in: "/etc/hostname") == .foreign)
            #expect(try trace.fate(of: 0, in: "/nowhere") == .foreign)
        }
    }

    @Test func anOpenBatchIsNotCommitted() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(PipelineFixture.records(1...2))
            try fixture.runUntil { change in
                if case .link(let path) = change { path.contains("/receipts/") } else { false }
            }
            let fate = try trace(fixture).fate(of: 0, in: fixture.logPath("a.csv"))
            guard case .planned(_, false) = fate else {
                Issue.record("\(fate)")
                return
            }
        }
    }

    @Test func damageIsNoRecord() throws {
        try PipelineFixture.with { fixture in
            try fixture.append(["damage\n", PipelineFixture.record(1)])
            try fixture.run()
            let fate = try trace(fixture).fate(of: 2, in: fixture.logPath("a.csv"))
            guard case .planned(let place, true) = fate else {
                Issue.record("\(fate)")
                return
            }
            #expect(place.identity == nil && place.offset == 0 && place.byteCount == 7)
        }
    }

    @Test func aByteIsFoundAmongManyBatches() throws {
        try PipelineFixture.with { fixture in
            let record = UInt64(PipelineFixture.record(100).utf8.count)
            fixture.settings.batchByteCount = record
            try fixture.append(PipelineFixture.records(100...229))
            try fixture.run()
            let search = try #require(try BatchSearch(pipeline: "pg", lake: fixture.lake))
            // Around the state snapshots after batches 64 and 128, and at both ends.
            for index in [0, 62, 63, 64, 65, 127, 128, 129] as [UInt64] {
                let found = try search.batch(holding: index * record, of: "1-0")
                #expect(found?.plan.batch == index + 1)
            }
            #expect(try search.batch(holding: 130 * record, of: "1-0")?.plan == nil)
            #expect(try search.batches(plannedAt: fixture.now).count == 130)
        }
    }

    @Test(
        arguments: [
            ("t,\"a,\"\"b\",\"d\",1,\"h:1\",6b.1,7,\"SELECT\"", "6b.1"),
            ("t,\"a\",\"d\",1,\"h\",,7,\"x\"", nil), ("t,\"a", nil),
        ] as [(String, String?)]
    )
    func aCSVRecordTellsItsSession(text: String, session: String?) {
        let identity = Array(text.utf8).withUnsafeBytes { RecordIdentity(csvRecord: $0) }
        #expect(identity == session.map { RecordIdentity(session: $0, line: 7) })
    }

    @Test(
        arguments: [
            (
                #"{"timestamp":"x","user":"a\"session_id\":\"no","session_id":"6b.1","line_num":7,"ps":"x"}"#,
                true
            ),
            (#"{"message":"{\"session_id\":\"6b.1\",\"line_num\":7}"}"#, true),
            (#"{"session_id":"6b.1"}"#, false), ("{}", false),
        ]
    )
    func aJSONLineTellsItsSession(text: String, isThere: Bool) {
        let identity = Array(text.utf8).withUnsafeBytes { RecordIdentity(jsonLine: $0) }
        #expect(identity == (isThere ? RecordIdentity(session: "6b.1", line: 7) : nil))
    }

    @Test func jsonLinesAreRecordsOfTheirOwn() throws {
        try PipelineFixture.with { fixture in
            let lines = (1...3).map { #"{"timestamp":"x","session_id":"6b.1","line_num":\#($0)}"# + "\n" }
            try fixture.append(lines + ["{\"timest"], to: "a.json")
            let reader = try FileReader(path: fixture.logPath("a.json"))
            var found: [RecordIdentity?] = []
            let end = try RecordWalk.pieces(reader, .jsonlog, from: 0, to: 1_000_000) { piece in
                found.append(piece.identity)
                return true
            }
            #expect(found == (1...3).map { RecordIdentity(session: "6b.1", line: $0) })
            #expect(end == UInt64(lines.joined().utf8.count))
        }
    }
}
