import DeltaLog
import DeltaTables
import Testing

@Suite struct TableChangeTests {
    private let folder = TestTable()

    @Test("a commit of a batch names its shard, its number and its files")
    func batches() throws {
        let table = try folder.create()
        try folder.appendBatches(1...2, to: table)
        let creation = try #require(try table.change(at: 0))
        #expect(creation.batch == nil && creation.added.isEmpty && !creation.removesRows)
        let second = try #require(try table.change(at: 2))
        #expect(second.batch?.appID == TestTable.appID)
        #expect(second.batch?.number == 2)
        #expect(second.added.count == 1)
        #expect(!second.removesRows)
        #expect(try second.added.allSatisfy { try table.holds($0.path) })
    }

    @Test("a merge of files brings no rows and takes none away")
    func merges() throws {
        let table = try folder.create()
        try folder.appendBatches(1...30, to: table)
        try table.maintain(storage: [], interval: 1, fileLimit: 10, now: TestTable.now)
        let merge = try #require(try table.change(at: 31))
        #expect(merge.added.isEmpty && !merge.removesRows && merge.batch == nil)
    }

    @Test("a commit that the log does not hold, and a file that is gone")
    func gone() throws {
        let table = try folder.create()
        try folder.appendBatches(1...1, to: table)
        #expect(try table.change(at: 2) == nil)
        #expect(try !table.holds(DataFilePath("date=2026-01-01/none.parquet")))
    }
}
