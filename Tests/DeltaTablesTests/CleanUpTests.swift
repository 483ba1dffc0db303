import DeltaLog
import DeltaTables
import ObjectStorage
import Testing

/// Commit files have the age of their version in days; times are given, not taken.
@Suite struct CleanUpTests {
    private let folder = TestTable()

    /// Versions 0 to 10 of which each is a day younger than the one before, version 10 of this day; checkpoints at 4 and 8.
    private func makeTable(retention: String) throws -> DeltaTable {
        let table = try folder.create(configuration: ["delta.logRetentionDuration": retention])
        for batch in 1...10 as ClosedRange<UInt64> {
            try folder.appendBatches(batch...batch, to: table)
            if batch % 4 == 0 { try table.writeCheckpoint(now: TestTable.now) }
        }
        for name in try folder.logNames() {
            guard let version = LogFileName(name)?.version else { continue }
            try folder.setModified(name, milliseconds: TestTable.now - (10 - version) * TestTable.day)
        }
        return table
    }

    private func versions() throws -> [Int64] {
        try folder.logNames().compactMap { name in
            if case .commit(let version) = LogFileName(name) { version } else { nil }
        }
    }

    private func checkpoints() throws -> [Int64] {
        try folder.logNames().compactMap { name in
            if case .checkpoint(let version) = LogFileName(name) { version } else { nil }
        }
    }

    @Test(
        "what is older than the retention goes, back to the checkpoint that the oldest kept version needs",
        arguments: [
            ("interval 1 days", [8, 9, 10], [8]), ("interval 2 days", [8, 9, 10], [8]),
            ("interval 3 days", [4, 5, 6, 7, 8, 9, 10], [4, 8]), ("interval 7 days", Array(0...10), [4, 8]),
            ("interval 30 days", Array(0...10), [4, 8]),
        ] as [(String, [Int64], [Int64])]
    )
    func retention(retention: String, commits: [Int64], checkpoints: [Int64]) throws {
        let table = try makeTable(retention: retention)
        try table.cleanLog(now: TestTable.now)
        #expect(try versions() == commits)
        #expect(try self.checkpoints() == checkpoints)
        #expect(try folder.rows() == Array(0..<30))
        #expect(try folder.append(30..<31, to: try folder.open(), batch: 11) == .committed(version: 11))
    }

    @Test("a clean-up at any hour of a day decides as at its midnight")
    func midnight() throws {
        let table = try makeTable(retention: "interval 3 days")
        try table.cleanLog(now: TestTable.now + TestTable.day - 1)
        #expect(try versions() == Array(4...10))
        try table.cleanLog(now: TestTable.now + TestTable.day)
        #expect(try versions() == Array(8...10))
    }

    @Test("without a checkpoint nothing goes")
    func noCheckpoint() throws {
        let table = try folder.create(configuration: ["delta.logRetentionDuration": "interval 1 days"])
        try folder.appendBatches(1...3, to: table)
        for name in try folder.logNames() { try folder.setModified(name, milliseconds: 0) }
        try table.cleanLog(now: TestTable.now)
        #expect(try versions() == [0, 1, 2, 3])
    }

    @Test("temporary files of killed attempts go after a day")
    func temporaryFiles() throws {
        let table = try folder.create()
        for name in [".1.json.a.tmp", ".2.json.b.tmp"] {
            _ = try folder.store.putIfAbsent("\(TestTable.folder)/_delta_log/\(name)", [1])
        }
        try folder.setModified(".1.json.a.tmp", milliseconds: TestTable.now - TestTable.day - 1)
        try folder.setModified(".2.json.b.tmp", milliseconds: TestTable.now - TestTable.day)
        try table.cleanLog(now: TestTable.now)
        #expect(try folder.logNames() == [".2.json.b.tmp", LogFileName.commit(version: 0).name])
    }

    @Test("a retention that cannot be read deletes nothing")
    func unreadable() throws {
        let table = try folder.create(configuration: ["delta.logRetentionDuration": "interval 1 month"])
        try folder.appendBatches(1...3, to: table)
        let error = #expect(throws: DeltaLogError.self) { try table.cleanLog(now: TestTable.now) }
        #expect(error?.code == .malformedProperty)
        #expect(try versions() == [0, 1, 2, 3])
    }
}
