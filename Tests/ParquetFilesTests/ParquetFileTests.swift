import Columnar
import Foundation
import ParquetFiles
import Testing

/// What is written through `ParquetWriter` comes back through `ParquetReader` and `ArrowView`.
@Suite final class ParquetFileTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "parquet-\(UUID().uuidString)"
    )

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Bytes of a file in memory; refuses all after `limit`.
    private final class MemorySink: ParquetSink {
        var bytes: [UInt8] = []
        var limit = Int.max

        func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
            guard self.bytes.count + bytes.count <= limit else { return false }
            self.bytes += bytes
            return true
        }
    }

    private func encode(
        _ schema: [ColumnField],
        _ batches: [RecordBatch],
        storage: [ColumnStorage] = []
    ) throws -> [UInt8] {
        let sink = MemorySink()
        let writer = try ParquetWriter(schema: schema, storage: storage, sink: sink)
        for batch in batches { try writer.write(batch) }
        try writer.finish()
        return sink.bytes
    }

    private func store(_ bytes: [UInt8], as name: String = "a.parquet") throws -> String {
        let file = folder.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// Writes one column and reads each value by `read`.
    private func roundTrip<Value>(
        _ column: Column,
        as type: ColumnType,
        _ read: (ArrowView, Int) -> Value
    ) throws -> [Value] {
        let schema = [ColumnField("c", type)]
        let batch = RecordBatch(schema: schema, columns: [column], rowCount: column.count)
        let reader = try ParquetReader(path: try store(try encode(schema, [batch])))
        #expect(reader.rowCount == column.count)
        return try (0..<reader.rowGroupCount).flatMap { group in
            try reader.withRowGroup(group) { rows in
                let view = try #require(rows.field("c"))
                #expect(rows.count == view.count)
                return (0..<view.count).map { read(view, $0) }
            }
        }
    }

    private static let counts = [0, 1, 7, 8, 9, 63, 64, 65]

    @Test("64-bit integers and timestamps", arguments: counts, [ColumnType.int64, .timestamp])
    func int64(count: Int, type: ColumnType) throws {
        var builder = FixedWidthBuilder<Int64>()
        let values = (0..<count).map { $0 % 3 == 1 ? nil : Int64($0 - 9) * -1_000_000_007_000 }
        for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
        #expect(try roundTrip(builder.finish(as: type), as: type) { $0.int64($1) } == values)
    }

    @Test("32-bit integers and dates", arguments: counts, [ColumnType.int32, .date])
    func int32(count: Int, type: ColumnType) throws {
        var builder = FixedWidthBuilder<Int32>()
        let values = (0..<count).map { $0 % 3 == 2 ? nil : Int32($0 - 9) * -20_000 }
        for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
        #expect(try roundTrip(builder.finish(as: type), as: type) { $0.int32($1) } == values)
    }

    @Test("truth values", arguments: counts)
    func booleans(count: Int) throws {
        let values = (0..<count).map { $0 % 5 == 0 ? nil : $0 % 2 == 0 }
        let column = Column(.boolean, values: values.map { $0.map { .boolean($0) } ?? .null })
        #expect(try roundTrip(column, as: .boolean) { $0.boolean($1) } == values)
    }

    @Test("texts, plain and by dictionary, also of missing values only", arguments: counts, [1, 2, 1_000])
    func texts(count: Int, different: Int) throws {
        var plain = StringBuilder()
        var dictionary = DictionaryBuilder()
        let values = (0..<count).map { $0 % 4 == 0 ? nil : "wört \($0 % different)" }
        for value in values {
            if var value {
                value.withUTF8 {
                    plain.append(UnsafeRawBufferPointer($0))
                    dictionary.append(UnsafeRawBufferPointer($0))
                }
            } else {
                plain.appendNull()
                dictionary.appendNull()
            }
        }
        #expect(try roundTrip(plain.finish(), as: .string) { $0.string($1) } == values)
        #expect(try roundTrip(dictionary.finish(), as: .dictionaryString) { $0.string($1) } == values)
    }

    @Test("maps from a builder with keys by dictionary", arguments: [1, 9, 64])
    func builtMaps(count: Int) throws {
        var builder = MapBuilder()
        let values = (0..<count).map { row in (0..<row % 4).map { (key: "k\($0)", value: "v\(row).\($0)") } }
        for value in values {
            for (key, text) in value {
                var key = key
                var text = text
                key.withUTF8 { key in
                    text.withUTF8 { builder.append(UnsafeRawBufferPointer(key), UnsafeRawBufferPointer($0)) }
                }
            }
            builder.closeMap()
        }
        let read = try roundTrip(builder.finish(), as: .map(key: .string, value: .string)) { $0.pairs($1) }
        #expect(read.map { $0?.map(\.key) } == values.map { $0.map(\.key) })
        #expect(read.map { $0?.map(\.value) } == values.map { $0.map(\.value) })
    }

    @Test("cells of every nested type, missing at every level")
    func nestedCells() throws {
        let inner = ColumnType.structure([ColumnField("n", .int64), ColumnField("t", .string)])
        let type = ColumnType.structure([
            ColumnField("flag", .boolean), ColumnField("inner", inner),
            ColumnField("map", .map(key: .string, value: .string)), ColumnField("list", .list(.string)),
            ColumnField("day", .date),
        ])
        let column = Column(
            type,
            values: [
                .null,
                .structure([.null, .null, .null, .null, .null]),
                .structure([
                    .boolean(true), .structure([.int64(-7), .null]),
                    .map([("a", "1"), ("b", nil), ("", "")]),
                    .list(["x", "", "y"]), .int32(-1),
                ]),
                .structure([
                    .boolean(false), .structure([.null, .string("ü")]), .map([]), .list([]), .int32(20_000),
                ]),
            ]
        )
        let rows = try roundTrip(column, as: type) { view, row in
            let inner = view.field("inner")
            return [
                "\(view.isValid(row))", "\(view.field("flag")?.boolean(row) as Bool?)",
                "\(inner?.isValid(row) as Bool?)", "\(inner?.field("n")?.int64(row) as Int64?)",
                "\(inner?.field("t")?.string(row) as String?)",
                "\(view.field("map")?.pairs(row)?.map { "\($0.key)=\($0.value ?? "null")" } as [String]?)",
                "\(view.field("list")?.strings(row) as [String]?)",
                "\(view.field("day")?.int32(row) as Int32?)",
            ].joined(separator: " ")
        }
        #expect(
            rows == [
                "false nil Optional(false) nil nil nil nil nil",
                "true nil Optional(false) nil nil nil nil nil",
                #"true Optional(true) Optional(true) Optional(-7) nil Optional(["a=1", "b=null", "="]) "#
                    + #"Optional(["x", "", "y"]) Optional(-1)"#,
                #"true Optional(false) Optional(true) nil Optional("ü") Optional([]) Optional([]) Optional(20000)"#,
            ]
        )
    }

    private static let pair = [ColumnField("n", .int64, isNullable: false), ColumnField("t", .string)]

    private func batch(_ numbers: Range<Int64>) -> RecordBatch {
        RecordBatch(
            schema: Self.pair,
            columns: [
                Column(.int64, values: numbers.map { .int64($0) }),
                Column(.string, values: numbers.map { .string("row \($0)") }),
            ],
            rowCount: numbers.count
        )
    }

    private func numbers(_ reader: ParquetReader) throws -> [Int64?] {
        try (0..<reader.rowGroupCount).flatMap { group in
            try reader.withRowGroup(group) { rows in (0..<rows.count).map { rows.field("n")?.int64($0) } }
        }
    }

    @Test("every batch is a row group")
    func rowGroups() throws {
        let reader = try ParquetReader(
            path: try store(try encode(Self.pair, [batch(0..<3), batch(3..<3), batch(3..<8)]))
        )
        #expect(reader.rowGroupCount == 3)
        #expect(reader.rowCount == 8)
        #expect(try numbers(reader) == (0..<8).map { $0 })
    }

    @Test("only the columns asked for are read; unknown ones are passed over")
    func fields() throws {
        let path = try store(try encode(Self.pair, [batch(0..<2)]))
        let reader = try ParquetReader(path: path, fields: ["t", "no such"])
        try reader.withRowGroup(0) { rows in
            #expect(rows.fieldNames == ["t"])
            #expect(rows.field("n") == nil)
            #expect(rows.field("t")?.string(1) == "row 1")
        }
    }

    @Test("a column's storage changes its bytes, not its values")
    func storage() throws {
        let storage = [
            ColumnStorage("n", usesDictionary: false, hasStatistics: false, usesDelta: true),
            ColumnStorage("t", usesDictionary: false),
        ]
        let plain = try encode(Self.pair, [batch(0..<5_000)])
        let delta = try encode(Self.pair, [batch(0..<5_000)], storage: storage)
        #expect(delta.count < plain.count)
        #expect(try numbers(try ParquetReader(path: try store(delta))) == (0..<5_000).map { $0 })
    }

    @Test("rows of other files are appended in order")
    func append() throws {
        let paths = try [batch(0..<4), batch(4..<9)].enumerated().map { index, batch in
            try store(try encode(Self.pair, [batch]), as: "\(index).parquet")
        }
        let sink = MemorySink()
        let writer = try ParquetWriter(schema: Self.pair, storage: [], sink: sink)
        for path in paths { try writer.append(contentsOf: try ParquetReader(path: path)) }
        try writer.finish()
        #expect(try numbers(try ParquetReader(path: try store(sink.bytes))) == (0..<9).map { $0 })
    }

    @Test("a file with other columns is not appended")
    func appendOther() throws {
        let schema = [ColumnField("n", .string)]
        let other = RecordBatch(
            schema: schema,
            columns: [Column(.string, values: [.string("x")])],
            rowCount: 1
        )
        let reader = try ParquetReader(path: try store(try encode(schema, [other])))
        let writer = try ParquetWriter(schema: Self.pair, storage: [], sink: MemorySink())
        let error = #expect(throws: ParquetError.self) { try writer.append(contentsOf: reader) }
        #expect(error?.path == reader.path)
    }

    @Test("a sink that refuses bytes ends the file with an error, wherever it happens")
    func sinkFailure() throws {
        let whole = try encode(Self.pair, [batch(0..<100), batch(100..<200)])
        for limit in stride(from: 0, to: whole.count, by: 97) {
            let sink = MemorySink()
            sink.limit = limit
            let error = #expect(throws: ParquetError.self, "\(limit) of \(whole.count) bytes") {
                let writer = try ParquetWriter(schema: Self.pair, storage: [], sink: sink)
                try writer.write(batch(0..<100))
                try writer.write(batch(100..<200))
                try writer.finish()
            }
            #expect(error?.code == .write)
            #expect(sink.bytes.count <= limit)
        }
    }

    @Test("a writer that goes without being finished writes nothing more")
    func unfinished() throws {
        let sink = MemorySink()
        var count = 0
        do {
            let writer = try ParquetWriter(schema: Self.pair, storage: [], sink: sink)
            try writer.write(batch(0..<10))
            count = sink.bytes.count
        }
        #expect(sink.bytes.count == count)
    }

    @Test("a batch that is not of the file's columns is an error")
    func otherBatch() throws {
        let writer = try ParquetWriter(schema: Self.pair, storage: [], sink: MemorySink())
        let schema = [ColumnField("n", .string), ColumnField("t", .string)]
        let columns = [Column(.string, values: [.string("1")]), Column(.string, values: [.string("2")])]
        #expect(throws: ParquetError.self) {
            try writer.write(RecordBatch(schema: schema, columns: columns, rowCount: 1))
            try writer.finish()
        }
    }

    @Test("a missing, empty, torn or foreign file is an error that names it")
    func unreadable() throws {
        let whole = try encode(Self.pair, [batch(0..<10)])
        let contents: [[UInt8]?] = [
            nil, [], Array(whole.dropLast()), Array(whole.prefix(20)), Array("PAR1 no PAR1".utf8),
        ]
        for (index, bytes) in contents.enumerated() {
            let name = "bad \(index).parquet"
            let path = try bytes.map { try store($0, as: name) } ?? folder.appendingPathComponent(name).path
            let error = #expect(throws: ParquetError.self) { try ParquetReader(path: path) }
            #expect(error?.code == .read)
            #expect(error?.description.contains(path) == true)
        }
    }

    @Test("a row group that the file does not have is an error")
    func noSuchRowGroup() throws {
        let reader = try ParquetReader(path: try store(try encode(Self.pair, [batch(0..<1)])))
        for group in [-1, 1, 100] {
            #expect(throws: ParquetError.self) { try reader.withRowGroup(group) { _ in } }
        }
    }
}
