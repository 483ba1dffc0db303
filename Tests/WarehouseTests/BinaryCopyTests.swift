import Columnar
import ParquetFiles
import Testing

@testable import Warehouse

/// The bytes of a COPY, by PostgreSQL's documentation of COPY, "Binary Format", and its types' receive functions.
@Suite struct BinaryCopyTests {
    private static let header: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]
    private static let trailer: [UInt8] = [0xFF, 0xFF]
    private static let missing: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]

    private func encode(
        _ columns: [WireColumn],
        _ rows: RowGroup,
        hasOrder: Bool = false,
        partition: [String: String?] = [:]
    ) throws -> (bytes: [UInt8], replaced: Int) {
        var bytes: [UInt8] = []
        var encoder = BinaryCopyEncoder(columns, hasOrder: hasOrder)
        try encoder.setPartition(partition, of: "a file")
        encoder.begin()
        try rows.read { view in try encoder.encode(view, of: "a file") { bytes += $0 } }
        encoder.end { bytes += $0 }
        return (bytes, encoder.replacedCount)
    }

    /// The fields of rows of one column, without header, trailer and counts.
    private func fields(_ type: WireType, _ column: ColumnType, _ values: [CellValue]) throws -> [[UInt8]] {
        let (bytes, _) = try encode([WireColumn("c", type)], RowGroup(("c", column, values)))
        #expect(bytes.starts(with: Self.header))
        #expect(bytes.suffix(2) == Self.trailer)
        var rest = bytes.dropFirst(Self.header.count).dropLast(2)
        var found: [[UInt8]] = []
        while !rest.isEmpty {
            #expect(rest.prefix(2) == [0, 1])
            rest = rest.dropFirst(2)
            let size = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let count = size == 0xFFFF_FFFF ? 4 : 4 + size
            found.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return found
    }

    @Test("a stream of two rows, byte by byte")
    func wholeStream() throws {
        let rows = RowGroup(
            ("n", .int64, [.int64(258), .null]),
            ("t", .string, [.string("é"), .string("")])
        )
        let columns = [WireColumn("t", .text), WireColumn("n", .int8), WireColumn("later", .text)]
        let first: [UInt8] =
            [0, 3] + [0, 0, 0, 2, 0xC3, 0xA9] + [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2] + Self.missing
        let second: [UInt8] = [0, 3] + [0, 0, 0, 0] + Self.missing + Self.missing
        #expect(try encode(columns, rows).bytes == Self.header + first + second + Self.trailer)
    }

    @Test("numbers and truth values")
    func numbers() throws {
        let minus = [UInt8](repeating: 0xFF, count: 8)
        #expect(try fields(.int8, .int64, [.int64(-1), .null]) == [[0, 0, 0, 8] + minus, Self.missing])
        #expect(try fields(.int4, .int32, [.int32(.min)]) == [[0, 0, 0, 4, 0x80, 0, 0, 0]])
        let flags = try fields(.boolean, .boolean, [.boolean(true), .boolean(false), .null])
        #expect(flags == [[0, 0, 0, 1, 1], [0, 0, 0, 1, 0], Self.missing])
    }

    @Test("times and days count from 2000-01-01; those that PostgreSQL lacks are infinite")
    func times() throws {
        let values: [CellValue] = [
            .int64(946_684_800_000_001), .int64(946_684_799_999_999), .int64(.max), .int64(.min),
            .int64(-210_866_803_200_000_000), .int64(-210_866_803_200_000_001),
        ]
        let found = try fields(.timestamp, .timestamp, values).map {
            $0.dropFirst(4).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        }
        #expect(
            found.map { Int64(bitPattern: $0) }
                == [1, -1, 9_222_425_352_054_775_807, .min, -211_813_488_000_000_000, .min]
        )
        let days = try fields(.date, .date, [.int32(10_957), .int32(0), .int32(.max), .int32(.min)])
        #expect(
            days == [
                [0, 0, 0, 4, 0, 0, 0, 0], [0, 0, 0, 4, 0xFF, 0xFF, 0xD5, 0x33],
                [0, 0, 0, 4, 0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 4, 0x80, 0, 0, 0],
            ]
        )
    }

    @Test("a NUL becomes U+FFFD and is counted, its neighbours stay")
    func zeros() throws {
        let rows = RowGroup(("c", .string, [.string("a\0b"), .string("plain"), .string("\0\0")]))
        let (bytes, replaced) = try encode([WireColumn("c", .text)], rows)
        #expect(replaced == 3)
        let texts: [UInt8] =
            [0, 1, 0, 0, 0, 5, 0x61, 0xEF, 0xBF, 0xBD, 0x62] + [0, 1, 0, 0, 0, 5] + Array("plain".utf8)
            + [0, 1, 0, 0, 0, 6, 0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD]
        #expect(bytes == Self.header + texts + Self.trailer)
    }

    @Test("maps and structures are JSON, behind a version byte in jsonb")
    func json() throws {
        let map = ColumnType.map(key: .string, value: .string)
        let values: [CellValue] = [
            .map([("a", "1"), ("q\"\\\n\u{1}", nil)]), .map([]), .null, .map([("z", "\0é")]),
        ]
        let texts = ["{\"a\":\"1\",\"q\\\"\\\\\\n\\u0001\":null}", "{}", nil, "{\"z\":\"\u{FFFD}é\"}"]
        let json = try fields(.json, map, values)
        #expect(
            json.map { $0 == Self.missing ? nil : String(decoding: $0.dropFirst(4), as: UTF8.self) } == texts
        )
        let jsonb = try fields(.jsonb, map, values)
        #expect(jsonb[1] == [0, 0, 0, 3, 1, 0x7B, 0x7D])

        let structure = ColumnType.structure([
            ColumnField("statusCode", .int64), ColumnField("text", .string), ColumnField("flag", .boolean),
        ])
        let rows: [CellValue] = [
            .structure([.int64(200), .null, .boolean(true)]), .structure([.null, .null, .null]), .null,
            .structure([.int64(-1), .string("x"), .null]),
        ]
        let found = try fields(.json, structure, rows)
        let wanted = ["{\"statusCode\":200,\"flag\":true}", "{}", nil, "{\"statusCode\":-1,\"text\":\"x\"}"]
        #expect(
            found.map { $0 == Self.missing ? nil : String(decoding: $0.dropFirst(4), as: UTF8.self) }
                == wanted
        )
    }

    @Test("the values of a file's name, and the number of each row")
    func partitions() throws {
        let rows = RowGroup(("c", .string, [.string("x"), .string("y")]))
        let columns = [
            WireColumn("date", .date, isPartition: true), WireColumn("c", .text),
            WireColumn("none", .text, isPartition: true),
        ]
        let (bytes, _) = try encode(columns, rows, hasOrder: true, partition: ["date": "2000-01-02"])
        func row(_ letter: UInt8, _ number: UInt8) -> [UInt8] {
            [0, 4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, letter] + Self.missing
                + [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, number]
        }
        #expect(bytes == Self.header + row(0x78, 0) + row(0x79, 1) + Self.trailer)
        var encoder = BinaryCopyEncoder(columns)
        #expect(throws: WarehouseError.self) { try encoder.setPartition(["date": "x"], of: "f") }
    }

    @Test("many rows come in pieces of bounded size")
    func pieces() throws {
        let text = String(repeating: "x", count: 10_000)
        let rows = RowGroup(("c", .string, (0..<500).map { _ in .string(text) }))
        var encoder = BinaryCopyEncoder([WireColumn("c", .text)])
        var sizes: [Int] = []
        try rows.read { view in try encoder.encode(view, of: "f") { sizes.append($0.count) } }
        encoder.end { sizes.append($0.count) }
        #expect(sizes.count > 8)
        #expect(sizes.allSatisfy { $0 < 540_000 })
        #expect(sizes.reduce(0, +) == 500 * 10_006 + 2)
    }

    @Test("a column that a file stores in another form is refused")
    func otherForm() throws {
        let rows = RowGroup(("c", .int64, [.int64(1)]))
        #expect(throws: WarehouseError.self) { try encode([WireColumn("c", .text)], rows) }
    }
}
