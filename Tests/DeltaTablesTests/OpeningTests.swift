import DeltaLog
import DeltaTables
import Foundation
import ObjectStorage
import Testing

/// A table opens at its newest version whatever is left of hint, checkpoints and old commits.
@Suite struct OpeningTests {
    private let folder = TestTable()

    /// A table of 12 batches with checkpoints at versions 5 and 10; version and file count need no merge.
    private func makeTable() throws -> Snapshot {
        let table = try folder.create()
        for batch in 1...12 as ClosedRange<UInt64> {
            try folder.appendBatches(batch...batch, to: table)
            try table.maintain(storage: [], interval: 5, now: TestTable.now)
        }
        return try table.snapshot()
    }

    private func write(_ text: String, _ name: String) throws {
        try folder.store.replace("\(TestTable.folder)/_delta_log/\(name)", Array(text.utf8))
    }

    private func remove(_ names: [LogFileName]) throws {
        for name in names { try folder.store.remove("\(TestTable.folder)/\(name.path)") }
    }

    private func expectWhole(_ expected: Snapshot) throws {
        let table = try folder.open()
        #expect(table.head == expected.head)
        // A checkpoint does not say whether a file's rows were new once.
        let files = try table.snapshot().files.mapValues { file in
            var file = file
            file.dataChange = true
            return file
        }
        #expect(files == expected.files)
        #expect(try folder.rows() == Array(0..<36))
    }

    @Test("a checkpoint is written every interval, and the hint names the newest")
    func interval() throws {
        _ = try makeTable()
        let checkpoints = try folder.logNames().filter { $0.hasSuffix(".checkpoint.parquet") }
        #expect(checkpoints == [5, 10].map { LogFileName.checkpoint(version: $0).name })
        let bytes = try #require(
            try folder.store.read("\(TestTable.folder)/\(LogFileName.lastCheckpoint.path)")
        )
        let hint = try LastCheckpoint(decoding: bytes)
        #expect(hint.version == 10)
        #expect(hint.numOfAddFiles == 10)
        #expect(
            hint.sizeInBytes
                == Int64(try Data(contentsOf: URL(filePath: folder.logPath(checkpoints[1]))).count)
        )
        #expect(try folder.logNames().allSatisfy { !$0.hasSuffix(".tmp") })
    }

    @Test("checkpoint and commits lead to the same state as all commits")
    func sameState() throws {
        let expected = try makeTable()
        try expectWhole(expected)
        try remove([.lastCheckpoint, .checkpoint(version: 5), .checkpoint(version: 10)])
        try expectWhole(expected)
    }

    @Test(
        "a hint that is old, wrong, broken or empty changes nothing",
        arguments: [
            #"{"version":5,"size":9}"#, #"{"version":7,"size":9}"#, #"{"version":999,"size":9}"#,
            #"{"version":10,"size":9,"parts":2}"#, #"{"version":-1,"size":0}"#, "{", "", "null", "[]",
            "\u{0}\u{1}",
        ]
    )
    func hints(hint: String) throws {
        let expected = try makeTable()
        try write(hint, "_last_checkpoint")
        try expectWhole(expected)
    }

    @Test(
        "commits before the newest checkpoint are not needed, with or without the hint",
        arguments: [true, false]
    )
    func cleaned(hasHint: Bool) throws {
        let expected = try makeTable()
        try remove((0..<10).map { .commit(version: $0) } + [.checkpoint(version: 5)])
        if !hasHint { try remove([.lastCheckpoint]) }
        try expectWhole(expected)
    }

    @Test("a hint at an old checkpoint whose commits were cleaned up does not hide the newer versions")
    func staleHintAndCleaned() throws {
        let expected = try makeTable()
        try remove((0..<10).map { .commit(version: $0) })
        try write(#"{"version":5,"size":9}"#, "_last_checkpoint")
        try expectWhole(expected)
    }

    @Test("a missing commit is an error, never an older table")
    func gap() throws {
        _ = try makeTable()
        try remove([.lastCheckpoint, .checkpoint(version: 5), .checkpoint(version: 10), .commit(version: 7)])
        let error = #expect(throws: DeltaLogError.self) { try folder.open() }
        #expect(error?.code == .logGap)
    }

    @Test("an open table sees what others commit when it is refreshed")
    func refresh() throws {
        let table = try folder.create()
        let reader = try folder.open()
        #expect(try reader.snapshot().files.isEmpty)
        try folder.appendBatches(1...3, to: table)
        try reader.refresh()
        #expect(reader.head == table.head)
        #expect(try reader.snapshot().files == table.snapshot().files)
    }

    @Test("a checkpoint at a version that has one leaves it as it is")
    func checkpointTwice() throws {
        let table = try folder.create()
        try folder.appendBatches(1...2, to: table)
        try table.writeCheckpoint(now: TestTable.now)
        let path = folder.logPath(LogFileName.checkpoint(version: 2).name)
        let first = try Data(contentsOf: URL(filePath: path))
        try folder.open().writeCheckpoint(now: TestTable.now + 1)
        #expect(try Data(contentsOf: URL(filePath: path)) == first)
        #expect(try folder.rows() == Array(0..<6))
    }
}
