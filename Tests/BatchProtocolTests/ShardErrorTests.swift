import BatchProtocol
import Testing

@Suite struct ShardErrorTests {
    struct Contradiction: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var record: ShardMachine.Record
        var code: ShardError.Code
        var batch: UInt64

        init(_ name: String, _ record: ShardMachine.Record, _ code: ShardError.Code, batch: UInt64) {
            testDescription = name
            self.record = record
            self.code = code
            self.batch = batch
        }
    }

    private static let received = Sample.receipt(3, lastBatches: [("a", 3), ("b", 2)])

    private static func newer<Value>(_ value: Value, _ format: WritableKeyPath<Value, Int>) -> Value {
        var value = value
        value[keyPath: format] = BatchPlan.currentFormat + 1
        return value
    }

    static let contradictions = [
        Contradiction(
            "table without txn although receipts exist",
            .init(plan: Sample.plan(3), receipt: received, transactions: ["a": 3]),
            .missingTransaction,
            batch: 2
        ),
        Contradiction(
            "table without txn although receipts exist, with an open batch",
            .init(plan: Sample.plan(4), receipt: received, transactions: ["a": 4]),
            .missingTransaction,
            batch: 2
        ),
        Contradiction(
            "txn older than the receipts say",
            .init(plan: Sample.plan(3), receipt: received, transactions: ["a": 2, "b": 2]),
            .transactionMismatch,
            batch: 3
        ),
        Contradiction(
            "txn newer than the receipts say, and no open batch",
            .init(plan: Sample.plan(3), receipt: received, transactions: ["a": 4, "b": 2]),
            .transactionMismatch,
            batch: 3
        ),
        Contradiction(
            "txn newer than the open batch",
            .init(plan: Sample.plan(4), receipt: received, transactions: ["a": 5, "b": 2]),
            .transactionMismatch,
            batch: 3
        ),
        Contradiction(
            "txn in a table that no receipt has",
            .init(plan: Sample.plan(3), receipt: received, transactions: ["a": 3, "b": 2, "c": 1]),
            .transactionMismatch,
            batch: 0
        ),
        Contradiction(
            "txn without any plan",
            .init(transactions: ["a": 1]),
            .transactionMismatch,
            batch: 0
        ),
        Contradiction("receipt without plan", .init(receipt: received), .brokenSequence, batch: 0),
        Contradiction(
            "newest plan before the newest receipt",
            .init(plan: Sample.plan(2), receipt: received, transactions: ["a": 3, "b": 2]),
            .brokenSequence,
            batch: 2
        ),
        Contradiction(
            "two plans without receipt",
            .init(plan: Sample.plan(5), receipt: received, transactions: ["a": 3, "b": 2]),
            .brokenSequence,
            batch: 5
        ),
        Contradiction("first plan is not batch 1", .init(plan: Sample.plan(2)), .brokenSequence, batch: 2),
        Contradiction(
            "plan of a newer format",
            .init(plan: newer(Sample.plan(1), \.format)),
            .newerFormat,
            batch: 0
        ),
        Contradiction(
            "receipt of a newer format",
            .init(plan: Sample.plan(3), receipt: newer(received, \.format), transactions: ["a": 3, "b": 2]),
            .newerFormat,
            batch: 3
        ),
        Contradiction(
            "open batch partly committed under another parser version",
            .init(
                plan: Sample.plan(4, parserVersion: 2),
                receipt: received,
                transactions: ["a": 4, "b": 2]
            ),
            .parserVersion,
            batch: 4
        ),
    ]

    @Test("a shard that contradicts itself is not opened", arguments: contradictions)
    func contradiction(_ contradiction: Contradiction) throws {
        let error = #expect(throws: ShardError.self) {
            try ShardMachine(opening: contradiction.record, parserVersion: 1)
        }
        #expect(error?.code == contradiction.code)
        #expect(error?.batch == contradiction.batch)
    }

    @Test("the same shard without the contradiction is opened")
    func noContradiction() throws {
        let record = ShardMachine.Record(
            plan: Sample.plan(3),
            receipt: Self.received,
            transactions: ["a": 3, "b": 2]
        )
        #expect(try ShardMachine(opening: record, parserVersion: 1).step == .plan(batch: 4))
    }

    @Test("a missing txn names the table, what it says and what the receipts say")
    func detail() throws {
        let record = ShardMachine.Record(plan: Sample.plan(3), receipt: Self.received, transactions: ["a": 3])
        let error = #expect(throws: ShardError.self) { try ShardMachine(opening: record, parserVersion: 1) }
        #expect(
            error?.description
                == "batch 2: table b holds nothing of this shard, the receipts say batch 2"
        )
    }
}
