import Columnar
import DeltaLog
import DeltaTables
import Foundation
import ObjectStorage
import Testing

@Suite struct DataFileWriterTests {
    private let folder = TestTable()

    private func write(_ schema: [ColumnField], _ batches: [[Column]]) throws -> AddFile {
        let writer = try DataFileWriter(
            store: folder.store,
            table: TestTable.folder,
            schema: schema,
            storage: [],
            partitionValues: []
        )
        for columns in batches {
            try writer.write(
                RecordBatch(schema: schema, columns: columns, rowCount: columns.first?.count ?? 0)
            )
        }
        return try writer.finish(now: TestTable.now)
    }

    /// The statistics of a file with one column, a row group for each list of values.
    private func statistics(_ type: ColumnType, _ groups: [[CellValue]]) throws -> String? {
        try write([ColumnField("c", type)], groups.map { [Column(type, values: $0)] }).stats
    }

    private func expected(_ rows: Int, _ minimum: String?, _ maximum: String?, nulls: Int) -> String {
        let low = minimum.map { #""c":\#($0)"# } ?? ""
        let high = maximum.map { #""c":\#($0)"# } ?? ""
        return
            #"{"numRecords":\#(rows),"minValues":{\#(low)},"maxValues":{\#(high)},"nullCount":{"c":\#(nulls)}}"#
    }

    @Test("integers: bounds and missing values over all row groups")
    func integers() throws {
        let long = try statistics(.int64, [[.int64(5), .null], [.int64(-7)], [.null]])
        #expect(long == expected(4, "-7", "5", nulls: 2))
        #expect(
            try statistics(.int32, [[.int32(.min), .int32(.max)]])
                == expected(2, "-2147483648", "2147483647", nulls: 0)
        )
        let extremes = try statistics(.int64, [[.int64(.min), .int64(.max)]])
        #expect(extremes == expected(2, "\(Int64.min)", "\(Int64.max)", nulls: 0))
    }

    @Test("timestamps before and after 1970, rounded outwards to milliseconds")
    func timestamps() throws {
        let after = try statistics(.timestamp, [[.int64(1_769_904_000_000_001)]])
        #expect(
            after == expected(1, #""2026-02-01T00:00:00.000Z""#, #""2026-02-01T00:00:00.001Z""#, nulls: 0)
        )
        let before = try statistics(.timestamp, [[.int64(-1), .null], [.int64(-86_400_000_001)]])
        #expect(
            before == expected(3, #""1969-12-30T23:59:59.999Z""#, #""1970-01-01T00:00:00.000Z""#, nulls: 1)
        )
    }

    @Test("days before and after 1970 are dates, not numbers")
    func dates() throws {
        let stats = try statistics(.date, [[.int32(-1)], [.int32(20_485), .null]])
        #expect(stats == expected(3, #""1969-12-31""#, #""2026-02-01""#, nulls: 1))
    }

    @Test("texts, cut to 32 characters with the greatest rounded up")
    func strings() throws {
        let stats = try statistics(.string, [[.string("b"), .null], [.string("é"), .string("")]])
        #expect(stats == expected(4, #""""#, #""é""#, nulls: 1))
        let long = try statistics(.string, [[.string(String(repeating: "z", count: 40))]])
        let prefix = String(repeating: "z", count: 31)
        #expect(long == expected(1, #""\#(prefix)z""#, #""\#(prefix){""#, nulls: 0))
    }

    @Test("texts by dictionary have the same statistics as plain ones")
    func dictionary() throws {
        var builder = DictionaryBuilder()
        for text in ["b", "a", "b", "a", "c", "c"] as [StaticString] {
            builder.append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
        builder.appendNull()
        let file = try write([ColumnField("c", .dictionaryString)], [[builder.finish()]])
        #expect(file.stats == expected(7, #""a""#, #""c""#, nulls: 1))
    }

    @Test(
        "columns of missing values only have no bounds",
        arguments: [ColumnType.int64, .int32, .date, .timestamp, .string]
    )
    func onlyNulls(type: ColumnType) throws {
        #expect(try statistics(type, [[.null, .null], [.null]]) == expected(3, nil, nil, nulls: 3))
    }

    @Test("truth values, maps and lists have a count of missing values and no bounds")
    func withoutBounds() throws {
        #expect(try statistics(.boolean, [[.boolean(true), .null]]) == expected(2, nil, nil, nulls: 1))
        let map = ColumnType.map(key: .string, value: .string)
        #expect(try statistics(map, [[.map([("k", "v")])], [.null]]) == expected(2, nil, nil, nulls: 1))
        #expect(try statistics(.list(.string), [[.list(["a"]), .null]]) == expected(2, nil, nil, nulls: 1))
    }

    @Test("a structure has no statistics of its own: readers expect those of its fields in its place")
    func structures() throws {
        let type = ColumnType.structure([ColumnField("n", .int64)])
        let stats = try statistics(type, [[.structure([.int64(1)]), .null]])
        #expect(stats == #"{"numRecords":2,"minValues":{},"maxValues":{},"nullCount":{}}"#)
    }

    @Test("a file without rows counts none")
    func noRows() throws {
        #expect(try statistics(.int64, []) == expected(0, nil, nil, nulls: 0))
    }

    @Test("a finished file lies in its partition with its size and rows")
    func finished() throws {
        let file = try folder.file(0..<5, date: "2026-02-03")
        #expect(file.path.decoded.hasPrefix("date=2026-02-03/part-"))
        #expect(file.partitionValues == ["date": "2026-02-03"])
        #expect(file.dataChange)
        #expect(file.modificationTime == TestTable.now)
        let path = folder.store.path("\(TestTable.folder)/\(file.path.decoded)")
        #expect(try Data(contentsOf: URL(filePath: path)).count == Int(file.size))
        #expect(try folder.numbers(in: path) == Array(0..<5))
    }

    @Test("a file that is given up is gone, however much was written")
    func abandoned() throws {
        let column = Column(.int64, values: (0..<1_000).map { .int64($0) })
        let schema = [ColumnField("n", .int64)]
        for batches in 0..<3 {
            let writer = try DataFileWriter(
                store: folder.store,
                table: TestTable.folder,
                schema: schema,
                storage: [],
                partitionValues: []
            )
            for _ in 0..<batches {
                try writer.write(RecordBatch(schema: schema, columns: [column], rowCount: 1_000))
            }
            writer.abandon()
        }
        #expect(try folder.dataFiles().isEmpty)
    }

    @Test("a full disk surfaces as the store's error and leaves no file")
    func fullDisk() throws {
        let column = Column(.int64, values: (0..<1_000).map { .int64($0) })
        let schema = [ColumnField("n", .int64)]
        func write(_ disk: FaultyDisk) throws {
            let writer = try DataFileWriter(
                store: folder.through(disk),
                table: TestTable.folder,
                schema: schema,
                storage: [],
                partitionValues: [("date", "2026-02-01")]
            )
            do {
                try writer.write(RecordBatch(schema: schema, columns: [column], rowCount: 1_000))
                _ = try writer.finish(now: TestTable.now)
            } catch {
                writer.abandon()
                throw error
            }
        }
        // The first run makes the folders, the second counts the calls of all that follow.
        try write(FaultyDisk(failing: nil))
        let whole = FaultyDisk(failing: nil)
        try write(whole)
        let first = try folder.dataFiles()
        for number in whole.calls.indices {
            let disk = FaultyDisk(failing: number)
            let error = #expect(throws: StorageError.self) { try write(disk) }
            #expect(error?.code == .noSpace, "\(whole.calls[number])")
            #expect(try folder.dataFiles() == first, "\(whole.calls[number])")
        }
    }
}
