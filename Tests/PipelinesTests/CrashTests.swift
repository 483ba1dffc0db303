import Foundation
import Testing

/// Ends a small run at each of its changes to the disk in turn; what follows has to bring the lake to the same state.
@Suite struct CrashTests {
    private typealias Fixture = PipelineFixture

    private static let records = PipelineFixture.records(1...6)
    private static let fault = "torn record that is longer than the beginning of one\n"

    /// Three batches, the second with damage; small enough a limit for checkpoints and merging.
    private func prepare(_ lake: inout Fixture) throws {
        try lake.append(Array(Self.records[..<3]) + [Self.fault] + Self.records[3...])
        lake.settings.batchByteCount = UInt64(Self.records[0].utf8.count * 2 + 80)
        lake.settings.checkpointInterval = 1
        lake.settings.liveFileLimit = 2
    }

    /// What happens to a run, and before the next.
    enum Ending: CaseIterable {
        case killed
        case killedAndNamesLost
        case killedAndBytesLost
        case failedOnce
        /// The power goes only after the next run, which trusted what the killed one had left.
        case killedAndNamesLostLater
    }

    /// The changes of a run without faults that leave the disk in another state, by number.
    ///
    /// Of the writes to one file only the first and the last count: nobody sees a file before it has its name.
    private func endings() throws -> [Int] {
        try Fixture.with { lake in
            try prepare(&lake)
            try lake.run()
            let changes = lake.disk.changes
            return changes.indices.filter { number in
                switch changes[number] {
                case .write: changes[number] != changes[number - 1] || changes[number] != changes[number + 1]
                default: true
                }
            }
        }
    }

    @Test func runWithoutFaultMergesFilesAndWritesCheckpoints() throws {
        try Fixture.with { lake in
            try prepare(&lake)
            #expect(try lake.run().batches == 3)
            try lake.expectExact(records: Self.records, faults: [Self.fault])
            let operations = try lake.lake.table(Fixture.table)?.history(limit: 100).map(\.operation)
            #expect(operations?.contains("OPTIMIZE") == true)
            let log = try lake.names(in: "\(Fixture.table.folder)/_delta_log")
            #expect(log.contains("_last_checkpoint"))
        }
    }

    @Test(arguments: Ending.allCases)
    func runThatEndsAtAnyChangeLosesNothingAndDoublesNothing(_ ending: Ending) throws {
        for number in try endings() {
            try Fixture.with { lake in
                try prepare(&lake)
                lake.disk.fail(ending == .failedOnce ? .failure : .death) { count, _ in count == number }
                do { try lake.run() } catch {}
                #expect(lake.disk.hasFailed, "change \(number) was made")
                let change = lake.disk.changes[number]
                lake.disk.revive()
                switch ending {
                case .killedAndNamesLost: try lake.disk.losePower(.namesLost, below: lake.lakePath)
                case .killedAndBytesLost: try lake.disk.losePower(.namesKept, below: lake.lakePath)
                case .killedAndNamesLostLater:
                    try lake.run()
                    try lake.disk.losePower(.namesLost, below: lake.lakePath)
                case .killed, .failedOnce: break
                }
                do {
                    try lake.run()
                    try lake.expectExact(
                        records: Self.records,
                        faults: [Self.fault],
                        "\(ending) at change \(number): \(change)"
                    )
                } catch {
                    Issue.record("\(ending) at change \(number), \(change): \(error)")
                }
            }
        }
    }
}

@Suite struct DurabilityOrderTests {
    private typealias Fixture = PipelineFixture
    private typealias Change = VolatileDisk.Change

    /// A change with its path below the lake, names of attempts taken out.
    private func steps(of lake: Fixture) -> [(change: Change, key: String)] {
        lake.disk.changes.map { change in
            let path: String =
                switch change {
                case .create(let path), .write(let path), .sync(let path), .link(let path), .rename(let path),
                    .remove(let path), .makeFolder(let path), .syncFolder(let path):
                    path
                }
            return (change, String(path.dropFirst(lake.lakePath.count + 1)))
        }
    }

    @Test func eachStepIsDurableBeforeTheNextBegins() throws {
        try Fixture.with { lake in
            let fault = "torn record that is longer than the beginning of one\n"
            try lake.append(Fixture.records(1...2) + [fault] + Fixture.records(3...4))
            try lake.run()
            let steps = steps(of: lake)
            func first(_ what: String, _ matches: (Change, String) -> Bool) throws -> Int {
                try #require(steps.firstIndex { matches($0.change, $0.key) }, "\(what)")
            }
            func after(_ index: Int, folderSynced folder: String) throws -> Int {
                try #require(
                    steps[index...].firstIndex { step in
                        if case .syncFolder = step.change { step.key == folder } else { false }
                    },
                    "\(folder) is synced"
                )
            }
            func isLink(_ change: Change) -> Bool { if case .link = change { true } else { false } }
            func isSync(_ change: Change) -> Bool { if case .sync = change { true } else { false } }

            let shard = lake.shard
            let plan = try first("the plan") { isLink($0) && $1 == shard.plan(1) }
            let planDurable = try after(plan, folderSynced: shard.plans)
            let receipt = try first("the receipt") { isLink($0) && $1 == shard.receipt(1) }
            let receiptDurable = try after(receipt, folderSynced: shard.receipts)
            let head = try first("the hint") { change, key in
                if case .rename = change { key == shard.head } else { false }
            }
            #expect(receiptDurable < head)
            for (table, partition) in [(lake.settings.quarantine, "date"), (Fixture.table, "ingest_date")] {
                let prefix = "\(table.folder)/\(partition)="
                let written = try #require(
                    steps.lastIndex { step in
                        if case .write = step.change { step.key.hasPrefix(prefix) } else { false }
                    }
                )
                let synced = try first("the data file") { isSync($0) && $1.hasPrefix(prefix) }
                let folder = (steps[synced].key as NSString).deletingLastPathComponent
                let named = try after(synced, folderSynced: folder)
                #expect(written < synced)
                #expect(named < plan)
                let made = try first("its folder") { change, _ in
                    change == .makeFolder("\(lake.lakePath)/\(folder)")
                }
                #expect(try after(made, folderSynced: table.folder) < plan)

                let log = "\(table.folder)/_delta_log"
                let commit = try first("the commit") {
                    isLink($0) && $1 == "\(log)/00000000000000000001.json"
                }
                #expect(planDurable < commit)
                #expect(try after(commit, folderSynced: log) < receipt)
            }
            // No name is given to bytes that are not synced.
            for (index, step) in steps.enumerated() where isLink(step.change) {
                let name = (step.key as NSString).lastPathComponent
                let temporary = steps[..<index].last { $0.key.contains(".\(name).") }
                #expect(temporary.map { isSync($0.change) } == true, "\(step.key)")
            }
        }
    }
}
