import DeltaLog
import DeltaTables
import Foundation
import ObjectStorage
import Synchronization
import Testing

@Suite struct CompactionTests {
    private let folder = TestTable()

    /// A table of so many batches of three rows, spread over two days.
    private func makeTable(batches: UInt64) throws -> DeltaTable {
        let table = try folder.create()
        try folder.appendBatches(1...batches, to: table)
        return table
    }

    private func merge(_ table: DeltaTable, fileLimit: Int = 10) throws {
        try table.maintain(storage: [], interval: 1, fileLimit: fileLimit, now: TestTable.now)
    }

    private func merges() throws -> [Commit] {
        let newest = try folder.open().head.version
        return try (0...newest).map { try folder.commit($0) }.filter { $0.info?.operation == "OPTIMIZE" }
    }

    @Test("a table of many commits keeps at most the limit of live files and all its rows")
    func manyCommits() throws {
        let table = try folder.create()
        for batch in 1...60 as ClosedRange<UInt64> {
            try folder.appendBatches(batch...batch, to: table)
            try table.maintain(storage: [], interval: 5, fileLimit: 10, now: TestTable.now)
            // Between two checkpoints five files may come on top.
            #expect(try table.snapshot().files.count <= 15)
        }
        try merge(table)
        #expect(try table.snapshot().files.count <= 10)
        #expect(try folder.rows() == Array(0..<180))
        #expect(try folder.dataFiles() == folder.knownFiles())
    }

    @Test("nothing is merged up to the limit")
    func withinLimit() throws {
        let table = try makeTable(batches: 10)
        try merge(table)
        #expect(try merges().isEmpty)
        #expect(table.head.version == 10)
    }

    @Test("a merge is one commit that changes no data, replaces whole files and keeps partitions apart")
    func oneCommit() throws {
        let table = try makeTable(batches: 30)
        let before = try table.snapshot().files
        try merge(table)
        let merges = try merges()
        #expect(merges.map(\.version) == [31])
        var removed: Set<DataFilePath> = []
        for action in merges[0].actions {
            switch action {
            case .remove(let file):
                removed.insert(file.path)
                #expect(!file.dataChange)
                #expect(before[file.path] != nil)
            case .add(let file):
                #expect(!file.dataChange)
                let day = try #require(file.partitionValues["date"] ?? nil)
                #expect(file.path.decoded.hasPrefix("date=\(day)/"))
                let numbers = try folder.numbers(in: table.path(of: file.path))
                #expect(numbers.allSatisfy { day == "2026-02-0\(1 + ($0 / 3 + 1) % 2)" })
            default: continue
            }
        }
        #expect(!removed.isEmpty)
        #expect(merges[0].info?.isBlindAppend == false)
        #expect(try folder.rows() == Array(0..<90))
    }

    @Test("statistics of a merged file are those of its rows")
    func statistics() throws {
        let table = try makeTable(batches: 30)
        try merge(table)
        for case .add(let file) in try merges().flatMap(\.actions) {
            let numbers = try folder.numbers(in: table.path(of: file.path))
            let texts = numbers.filter { $0 % 10 != 0 }.map { "row \($0)" }
            let low = try #require(numbers.min())
            let high = try #require(numbers.max())
            let expected: [String: Any] = [
                "numRecords": numbers.count, "nullCount": ["n": 0, "t": numbers.count - texts.count],
                "minValues": ["n": low, "t": try #require(texts.min())] as [String: Any],
                "maxValues": ["n": high, "t": try #require(texts.max())] as [String: Any],
            ]
            let found = try JSONSerialization.jsonObject(with: Data(try #require(file.stats).utf8))
            #expect(found as? NSDictionary == expected as NSDictionary)
        }
    }

    @Test("of two merges at once one gives up cleanly: rows stay, its files go")
    func twoMerges() throws {
        let table = try makeTable(batches: 30)
        let hasRun = Mutex(false)
        table.observer = { [folder] stage in
            guard stage == .commit, hasRun.withLock({ $0.exchange(true) }) == false else { return }
            do {
                let other = try folder.open()
                try other.maintain(storage: [], interval: 1, fileLimit: 10, now: TestTable.now)
            } catch {
                Issue.record(error)
            }
        }
        try merge(table)
        #expect(hasRun.withLock { $0 })
        #expect(try merges().map(\.version) == [31])
        #expect(table.head.version == 31)
        #expect(try folder.rows() == Array(0..<90))
        #expect(try folder.dataFiles() == folder.knownFiles())
    }

    @Test("an append that comes between merging and its commit stays")
    func appendBetween() throws {
        let table = try makeTable(batches: 30)
        let hasRun = Mutex(false)
        table.observer = { [folder] stage in
            guard stage == .commit, hasRun.withLock({ $0.exchange(true) }) == false else { return }
            do {
                try folder.appendBatches(31...31, to: try folder.open())
            } catch {
                Issue.record(error)
            }
        }
        try merge(table)
        #expect(try merges().map(\.version) == [32])
        #expect(try folder.rows() == Array(0..<93))
    }

    @Test(
        "whichever call fails during a merge, rows stay readable and no file is left that the log does not know"
    )
    func failures() throws {
        let whole = FaultyDisk(failing: nil)
        _ = try makeTable(batches: 12)
        let files = try folder.open().snapshot().files.count
        // Counts the calls on a copy of the table's folder.
        let copy = TestTable()
        try FileManager.default.copyItem(atPath: folder.store.root, toPath: copy.store.root)
        try merge(try copy.open(copy.through(whole)))
        #expect(whole.calls.count > 20)
        for number in whole.calls.indices {
            let copy = TestTable()
            try FileManager.default.copyItem(atPath: folder.store.root, toPath: copy.store.root)
            let table = try copy.open(copy.through(FaultyDisk(failing: number)))
            #expect(throws: StorageError.self, "call \(number)") { try merge(table) }
            #expect(try copy.rows() == Array(0..<36), "\(whole.calls[number])")
            #expect(try copy.dataFiles() == copy.knownFiles(), "\(whole.calls[number])")
            // The next attempt, without a fault, ends the work.
            try merge(try copy.open())
            #expect(try copy.open().snapshot().files.count < files)
            #expect(try copy.rows() == Array(0..<36))
        }
    }
}

extension Bool {
    /// Sets a new value and returns the old one.
    fileprivate mutating func exchange(_ value: Bool) -> Bool {
        defer { self = value }
        return self
    }
}
