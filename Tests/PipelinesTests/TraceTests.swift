import AuditFormats
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

    // MARK: Formats

    /// What lies in some bytes: the lines of records of the test's session, nil for what is no record.
    private func lines(in text: String, _ format: LogFormat, isWhole: Bool = false) throws -> [Int64?] {
        try PipelineFixture.with { fixture in
            try fixture.append([text])
            let reader = try FileReader(path: fixture.logPath("a.csv"))
            let to = UInt64(text.utf8.count)
            var found: [Int64?] = []
            let end = try RecordWalk.pieces(reader, format, from: 0, to: to, isWhole: isWhole) {
                piece in
                #expect(piece.identity == nil || piece.identity?.session == session)
                found.append(piece.identity?.line)
                return true
            }
            let border = try RecordWalk.border(reader, format, from: 0, to: to)
            #expect(isWhole || end == border)
            return found
        }
    }

    @Test func aCSVRecordTellsItsSession() throws {
        let record = PipelineFixture.record(1)
        #expect(try lines(in: record.replacing("\"postgres\"", with: "\"a,\"\"b\""), .csvlog) == [1])
        #expect(try lines(in: record.replacing(session, with: ""), .csvlog) == [nil])
        #expect(try lines(in: String(record.prefix(50)), .csvlog) == [])
    }

    @Test func aJSONLineTellsItsSession() throws {
        let record = PipelineFixture.jsonRecord(1)
        let forged = #"\"session_id\":\"6b.9\",\"line_num\":9,"#
        #expect(try lines(in: record.replacing("postgres", with: forged), .jsonlog) == [1])
        #expect(try lines(in: record.replacing("AUDIT", with: "{\(forged)"), .jsonlog) == [1])
        #expect(try lines(in: record.replacing("\"line_num\":1,", with: ""), .jsonlog) == [nil])
        #expect(try lines(in: "{}\n\(record){\"timest", .jsonlog) == [nil, 1])
    }

    @Test func gluedLinesAreRecordsOfTheirOwn() throws {
        let records = (1...3).map { PipelineFixture.jsonRecord($0) }
        #expect(try lines(in: records.joined(), .jsonlog) == [1, 2, 3])
        #expect(try lines(in: records[0].dropLast() + records[1], .jsonlog) == [1, 2])
        #expect(try lines(in: records[0].prefix(60) + records[1], .jsonlog) == [nil, 2])
    }

    @Test func whatTheCollectorWritesIsNoRecord() throws {
        let text = "LOG:  ending log output\n\n" + PipelineFixture.jsonRecord(1)
        #expect(try lines(in: text, .collector) == [nil, nil, nil])
    }

    @Test func nothingOfAPlannedRangeWaits() throws {
        let json = String(PipelineFixture.jsonRecord(1).dropLast())
        #expect(try lines(in: json, .jsonlog) == [])
        #expect(try lines(in: json, .jsonlog, isWhole: true) == [1])
        let torn = PipelineFixture.record(1) + PipelineFixture.record(2).prefix(50)
        #expect(try lines(in: torn, .csvlog) == [1])
        #expect(try lines(in: torn, .csvlog, isWhole: true) == [1, nil])
    }

    /// A record as a log event of CloudWatch Logs.
    private func event(_ record: String) throws -> String {
        let message = try #require(
            String(data: JSONEncoder().encode(String(record.dropLast())), encoding: .utf8)
        )
        return #"{"id":"1","timestamp":1795000000000,"message":\#(message)}"#
    }

    @Test func aRecordInAnEnvelopeIsTracedBothWays() throws {
        try PipelineFixture.with { fixture in
            fixture.settings.source = TailedFileSource(patterns: [fixture.logPath("*.json")], host: "host")
            let records = (1...5).map { PipelineFixture.jsonRecord($0) }
            let events = try [records[3], "no record\n", records[4]].map { try event($0) }
            let texts = try [
                records[0], event(records[1]) + "\n", "2026-11-21T08:23:36.329Z " + records[2],
                #"{"messageType":"DATA_MESSAGE","logEvents":[\#(events.joined(separator: ","))]}"# + "\n",
            ]
            try fixture.append(texts, to: "a.json")
            try fixture.run()
            #expect(try fixture.raws().count == 5)
            let bytes = Array(texts.joined().utf8)
            let trace = try trace(fixture)
            for line in 1...5 {
                let identity = RecordIdentity(session: session, line: Int64(line))
                let place = try #require(try trace.places(of: identity, ingestedAt: fixture.now).first)
                let (start, count) = (try #require(place.offset), try #require(place.byteCount))
                #expect(place.ordinal == line)
                let text = String(decoding: bytes[Int(start)..<Int(start) + count], as: UTF8.self)
                #expect(text.contains("line_num\\\":\(line),") || text.contains("line_num\":\(line),"))
                #expect(line > 3 || text == texts[line - 1])
                for byte in [start, start + UInt64(count) - 1] {
                    let fate = try trace.fate(of: byte, in: fixture.logPath("a.json"))
                    #expect(fate == .planned(place, isCommitted: true))
                }
            }
        }
    }

    @Test(arguments: ["a.csv", "a.json"], [false, true])
    func aRecordOfACompressedFileIsTracedBothWays(name: String, isReadBefore: Bool) throws {
        try PipelineFixture.with { fixture in
            fixture.settings.source = TailedFileSource(patterns: [fixture.logPath("*")], host: "host")
            var records = (1...12).map {
                name == "a.csv" ? PipelineFixture.record($0) : PipelineFixture.jsonRecord($0)
            }
            // Nothing follows in a compressed file: its last line of JSON is whole without an end.
            if name == "a.json", !isReadBefore { records[11].removeLast() }
            try fixture.append(records, to: name)
            if isReadBefore { try fixture.run() }
            try fixture.compress(name)
            if !isReadBefore { try fixture.run() }
            #expect(try fixture.raws().count == 12)
            let path = fixture.logPath(name + ".gz")
            var offset: UInt64 = 0
            for (index, record) in records.enumerated() {
                let identity = RecordIdentity(session: session, line: Int64(index + 1))
                let place = try #require(
                    try trace(fixture).places(of: identity, ingestedAt: fixture.now).first
                )
                #expect(place.currentPath == path && place.ordinal == index + 1)
                #expect(place.offset == offset && place.byteCount == record.utf8.count)
                offset += UInt64(record.utf8.count)
                let fate = try trace(fixture).fate(of: offset - 1, in: path)
                #expect(fate == .planned(place, isCommitted: true))
            }
        }
    }
}
