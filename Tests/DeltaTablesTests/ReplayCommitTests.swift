import DeltaLog
import DeltaTables
import Foundation
import Testing

@Suite struct ReplayCommitTests {
    private func live(_ table: DeltaTable) throws -> [AddFile] {
        try table.snapshot().files.values.sorted { $0.path.encoded < $1.path.encoded }
    }

    private func replay(
        _ table: DeltaTable,
        _ removed: [AddFile],
        _ added: [AddFile],
        since version: Int64
    )
        throws -> Int64
    {
        try table.replay(
            removed,
            with: added,
            growing: table.head.metadata.schema(),
            since: version,
            now: TestTable.now
        )
    }

    @Test func filesAreSwappedInOneCommitThatKeepsTheBatch() throws {
        let test = TestTable()
        let table = try test.create()
        try test.append(0..<3, to: table, batch: 1)
        try test.append(3..<6, to: table, batch: 2)
        let transactions = table.head.transactions
        let version = try replay(table, try live(table), [try test.file(10..<14)], since: 2)
        #expect(version == 3)
        #expect(try test.rows() == [10, 11, 12, 13])
        #expect(try test.open().head.transactions == transactions)
        let commit = try test.commit(3)
        #expect(commit.info?.operation == "REPLAY")
        for action in commit.actions {
            switch action {
            case .txn, .metaData, .protocol: Issue.record("\(action)")
            case .remove(let file): #expect(file.dataChange)
            case .add(let file): #expect(file.dataChange)
            case .commitInfo: break
            }
        }
    }

    @Test func batchesThatCameMeanwhileStayAndTheTableGrowsWithTheSwap() throws {
        let test = TestTable()
        let table = try test.create()
        try test.append(0..<3, to: table, batch: 1)
        let old = try live(table)
        let other = try test.open()
        try test.append(3..<6, to: other, batch: 2)
        let wider = TableSchema(try table.head.metadata.schema().fields + [SchemaField("more", .string)])
        let file = try test.file(10..<12)
        _ = try table.replay(old, with: [file], growing: wider, since: 1, now: TestTable.now)
        #expect(try test.rows() == [3, 4, 5, 10, 11])
        #expect(try test.open().head.metadata.schema()["more"] != nil)
        #expect(try test.open().head.transactions[TestTable.appID]?.version == 2)
    }

    @Test(arguments: [false, true])
    func mergedFilesAreAConflictAndTheNewOnesAreRemoved(isSeen: Bool) throws {
        let test = TestTable()
        let table = try test.create()
        try test.appendBatches(1...8, to: table)
        let version = table.head.version
        let old = try live(table)
        try test.open().maintain(storage: [], interval: 1, fileLimit: 2, now: TestTable.now)
        if isSeen { try table.refresh() }
        #expect(throws: CommitConflictError.self) {
            try replay(table, old, [try test.file(100..<102)], since: version)
        }
        #expect(try test.rows() == Array(0..<24))
        #expect(try test.dataFiles() == test.knownFiles())
    }

    @Test func theSecondOfTwoReplaysIsAConflictAlsoWhenNothingIsRemoved() throws {
        let test = TestTable()
        let first = try test.create()
        let second = try test.open()
        #expect(try replay(first, [], [try test.file(0..<3)], since: 0) == 1)
        #expect(throws: CommitConflictError.self) {
            try replay(second, [], [try test.file(0..<3)], since: 0)
        }
        #expect(try test.rows() == [0, 1, 2])
        #expect(try test.dataFiles() == test.knownFiles())
    }
}
