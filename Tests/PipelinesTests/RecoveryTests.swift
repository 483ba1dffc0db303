import AuditFormats
import BatchProtocol
import Foundation
import Intake
import Pipelines
import Testing

@Suite struct RecoveryTests {
    private typealias Fixture = PipelineFixture

    private static let logFolder = "\(PipelineFixture.table.folder)/_delta_log"
    private static func isCommit(_ change: VolatileDisk.Change, _ version: Int) -> Bool {
        guard case .link(let path) = change else { return false }
        return path.hasSuffix("\(logFolder)/0000000000000000000\(version).json")
    }
    private static func isReceipt(_ change: VolatileDisk.Change) -> Bool {
        guard case .link(let path) = change else { return false }
        return path.contains("/receipts/")
    }

    // MARK: Lost sources

    @Test func plannedBytesThatAreGoneStopTheRun() throws {
        try Fixture.with { lake in
            let records = Fixture.records(1...2)
            try lake.append(records)
            try lake.runUntil { Self.isCommit($0, 1) }
            try FileManager.default.moveItem(atPath: lake.logPath("a.csv"), toPath: "\(lake.root)/away.csv")
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceLost)
            #expect(error?.message.contains("a.csv: bytes 0 to \(records.joined().utf8.count)") == true)
            #expect(try lake.raws().isEmpty)

            try FileManager.default.moveItem(
                atPath: "\(lake.root)/away.csv",
                toPath: lake.logPath("other.csv")
            )
            #expect(try lake.run().redoneBatches == 1)
            try lake.expectExact(records: records)
        }
    }

    @Test func plannedBytesThatChangedStopTheRun() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.runUntil { Self.isCommit($0, 1) }
            let url = URL(filePath: lake.logPath("a.csv"))
            var data = try Data(contentsOf: url)
            data[40] ^= 1
            try data.write(to: url)
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .sourceLost)
        }
    }

    @Test func renamedPipelineIsRefusedInsteadOfLoadingEverythingAgain() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            _ = try lake.run()
            lake.settings.name = "other"
            lake.settings.configuredPipelines = ["other"]
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .tableMismatch)
            #expect(error?.message.contains("pipeline pg") == true)
            lake.settings.configuredPipelines = ["other", "pg"]
            lake.settings.source = TailedFileSource(patterns: ["\(lake.root)/none*.csv"], host: "host")
            #expect(try lake.run().rows == 0)
        }
    }

    @Test func movedFileIsFoundByItsContent() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.runUntil { Self.isCommit($0, 1) }
            let data = try Data(contentsOf: URL(filePath: lake.logPath("a.csv")))
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            try data.write(to: URL(filePath: lake.logPath("a.csv.1.csv")))
            try lake.append(["new content under the old name, longer than what was planned"], to: "a.csv")
            #expect(try lake.run().redoneBatches == 1)
            #expect(try lake.raws() == Fixture.records(1...2).map { String($0.dropLast()) })
        }
    }

    @Test func lossThatIsAcceptedIsRecordedAndTheRestIsKept() throws {
        try Fixture.with { lake in
            let kept = Fixture.records(1...3, session: "6b01.b")
            let lost = Fixture.records(1...2).joined().utf8.count
            try lake.append(Fixture.records(1...2), to: "a.csv")
            try lake.append(kept, to: "b.csv")
            try lake.runUntil { Self.isCommit($0, 1) }
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            lake.settings.onDataLoss = .continue
            let summary = try lake.run()
            #expect(summary.lostBytes == UInt64(lost))
            #expect(
                try lake.receipt(1).gaps == [
                    SourceGap(path: lake.logPath("a.csv"), from: 0, to: UInt64(lost))
                ]
            )
            try lake.expectExact(records: kept)
            #expect(try lake.run().batches == 0)
        }
    }

    @Test(arguments: [false, true])
    func lossAfterTheCommitLeavesTheShardSound(_ inQuarantine: Bool) throws {
        try Fixture.with { lake in
            let fault = "torn record that is longer than the beginning of one\n"
            try lake.append(inQuarantine ? [fault] + Fixture.records(1...1) : Fixture.records(1...2))
            try lake.runUntil { inQuarantine ? Self.isCommit($0, 1) : Self.isReceipt($0) }
            try FileManager.default.removeItem(atPath: lake.logPath("a.csv"))
            lake.settings.onDataLoss = .continue
            try lake.run()
            let more = Fixture.records(1...2, session: "6b01.b")
            try lake.append(more, to: "b.csv")
            try lake.run()
            try lake.expectExact(
                records: inQuarantine ? more : Fixture.records(1...2) + more,
                faults: inQuarantine ? [fault] : []
            )
        }
    }

    // MARK: Contradictions

    /// Changes a field of a stored plan, as a release with other rules would have written it.
    private func edit(_ lake: Fixture, _ old: String, _ new: String) throws {
        let path = "\(lake.lakePath)/\(lake.shard.plan(1))"
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        let parts = text.split(separator: old, omittingEmptySubsequences: false)
        try #require(parts.count == 2)
        try Data(parts.joined(separator: new).utf8).write(to: URL(filePath: path))
    }

    @Test func partOfABatchUnderOtherRulesIsNotFinished() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.runUntil(Self.isReceipt)
            try edit(lake, "\"parserVersion\":\(PostgresSchema.parserVersion)", "\"parserVersion\":0")
            let error = #expect(throws: ShardError.self) { try lake.run() }
            #expect(error?.code == .parserVersion)
            #expect(try lake.names(in: lake.shard.receipts).isEmpty)
        }
    }

    @Test func planUnderOtherRulesWithoutRowsIsCarriedOutByTheseRules() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.runUntil { Self.isCommit($0, 1) }
            try edit(lake, "\"parserVersion\":\(PostgresSchema.parserVersion)", "\"parserVersion\":0")
            #expect(try lake.run().redoneBatches == 1)
            #expect(try lake.receipt(1).parserVersion == PostgresSchema.parserVersion)
            try lake.expectExact(records: Fixture.records(1...2))
        }
    }

    @Test func planThatCannotBeReadStopsTheRun() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.runUntil { Self.isCommit($0, 1) }
            try edit(lake, "\"format\":3", "\"format\":")
            let error = #expect(throws: PipelineError.self) { try lake.run() }
            #expect(error?.code == .damagedState)
        }
    }

    @Test func tableThatWasRemovedStopsTheRun() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.run()
            try FileManager.default.removeItem(atPath: "\(lake.lakePath)/\(Fixture.table.folder)")
            try lake.append(Fixture.records(3...3))
            let error = #expect(throws: ShardError.self) { try lake.run() }
            #expect(error?.code == .missingTransaction)
            #expect(try lake.raws().isEmpty)
        }
    }

    @Test func tableThatWasMadeAgainDoesNotTakeThePlanOfTheOldOne() throws {
        try Fixture.with { lake in
            try lake.append(Fixture.records(1...2))
            try lake.runUntil { Self.isCommit($0, 1) }
            try FileManager.default.removeItem(atPath: "\(lake.lakePath)/\(Fixture.table.folder)")
            let error = #expect(throws: ShardError.self) { try lake.run() }
            #expect(error?.code == .tableReplaced)
        }
    }
}
