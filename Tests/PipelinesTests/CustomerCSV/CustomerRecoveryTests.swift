import Catalog
import Foundation
import Intake
import Pipelines
import Testing

@Suite struct CustomerRecoveryTests {
    private typealias Fixture = CustomerFixture

    private static let records = (1...12).map { Fixture.record($0, day: $0 % 4 + 1) }

    /// Ends the run before each of its changes to the disk in turn.
    @Test func runThatEndsAtAnyChangeLosesNothingAndDoublesNothing() throws {
        func prepare(_ lake: inout Fixture) throws {
            try lake.deliver(Array(Self.records[..<8]) + ["ragged\n"], to: "a.csv")
            try lake.deliver(
                "event_time,extra,customer,action\n2026-11-01T09:00:00Z,1,acme,new\n"
                    + "2026-11-01T09:00:00Z,1,acme,new\n",
                to: "b.csv"
            )
            try lake.deliver(Array(Self.records[4...]), to: "c.csv")
            lake.settings.batchByteCount = 200
            lake.settings.checkpointInterval = 2
            lake.settings.liveFileLimit = 4
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
        #expect(ends.count > 20)
        for end in ends {
            try Fixture.with { lake in
                try prepare(&lake)
                lake.disk.fail(.death) { number, _ in number == end }
                #expect(throws: (any Error).self) { try lake.run() }
                lake.disk.revive()
                try lake.run()
                let expected = ((1...12).map { "act-\($0)" } + ["new", "new"]).sorted()
                #expect(try lake.texts("action") == expected, "ended at \(end): \(changes[end])")
                #expect(try lake.texts("raw", of: lake.settings.quarantine) == ["ragged"])
            }
        }
    }

    /// Runs until the batch is planned and the table has none of it.
    private func runUntilCommit(_ lake: Fixture) throws {
        lake.disk.fail(.death) { _, change in
            guard case .link(let path) = change else { return false }
            return path.contains("/wau/events/_delta_log/")
        }
        #expect(throws: VolatileDisk.FaultError.self) { try lake.run() }
        lake.disk.revive()
    }

    /// What the batch was compared with is fixed by its plan, whatever has come into the table since.
    @Test func aRedoComparesWithTheVersionOfThePlan() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.record(1)], to: "x/a.csv")
            try lake.run()
            try lake.deliver([Fixture.record(1), Fixture.record(2)], to: "x/b.csv")
            try runUntilCommit(lake)
            var other = lake
            other.settings.name = "other"
            other.settings.objects.source.patterns = ["\(lake.root)/csv/y"]
            try lake.deliver([Fixture.record(2)], to: "y/c.csv")
            #expect(try other.run().rows == 1)
            #expect(try lake.run().rows == 1, "as it was planned")
            #expect(try lake.texts("action") == ["act-1", "act-2", "act-2"])
        }
    }

    @Test func aBatchIsFinishedWithTheSettingsOfItsPlan() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.record(1), Fixture.record(1, details: "x")])
            try runUntilCommit(lake)
            lake.settings.decoding.excluded = ["details"]
            #expect(try lake.run().rows == 2)
        }
    }

    /// Names and types of columns are fixed by the plan, also when the bytes that brought them are lost.
    @Test func columnsStayAsPlannedWhenBytesAreLost() throws {
        try Fixture.with { lake in
            try lake.deliver("customer,event_time,size\nacme,2026-11-01T10:00:00Z,7\n", to: "a.csv")
            try lake.deliver("customer,event_time,size\nacme,2026-11-01T11:00:00Z,big\n", to: "b.csv")
            try runUntilCommit(lake)
            try FileManager.default.removeItem(atPath: "\(lake.root)/csv/a.csv")
            lake.settings.onDataLoss = .continue
            try lake.run()
            try lake.deliver("customer,event_time,size\nacme,2026-11-01T12:00:00Z,9\n", to: "c.csv")
            try lake.run()
            #expect(try lake.numbers("size") == [9], "a whole number, as the lost file had it")
            #expect(try lake.texts("customer").count == 2)
        }
    }

    /// The bytes of the range are there, but the header above them is another one.
    @Test func aRedoKnowsAnotherHeader() throws {
        try Fixture.with { lake in
            let records = Fixture.record(1, details: "x") + Fixture.record(2)
            try lake.deliver(Fixture.header + records)
            try lake.run()
            try lake.deliver(Fixture.header + records + Fixture.record(3, details: "y"))
            try runUntilCommit(lake)
            let other = "customer,event_time,details,action\n"
            try lake.deliver(other + records + Fixture.record(3, details: "y"))
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceLost)
        }
    }

    @Test func plannedBytesThatAreLostEndTheRun() throws {
        try Fixture.with { lake in
            try lake.deliver([Fixture.record(1)])
            try runUntilCommit(lake)
            try lake.deliver([Fixture.record(2)])
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceLost)
        }
    }
}
