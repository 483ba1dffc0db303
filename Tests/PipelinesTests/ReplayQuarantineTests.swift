import AuditFormats
import Catalog
import DeltaTables
import Foundation
import Pipelines
import Query
import Testing

/// What leaves silver by a replay enters the quarantine, and the other way round.
@Suite struct ReplayQuarantineTests {
    private typealias Fixture = ReplayFixture

    /// By rules of before and of now, which events leave silver or come into it.
    enum Change: CaseIterable, Sendable {
        case toDrop
        case fromDrop

        var before: [EventRule: RuleAction] { self == .toDrop ? [:] : [.validWorkspaceID: .drop] }
        var after: [EventRule: RuleAction] { self == .toDrop ? [.validWorkspaceID: .drop] : [:] }
    }

    /// Events of three days, in two batches; every third one breaks a rule, and a line is no event.
    private func prepare(_ fixture: inout Fixture) throws {
        try fixture.write(Self.lines(0..<12) + ["broken\n"], to: "a.json")
        try fixture.run()
        fixture.now += 86_400_000_000
        try fixture.write(Self.lines(12..<24), to: "b.json")
        try fixture.run()
    }

    private static func lines(_ numbers: Range<Int>) -> [String] {
        numbers.map { number in
            Fixture.event(
                number,
                day: number / 3 % 3,
                workspace: number % 3 == 0 ? "x" : "42",
                params: #"{"k":"v"}"#
            )
        }
    }

    private func fresh(_ fixture: Fixture) throws -> Fixture {
        var fresh = fixture
        fresh.lakeName = "fresh"
        fresh.now -= 86_400_000_000
        try fresh.hideEvents("b.json")
        try fresh.run()
        try fresh.showEvents("b.json")
        fresh.now += 86_400_000_000
        try fresh.run()
        return fresh
    }

    @Test(arguments: Change.allCases)
    func recordsGoFromOneTableToTheOther(_ change: Change) async throws {
        try await Fixture.with { fixture in
            fixture.settings.decoding.actions = change.before
            try prepare(&fixture)
            let transactions = try fixture.transactions()
            let version = try fixture.table(fixture.settings.quarantine).head.version
            fixture.settings.decoding.actions = change.after
            try fixture.replay(.silver)
            let fresh = try fresh(fixture)
            #expect(try await fixture.rows(of: .silver) == fresh.rows(of: .silver))
            #expect(try await fixture.quarantine() == fresh.quarantine())
            #expect(try await fixture.quarantine().count == (change == .toDrop ? 9 : 1))
            #expect(try await fixture.recordCounts() == [25, 25])
            #expect(try fixture.transactions() == transactions)
            let history = try fixture.table(fixture.settings.quarantine).history(limit: 1)
            #expect(history.first?.operation == "REPLAY")
            #expect(history.first?.version == version + 1)
            #expect(try fixture.strayFiles() == [])
            try fixture.write(Self.lines(24..<27), to: "c.json")
            try fixture.run()
            #expect(try await fixture.recordCounts() == [28, 28])
        }
    }

    @Test(arguments: Change.allCases)
    func onlyRecordsOfTheDaysInTheRangeChangeSides(_ change: Change) async throws {
        try await Fixture.with { fixture in
            fixture.settings.decoding.actions = change.before
            try prepare(&fixture)
            let before = try await fixture.quarantine()
            fixture.settings.decoding.actions = change.after
            let day = try #require(UTCDay.days("2026-01-02"))
            try fixture.replay(.silver, days: DayRange(from: day, to: day))
            let after = try await fixture.quarantine()
            let moved = Set(before).symmetricDifference(after)
            // Of events 3, 12 and 21, the first of three on each fourth day.
            #expect(moved.count == 3)
            #expect(moved.allSatisfy { $0.contains(#""workspaceId"":""x""#) })
            #expect(try await fixture.recordCounts() == [25, 25])
            let rest = DayRange(from: nil, to: day - 1)
            try fixture.replay(.silver, days: rest)
            try fixture.replay(.silver, days: DayRange(from: day + 1, to: nil))
            let fresh = try fresh(fixture)
            #expect(try await fixture.quarantine() == fresh.quarantine())
            #expect(try await fixture.rows(of: .silver) == fresh.rows(of: .silver))
        }
    }

