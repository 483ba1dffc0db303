import Columnar
import DeltaLog
import DeltaTables
import Foundation
import ObjectStorage
import Synchronization
import Testing

@Suite struct CommitTests {
    private let folder = TestTable()

    @Test("a table that nobody made cannot be opened")
    func noTable() throws {
        #expect(try DeltaTable.open(store: folder.store, folder: TestTable.folder) == nil)
    }

    @Test("a created table is version 0 and opens with its metadata")
    func create() throws {
        let table = try folder.create()
        #expect(table.head.version == 0)
        #expect(try folder.open().head == table.head)
        #expect(try folder.open().head.metadata == TestTable.metadata())
        #expect(try folder.rows() == [])
    }

    @Test("who creates a table second opens the first one's")
    func createTwice() throws {
        try folder.append(0..<1, to: try folder.create(), batch: 1)
        let second = try DeltaTable.create(
            store: folder.store,
            folder: TestTable.folder,
            metadata: TestTable.metadata(id: "id-2"),
            now: 0
        )
        #expect(second.head.metadata.id == "id-1")
        #expect(second.head.version == 1)
    }

    @Test("a table that cannot take the schema is not opened in place of the one to create")
    func createOther() throws {
        _ = try folder.create()
        let other = [ColumnField("n", .string), ColumnField("t", .string)]
        #expect(throws: CommitConflictError.self) {
            try DeltaTable.create(
                store: folder.store,
                folder: TestTable.folder,
                metadata: TestTable.metadata(other),
                now: 0
            )
        }
    }

    @Test("a batch is one version with its files and its txn")
    func append() throws {
        let table = try folder.create()
        #expect(try folder.append(0..<5, to: table, batch: 7) == .committed(version: 1))
        #expect(table.head.version == 1)
        let transaction = ApplicationTransaction(
            appId: TestTable.appID,
            version: 7,
            lastUpdated: TestTable.now
        )
        #expect(try folder.open().head.transactions == [TestTable.appID: transaction])
        #expect(try folder.rows() == Array(0..<5))
        #expect(try folder.commit(1).info?.isBlindAppend == true)
    }

    @Test("a batch that is in the table is not added again", arguments: [1, 2] as [UInt64])
    func batchTwice(batch: UInt64) throws {
        let table = try folder.create()
        let behind = try folder.open()
        try folder.append(0..<3, to: table, batch: 1)
        try folder.append(3..<6, to: table, batch: 2)
        #expect(try folder.append(0..<3, to: table, batch: batch) == .alreadyCommitted(version: 2))
        // This one has not seen the commits yet and finds out by losing.
        let version = try folder.append(0..<3, to: behind, batch: batch)
        #expect(version == .alreadyCommitted(version: Int64(batch)))
        #expect(try folder.rows() == Array(0..<6))
        #expect(try folder.append(6..<7, to: table, batch: 1, appID: "another") == .committed(version: 3))
    }

    @Test("two writers that race over many commits lose no batch and add none twice")
    func race() throws {
        _ = try folder.create()
        let failures = Mutex<[any Error]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { writer in
            do {
                let table = try folder.open()
                for batch in 0..<40 {
                    let first = Int64(writer * 1_000 + batch)
                    try folder.append(
                        first..<first + 1,
                        to: table,
                        batch: UInt64(batch + 1),
                        appID: "writer \(writer)"
                    )
                }
            } catch {
                failures.withLock { $0.append(error) }
            }
        }
        #expect(failures.withLock { $0.isEmpty })
        #expect(try folder.rows() == Array(0..<40) + Array(1_000..<1_040))
        #expect(try folder.open().head.version == 80)
        #expect(try folder.logNames() == (0...80).map { LogFileName.commit(version: $0).name })
    }

    @Test("of two writers that race for the same batches one adds each")
    func sameBatchRace() throws {
        _ = try folder.create()
        let results = Mutex<[CommitResult]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            do {
                let table = try folder.open()
                for batch in 1...30 as ClosedRange<UInt64> {
                    let result = try folder.append(Int64(batch)..<Int64(batch) + 1, to: table, batch: batch)
                    results.withLock { $0.append(result) }
                }
            } catch {
                Issue.record(error)
            }
        }
        let committed = results.withLock { $0.count { if case .committed = $0 { true } else { false } } }
        #expect(committed == 30)
        #expect(try folder.rows() == Array(1...30))
    }

    @Test("a table overtaken by a clean-up of the log refuses to commit instead of starting a branch")
    func overtaken() throws {
        let behind = try folder.create()
        let table = try folder.open()
        try folder.appendBatches(1...6, to: table)
        try table.writeCheckpoint(now: TestTable.now)
        for version in 0...5 as ClosedRange<Int64> {
            try folder.store.remove("\(TestTable.folder)/\(LogFileName.commit(version: version).path)")
        }
        let error = #expect(throws: DeltaLogError.self) { try folder.append(90..<91, to: behind, batch: 7) }
        #expect(error?.code == .logGap)
        #expect(try folder.rows() == Array(0..<18))
        #expect(try folder.append(18..<19, to: try folder.open(), batch: 7) == .committed(version: 7))
    }
}
