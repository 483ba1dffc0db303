import Columnar
import DeltaLog
import ParquetFiles
import Testing

@testable import Warehouse

@Suite struct StagedRowsTests {
    private static func column(_ name: String, _ type: DataType, isPartition: Bool = false) -> TargetColumn {
        TargetColumn(lakeName: name, name: name, type: type, isNullable: true, isPartition: isPartition)
    }

    private func texts(_ column: Column) -> [String?] {
        let offsets = column.buffers[0].bytes.bindMemory(to: Int32.self)
        return (0..<column.count).map { row in
            let isThere = column.validity.map { $0.bytes[row / 8] >> UInt8(row % 8) & 1 == 1 } ?? true
            let range = Int(offsets[row])..<Int(offsets[row + 1])
            return isThere ? String(decoding: column.buffers[1].bytes[range], as: UTF8.self) : nil
        }
    }

    @Test("a text that is too long is cut between characters, with the hash of the whole beside it")
    func cutTexts() throws {
        let whole = "x" + String(repeating: "é", count: 40_000)
        let rows = RowGroup(
            ("a", .string, [.string("short"), .string(whole), .null]),
            ("b", .string, [.string(String(repeating: "y", count: 65_535)), .string("\0"), .string(whole)])
        )
        var staged = StagedRows([Self.column("a", .string), Self.column("b", .string)])
        let batch = try rows.read { try staged.batch(of: $0, partition: [:], file: "f") }
        // 1 and 32,767 characters of two bytes.
        let cut = String(whole.prefix(32_768))
        #expect(texts(batch.columns[0]) == ["short", cut, nil])
        #expect(texts(batch.columns[1]) == [String(repeating: "y", count: 65_535), "\u{FFFD}", cut])
        // By Python's hashlib.
        let hash = "9a130bcfd3f385405196ffc33ce1f3fc1ecd9ae4a5945f07b65f570fa0560d7c"
        #expect(texts(batch.columns[2]) == [nil, "{\"a\":\"\(hash)\"}", "{\"b\":\"\(hash)\"}"])
        #expect(staged.cutCount == 2)
        #expect(staged.replacedCount == 1)
    }

    @Test("a nested value that is too long becomes an object with its beginning")
    func cutJSON() throws {
        let quotes = String(repeating: "\"", count: 60_000)
        let map = ColumnType.map(key: .string, value: .string)
        let rows = RowGroup(("m", map, [.map([("k", quotes)]), .map([("k", "v")])]))
        let type = DataType.map(key: .string, value: .string, valueContainsNull: true)
        var staged = StagedRows([Self.column("m", type)])
        let batch = try rows.read { try staged.batch(of: $0, partition: [:], file: "f") }
        let found = texts(batch.columns[0])
        #expect(found[1] == "{\"k\":\"v\"}")
        let first = try #require(found[0])
        #expect(first.utf8.count <= 65_535)
        #expect(first.hasPrefix("{\"auditlake_cut\":\"{\\\"k\\\":\\\"\\\\\\\""))
        #expect(first.hasSuffix("\"}"))
        #expect(staged.cutCount == 1)
    }

    @Test("columns come in the target's order, with partition values and row numbers")
    func order() throws {
        let rows = RowGroup(("n", .int64, [.int64(5), .null]), ("t", .string, [.string("x"), .string("y")]))
        var staged = StagedRows([
            Self.column("date", .date, isPartition: true), Self.column("t", .string),
            Self.column("late", .timestamp),
            Self.column("n", .long),
        ])
        #expect(staged.schema.map(\.name) == ["date", "t", "late", "n", "auditlake_cut", "auditlake_row"])
        let batch = try rows.read { try staged.batch(of: $0, partition: ["date": "1970-01-03"], file: "f") }
        #expect(batch.columns[0].buffers[0].bytes.bindMemory(to: Int32.self).map { $0 } == [2, 2])
        #expect(texts(batch.columns[1]) == ["x", "y"])
        #expect(batch.columns[2].nullCount == 2)
        #expect(batch.columns[3].nullCount == 1)
        #expect(batch.columns[5].buffers[0].bytes.bindMemory(to: Int64.self).map { $0 } == [0, 1])
        let next = try rows.read { try staged.batch(of: $0, partition: [:], file: "f") }
        #expect(next.columns[5].buffers[0].bytes.bindMemory(to: Int64.self).map { $0 } == [2, 3])
        #expect(next.columns[0].nullCount == 2)
    }
}