    /// Events without a time, of a `records` array and of bytes that are not UTF-8 count by the same day in both tables.
    @Test(arguments: Change.allCases)
    func recordsOfEveryFormCountByTheDayOfSilver(_ change: Change) async throws {
        try await Fixture.with { fixture in
            fixture.settings.decoding.actions = change.before
            let event = Fixture.event(1, day: 1, workspace: "x", params: #"{"k":"v"}"#).dropLast()
            let timeless = event.replacing(#""timestamp":1767312001000,"#, with: "")
            let other = Fixture.event(2, day: 2, workspace: "x", params: #"{"k":"v"}"#).dropLast()
            var bytes = Data(#"{"records":[\#(event),\#(other)]}"#.utf8) + Data("\n\(timeless)\n".utf8)
            bytes += Data(event.replacing(#""v""#, with: "\"\u{1}\"").utf8) + Data("\n".utf8)
            let latin1 = Data(bytes.map { $0 == 1 ? 0xE4 : $0 })
            try latin1.write(to: URL(filePath: "\(fixture.root)/events/a.json"))
            try fixture.run()
            fixture.settings.decoding.actions = change.after
            let day = try #require(UTCDay.days("2026-01-02"))
            let ingest = UTCDay.days(microseconds: fixture.now)
            for (days, count) in [(day...day, 2), (day + 1...day + 1, 1), (ingest...ingest, 1)] {
                let before = try await Set(fixture.quarantine())
                try fixture.replay(.silver, days: DayRange(from: days.lowerBound, to: days.upperBound))
                let after = try await Set(fixture.quarantine())
                #expect(before.symmetricDifference(after).count == count)
                #expect(try await fixture.recordCounts() == [4, 4])
            }
            #expect(try await fixture.quarantine().count == (change == .toDrop ? 4 : 0))
        }
    }

    /// Bytes that were lost before bronze had them: the row in the quarantine is all that is left.
    @Test func rowsWhoseLineBronzeLacksStay() async throws {
        try await Fixture.with { fixture in
            try fixture.write(["lost\n"] + Self.lines(0..<3), to: "a.json")
            try fixture.write(["kept\n"] + Self.lines(3..<6), to: "b.json")
            let bronze = "\(fixture.lakePath)/\(fixture.settings.bronze.folder)/_delta_log/"
            fixture.disk.fail(.death) { _, change in
                if case .link(let path) = change {
                    path.hasPrefix(bronze) && path.hasSuffix("00001.json")
                } else {
                    false
                }
            }
            #expect(throws: VolatileDisk.FaultError.self) { try fixture.run() }
            fixture.disk.revive()
            try fixture.hideEvents("a.json")
            fixture.settings.onDataLoss = .continue
            #expect(try fixture.run().lostBytes > 0)
            fixture.settings.decoding.actions = [.validWorkspaceID: .drop]
            try fixture.replay(.silver)
            let raw = try await fixture.lines(
                "SELECT raw FROM \(fixture.settings.quarantine) WHERE reason = 'malformed_json' ORDER BY 1",
                over: [fixture.settings.quarantine]
            )
            #expect(raw == ["kept", "lost"])
            #expect(try await fixture.quarantine().count == 3)
        }
    }

    @Test func theDifferenceOfTheQuarantineIsToldAndNothingIsLeft() async throws {
        try await Fixture.with { fixture in
            try prepare(&fixture)
            let paths = try fixture.paths()
            fixture.settings.decoding.actions = [.validWorkspaceID: .drop]
            let replay = try fixture.make(.silver, mayApply: false)
            #expect(replay.tables.map(\.name) == [fixture.settings.silver, fixture.settings.quarantine])
            let differences = try await replay.tables.differences(fixture.engine())
            #expect(differences.map(\.onlyBefore) == [8, 0])
            #expect(differences.map(\.onlyAfter) == [0, 8])
            #expect(differences.map(\.changed) == [0, 0])
            #expect(differences.map(\.rowsAfter) == [16, 9])
            replay.discard()
            #expect(try fixture.paths() == paths)
        }
    }

    /// Dies at each change that somebody can see; the next replay brings both tables where they should be.
    @Test func killedReplayIsFinishedByTheNext() async throws {
        let (endings, expected) = try await Fixture.with { fixture in
            try prepare(&fixture)
            fixture.settings.decoding.actions = [.validWorkspaceID: .drop]
            let start = fixture.disk.changes.count
            try fixture.replay(.silver)
            let changes = fixture.disk.changes[start...]
            let endings = changes.indices.filter { index in
                // Nobody sees a file before it has its name.
                switch changes[index] {
                case .create, .write, .sync: false
                default: true
                }
            }
            return (endings.map { $0 - start }, try await fixture.quarantine())
        }
        #expect(endings.count > 10)
        for ending in endings {
            try await Fixture.with { fixture in
                try prepare(&fixture)
                fixture.settings.decoding.actions = [.validWorkspaceID: .drop]
                let start = fixture.disk.changes.count
                fixture.disk.fail(.death) { count, _ in count == start + ending }
                do { try fixture.replay(.silver) } catch {}
                #expect(fixture.disk.hasFailed)
                fixture.disk.revive()
                try fixture.replay(.silver)
                #expect(try await fixture.quarantine() == expected)
                #expect(try await fixture.recordCounts() == [25, 25], "change \(ending)")
            }
        }
    }
}

extension [ShadowTable] {
    fileprivate func differences(_ engine: QueryEngine) async throws -> [TableDifference] {
        var found: [TableDifference] = []
        for table in self { found.append(try await table.difference(engine)) }
        return found
    }
}

extension ReplayFixture {
    /// Every row of the quarantine as a line.
    fileprivate func quarantine() async throws -> [String] {
        let name = settings.quarantine
        // Lakes of two fixtures compare.
        return try await lines("SELECT * FROM \(name) ORDER BY ALL", over: [name]).map {
            $0.replacing(root, with: "")
        }
    }

    /// Records of bronze, and rows of silver and the quarantine together.
    fileprivate func recordCounts() async throws -> [Int] {
        let bronze = """
            SELECT sum(CASE WHEN raw LIKE '{"records":%' THEN 2 ELSE 1 END)::INT FROM \(settings.bronze)
            """
        let others =
            "SELECT (SELECT count(*) FROM \(settings.silver)) + (SELECT count(*) FROM \(settings.quarantine))"
        return try await [
            lines(bronze, over: [settings.bronze]),
            lines(others, over: [settings.silver, settings.quarantine]),
        ].flatMap(\.self).compactMap { Int($0) }
    }
}
