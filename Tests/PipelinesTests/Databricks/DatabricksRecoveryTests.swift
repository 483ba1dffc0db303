import BatchProtocol
import Foundation
import Pipelines
import Testing

/// What a run that was ended leaves is finished by the next, whatever tables have the batch already.
@Suite struct DatabricksRecoveryTests {
    private typealias Fixture = DatabricksFixture

    private static let lines =
        (1...6).map { Fixture.event($0, service: ["jobs", "clusters", "repos"][$0 % 3], day: $0 % 2) }

    /// Ends the run before a table's first commit with rows.
    private func runUntilCommit(of table: String, _ lake: Fixture) throws {
        try lake.runUntil { change in
            if case .link(let path) = change {
                path.contains("/\(table)/_delta_log/") && path.hasSuffix("00001.json")
            } else {
                false
            }
        }
    }

    @Test(arguments: ["bronze", "silver", "jobs", "clusters", "repos"])
    func whatIsMissingIsFinished(_ table: String) throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try runUntilCommit(of: table, lake)
            let summary = try lake.run()
            #expect(summary.redoneBatches == 1)
            try lake.expectExact(Self.lines)
        }
    }

    /// Once bronze has the batch, the source is not needed any more.
    @Test(arguments: ["silver", "jobs", "clusters", "repos"])
    func whatIsMissingIsMadeFromBronze(_ table: String) throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try runUntilCommit(of: table, lake)
            try lake.remove("a.json")
            try lake.run()
            try lake.expectExact(Self.lines)
        }
    }

    /// A line in pieces is one line, whatever size batches have and whatever its rows are made from.
    @Test(arguments: ["bronze", "silver"])
    func aLongLineIsFinishedAsOne(_ table: String) throws {
        try Fixture.with { lake in
            lake.settings.decoding.maxRecordBytes = 1 << 20
            lake.settings.decoding.maxPendingBytes = 1 << 20
            lake.settings.batchByteCount = 1 << 20
            let long = String(repeating: "x", count: 20 << 20)
            try lake.deliver([Fixture.event(1), long + "\n", Fixture.event(2)])
            try runUntilCommit(of: table, lake)
            try lake.run()
            #expect(try lake.texts("requestId", of: lake.settings.silver) == ["r-1", "r-2"])
            let pieces = try lake.texts("raw", of: lake.settings.bronze).filter { $0.hasPrefix("x") }
            #expect(pieces.map(\.utf8.count) == [4 << 20, 8 << 20, 8 << 20])
            #expect(try lake.texts("raw", of: lake.settings.quarantine).map(\.utf8.count) == [64 << 10])
        }
    }

    @Test func bytesThatAreGoneBeforeBronzeHasThemAreTold() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try runUntilCommit(of: "bronze", lake)
            try lake.remove("a.json")
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceLost)
            lake.settings.onDataLoss = .continue
            #expect(try lake.run().lostBytes > 0)
            try lake.expectExact([])
        }
    }

    /// Bronze was committed without lost bytes: what is made from it has as many rows as it can have.
    @Test func goldIsMadeOfWhatBronzeHasLeft() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.deliver([Fixture.event(21), Fixture.event(22, service: "gone")], to: "b.json")
            try runUntilCommit(of: "bronze", lake)
            try lake.remove("b.json")
            lake.settings.onDataLoss = .continue
            #expect(try lake.run(.bronzeAndSilver).lostBytes > 0)
            try lake.run(.gold)
            try lake.expectExact(Self.lines)
            try lake.deliver([Fixture.event(23)], to: "c.json")
            try lake.run()
            try lake.expectExact(Self.lines + [Fixture.event(23)])
        }
    }

    /// Names that were told apart because of lost bytes stay as they were planned: a table and a column each.
    @Test(arguments: ["quarantine_dbx", "bronze", "silver"])
    func namesStayAsPlannedWhenBytesAreLost(_ table: String) throws {
        try Fixture.with { lake in
            try lake.deliver(
                [
                    "{broken\n", Fixture.event(1, service: "Notebook"),
                    Fixture.event(2, parameters: #"{"ID":"2"}"#),
                ]
            )
            let left = [Fixture.event(3, service: "notebook"), Fixture.event(4, parameters: #"{"id":"4"}"#)]
            try lake.deliver(left, to: "b.json")
            try runUntilCommit(of: table, lake)
            try lake.remove("a.json")
            lake.settings.onDataLoss = .continue
            try lake.run()
            let later = [Fixture.event(5, service: "Notebook"), Fixture.event(6, parameters: #"{"ID":"6"}"#)]
            try lake.deliver(later, to: "c.json")
            try lake.run()
            let isLost = table != "silver"
            #expect(
                try lake.texts("requestId", of: lake.settings.silver)
                    == (isLost ? [] : ["r-1", "r-2"]) + ["r-3", "r-4", "r-5", "r-6"]
            )
            #expect(try lake.texts("requestId", of: lake.gold("notebook_2")) == ["r-3"])
            #expect(
                try lake.texts("requestId", of: lake.gold("Notebook")) == (isLost ? [] : ["r-1"]) + ["r-5"]
            )
            #expect(try lake.parameters("id_2", of: "jobs") == ["4"])
            #expect(try lake.parameters("ID", of: "jobs") == (isLost ? [] : ["2"]) + ["6"])
        }
    }

    /// A batch that is open is finished with the settings that it was planned with.
    @Test(arguments: ["bronze", "silver", "jobs"])
    func settingsThatChangedCountForLaterBatches(_ table: String) throws {
        try Fixture.with { lake in
            let nameless = Fixture.event(7).replacingOccurrences(of: #""act""#, with: "null")
            try lake.deliver(Self.lines + [nameless])
            try runUntilCommit(of: table, lake)
            lake.settings.decoding.actions[.actionNameNotNull] = .drop
            try lake.run()
            try lake.expectExact(Self.lines + [nameless])
            let later = nameless.replacingOccurrences(of: "r-7", with: "r-8")
            try lake.deliver([later], to: "b.json")
            try lake.run()
            try lake.expectExact(Self.lines + [nameless], quarantined: [later])
        }
    }

    /// Ends the run before each of its changes to the disk in turn.
    @Test func runThatEndsAtAnyChangeLosesNothingAndDoublesNothing() throws {
        func prepare(_ lake: inout Fixture) throws {
            try lake.deliver(Array(Self.lines[..<3]) + ["{broken\n"] + Self.lines[3...])
            lake.settings.batchByteCount = UInt64(Self.lines[0].utf8.count * 4)
            lake.settings.checkpointInterval = 1
            lake.settings.liveFileLimit = 2
        }
        let changes = try Fixture.with { lake in
            try prepare(&lake)
            try lake.run()
            return lake.disk.changes
        }
        // Nobody sees a file before it has its name: of the changes only these matter.
        let ends = changes.indices.filter { number in
            switch changes[number] {
            case .link, .rename: true
            default: number % 40 == 0
            }
        }
        #expect(ends.count > 60)
        for end in ends {
            try Fixture.with { lake in
                try prepare(&lake)
                lake.disk.fail(.death) { number, _ in number == end }
                #expect(throws: (any Error).self) { try lake.run() }
                lake.disk.revive()
                try lake.run()
                try lake.expectExact(
                    Self.lines,
                    quarantined: ["{broken\n"],
                    "ended at \(end): \(changes[end])"
                )
            }
        }
    }

    // MARK: Layers apart

    @Test func goldCatchesUpWithWhatWasLeftForIt() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            let more = [Fixture.event(11, parameters: #"{"new":"1"}"#), Fixture.event(12, service: "late")]
            try lake.deliver(more, to: "b.json")
            try lake.run(.bronzeAndSilver)
            #expect(try lake.texts("requestId", of: lake.settings.silver).count == 8)
            #expect(try lake.texts("requestId", of: lake.gold("jobs")) == [])
            try lake.run(.gold)
            try lake.expectExact(Self.lines + more)
            #expect(try lake.parameters("new", of: "jobs") == ["1"])
            #expect(try lake.run(.gold).rows == 0)
            try lake.deliver([Fixture.event(13)], to: "c.json")
            try lake.run()
            try lake.expectExact(Self.lines + more + [Fixture.event(13)])
        }
    }

    @Test func aFullRunBringsInWhatWasLeftForGoldFirst() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            try lake.deliver([Fixture.event(13)], to: "c.json")
            try lake.run()
            try lake.expectExact(Self.lines + [Fixture.event(13)])
        }
    }

    @Test func goldThatWasEndedInTheMiddleGoesOn() throws {
        try Fixture.with { lake in
            try lake.deliver(Self.lines)
            try lake.run(.bronzeAndSilver)
            try lake.deliver([Fixture.event(13)], to: "c.json")
            try lake.run(.bronzeAndSilver)
            lake.disk.fail(.death) { _, change in
                if case .link(let path) = change {
                    path.contains("/clusters/_delta_log/") && path.hasSuffix("00001.json")
                } else {
                    false
                }
            }
            #expect(throws: VolatileDisk.FaultError.self) { try lake.run(.gold) }
            lake.disk.revive()
            try lake.run(.gold)
            try lake.expectExact(Self.lines + [Fixture.event(13)])
        }
    }

    /// Names that differ in case only go by first sight, and the next attempt may see others first.
    @Test(arguments: [
        (DatabricksFixture.event(1, service: "jobs"), DatabricksFixture.event(2, service: "Jobs")),
        (
            DatabricksFixture.event(1, parameters: #"{"dashboardId":"1"}"#),
            DatabricksFixture.event(2, parameters: #"{"DashboardId":"2"}"#)
        ),
        (DatabricksFixture.event(1, service: "a-b"), DatabricksFixture.event(2, service: "a_b")),
    ])
    func anAttemptThatEndsBeforeItsPlanLeavesNothingToClashWith(first: String, second: String) throws {
        try DatabricksFixture.with { lake in
            try lake.deliver([first])
            try lake.runUntil { change in
                if case .link(let path) = change { path.contains("/plans/") } else { false }
            }
            #expect(try lake.goldTables().isEmpty)
            try lake.deliver([second, first])
            #expect(try lake.run().rows == 2)
            #expect(try lake.goldTables().count == (first.contains("dashboardId") ? 1 : 2))
            #expect(try lake.texts("requestId", of: lake.settings.silver) == ["r-1", "r-2"])
        }
    }
}
