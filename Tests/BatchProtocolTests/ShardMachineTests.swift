import BatchProtocol
import Testing

@Suite struct ShardMachineTests {
    private func receipt(of machine: ShardMachine) throws -> BatchReceipt {
        guard case .putReceipt(let receipt) = machine.step else {
            Issue.record("\(machine.step) instead of a receipt")
            throw ShardError(code: .brokenSequence, batch: 0, detail: "")
        }
        return receipt
    }

    @Test("a new shard plans batch 1, commits its tables in order, stores the receipt, plans batch 2")
    func newShard() throws {
        var machine = try ShardMachine(opening: ShardMachine.Record(), parserVersion: 1)
        let plan = Sample.plan(1, ranges: [SourceRange(file: Sample.file(offset: 100), from: 30, hash: "")])
        #expect(machine.step == .plan(batch: 1))
        machine.planned(plan)
        #expect(machine.step == .commit(plan, table: 0))
        machine.committed(rows: 3, version: 7)
        #expect(machine.step == .commit(plan, table: 1))
        machine.committed(rows: 4, version: 9)
        let receipt = try receipt(of: machine)
        #expect(
            receipt
                == BatchReceipt(
                    batch: 1,
                    parserVersion: 1,
                    tables: [
                        TableReceipt(name: "a", rows: 3, version: 7, lastBatch: 1),
                        TableReceipt(name: "b", rows: 4, version: 9, lastBatch: 1),
                    ],
                    bytes: 70,
                    gaps: []
                )
        )
        machine.received(receipt)
        #expect(machine.step == .plan(batch: 2))
    }

    @Test("a table without rows keeps version and last batch of the batch that had some")
    func skippedTable() throws {
        let record = ShardMachine.Record(
            plan: Sample.plan(5),
            receipt: Sample.receipt(5, lastBatches: [("a", 5), ("b", 3)]),
            transactions: ["a": 5, "b": 3]
        )
        var machine = try ShardMachine(opening: record, parserVersion: 1)
        machine.planned(Sample.plan(6))
        machine.committed(rows: 2, version: 8)
        machine.skipped()
        #expect(
            try receipt(of: machine).tables == [
                TableReceipt(name: "a", rows: 2, version: 8, lastBatch: 6),
                TableReceipt(name: "b", rows: 0, version: 3, lastBatch: 3),
            ]
        )
    }

    @Test("a table that never had rows is in the receipt with batch 0")
    func neverFed() throws {
        var machine = try ShardMachine(opening: ShardMachine.Record(), parserVersion: 1)
        machine.planned(Sample.plan(1, tables: ["a"]))
        machine.skipped()
        let expected = [TableReceipt(name: "a", rows: 0, version: 0, lastBatch: 0)]
        #expect(try receipt(of: machine).tables == expected)
    }

    @Test("a table that joins the group later is added, one that left it stays in the receipts")
    func changingGroup() throws {
        let record = ShardMachine.Record(
            plan: Sample.plan(1, tables: ["a"]),
            receipt: Sample.receipt(1, lastBatches: [("a", 1)]),
            transactions: ["a": 1]
        )
        var machine = try ShardMachine(opening: record, parserVersion: 1)
        machine.planned(Sample.plan(2, tables: ["b"]))
        machine.committed(rows: 1, version: 4)
        #expect(try receipt(of: machine).tables.map(\.name) == ["a", "b"])
        #expect(try receipt(of: machine).tables.map(\.lastBatch) == [1, 2])
    }

    @Test("a batch without tables goes straight to its receipt")
    func emptyGroup() throws {
        var machine = try ShardMachine(opening: ShardMachine.Record(), parserVersion: 1)
        machine.planned(Sample.plan(1, tables: []))
        #expect(try receipt(of: machine).batch == 1)
    }

    @Test("an open batch without tables goes straight to its receipt after a restart too")
    func emptyGroupReopened() throws {
        let record = ShardMachine.Record(plan: Sample.plan(1, tables: []))
        let machine = try ShardMachine(opening: record, parserVersion: 1)
        #expect(try receipt(of: machine).batch == 1)
    }

    @Test(
        "an open batch is taken up at its first table, whatever is committed of it",
        arguments: [[:], ["a": 1], ["a": 1, "b": 1], ["b": 1]] as [[String: UInt64]]
    )
    func reopened(transactions: [String: UInt64]) throws {
        let record = ShardMachine.Record(plan: Sample.plan(1), transactions: transactions)
        let machine = try ShardMachine(opening: record, parserVersion: 1)
        #expect(machine.step == .commit(Sample.plan(1), table: 0))
    }

    @Test("lost bytes are in the receipt of their batch and of no other")
    func gaps() throws {
        let gap = SourceGap(path: "/log/a.csv", from: 10, to: 20)
        var machine = try ShardMachine(opening: ShardMachine.Record(plan: Sample.plan(1)), parserVersion: 1)
        machine.lost(gap)
        machine.committed(rows: 1, version: 1)
        machine.committed(rows: 1, version: 1)
        let first = try receipt(of: machine)
        machine.received(first)
        machine.planned(Sample.plan(2, tables: []))
        #expect(first.gaps == [gap])
        #expect(try receipt(of: machine).gaps == [])
    }

    @Test("the receipt of another process counts, not our own")
    func foreignReceipt() throws {
        var machine = try ShardMachine(opening: ShardMachine.Record(), parserVersion: 1)
        machine.planned(Sample.plan(1, tables: ["a"]))
        machine.committed(rows: 1, version: 5)
        machine.received(Sample.receipt(1, lastBatches: [("a", 1), ("z", 1)]))
        machine.planned(Sample.plan(2, tables: []))
        #expect(
            try receipt(of: machine).tables == Sample.receipt(1, lastBatches: [("a", 1), ("z", 1)]).tables
        )
    }

    @Test(
        "an open plan of another parser version of which nothing is committed is carried out by the present rules"
    )
    func otherParserNothingCommitted() throws {
        let record = ShardMachine.Record(plan: Sample.plan(1, tables: ["a"], parserVersion: 1))
        var machine = try ShardMachine(opening: record, parserVersion: 2)
        machine.committed(rows: 1, version: 1)
        #expect(try receipt(of: machine).parserVersion == 2)
    }

    @Test("a finished batch of another parser version stands in nobody's way")
    func otherParserReceived() throws {
        let record = ShardMachine.Record(
            plan: Sample.plan(1, parserVersion: 1),
            receipt: Sample.receipt(1, lastBatches: [("a", 1), ("b", 1)]),
            transactions: ["a": 1, "b": 1]
        )
        #expect(try ShardMachine(opening: record, parserVersion: 2).step == .plan(batch: 2))
    }
}
