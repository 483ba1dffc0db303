import Columnar
import Testing

/// Builders whose texts stand in a shared pool, and structures of texts of which most are missing.
@Suite struct SharedTextTests {
    private func entry(_ text: String, _ pool: inout TextPool) -> Int32 {
        var entry: Int32 = -1
        text.withBytes { entry = pool.entry(of: $0) }
        return entry
    }

    @Test(arguments: [1, 3, 1_000])
    func twoColumnsOfOnePoolHoldTheirOwnTextsAlone(_ distinctCount: Int) {
        var pool = TextPool(slotCount: 16)
        var first = PooledColumnBuilder()
        var second = PooledColumnBuilder()
        var numbers: [Int32] = []
        for _ in 0..<2 {
            var expected: ([String?], [String?]) = ([], [])
            for row in 0..<1_500 {
                let text = row % 7 == 0 ? nil : "text \(row % distinctCount)"
                let found = text.map { entry($0, &pool) } ?? PooledColumnBuilder.missing
                first.append(found)
                expected.0.append(text)
                if row % 5 == 0 {
                    second.append(found)
                    expected.1.append(text)
                }
            }
            let one = first.finish(from: pool, numbers: &numbers)
            let two = second.finish(from: pool, numbers: &numbers)
            #expect(one.texts == expected.0)
            #expect(two.texts == expected.1)
            #expect(one.nullCount == expected.0.count { $0 == nil })
            #expect(one.type == (distinctCount < 700 ? .dictionaryString : .string))
            let texts = expected.1.compactMap(\.self)
            let bounds = ColumnBounds.strings(
                min: Array((texts.min() ?? "").utf8),
                max: Array((texts.max() ?? "").utf8)
            )
            #expect(two.bounds == bounds)
            #expect(numbers.allSatisfy { $0 == 0 })
        }
        pool.removeAll()
        #expect(pool.count == 0 && entry("x", &pool) == 0)
    }

    @Test func mapsOfOnePoolMayBeMissingAndHoldNulls() {
        var pool = TextPool()
        var builder = PooledMapBuilder()
        let key = entry("k", &pool)
        for _ in 0..<9 {
            "v".withBytes { builder.append(key: key, $0) }
            builder.appendNull(key: key)
            builder.closeMap()
            builder.appendNull()
            builder.closeMap()
        }
        var numbers: [Int32] = []
        let column = builder.finish(from: pool, numbers: &numbers)
        #expect(column.count == 27 && column.nullCount == 9)
        #expect(column.presence == (0..<27).map { $0 % 3 != 1 })
        #expect((0..<27).map { column.range($0).count } == (0..<27).map { $0 % 3 == 0 ? 2 : 0 })
        #expect(column.children[0].children[0].texts == Array(repeating: "k", count: 18))
        #expect(column.children[0].children[1].texts == (0..<18).map { $0 % 2 == 0 ? "v" : nil })
    }

    @Test func mapsThatAreMissingFillUp() {
        var builder = MapBuilder()
        builder.appendNulls(upTo: 10)
        "k".withBytes { key in "v".withBytes { builder.append(key, $0) } }
        "n".withBytes { builder.appendNull($0) }
        builder.closeMap()
        builder.appendNulls(upTo: 20)
        let column = builder.finish()
        #expect(column.presence == (0..<20).map { $0 == 10 })
        #expect(column.range(10) == 0..<2 && column.range(19).isEmpty)
        #expect(column.children[0].children[1].texts == ["v", nil])
    }

    /// A field whose texts repeat, one whose do not, one that comes late, one that never comes.
    @Test(arguments: [1, 8, 600, 3_000])
    func structuresHoldWhatWasSet(_ count: Int) {
        var builder = TextStructBuilder()
        for _ in 0..<2 {
            var expected: [[String?]] = [[], [], [], []]
            for row in 0..<count {
                let values: [String?] = [
                    row % 3 == 0 ? "same \(row % 4)" : nil, row % 2 == 0 ? "own \(row)" : nil,
                    row > count - 4 ? "late" : nil, nil,
                ]
                if row % 11 == 10 {
                    builder.appendNull()
                    for field in 0..<4 { expected[field].append(nil) }
                    continue
                }
                for (field, text) in values.enumerated() {
                    expected[field].append(text)
                    text?.withBytes { builder.set($0, field: field) }
                }
                builder.close()
            }
            let column = builder.finish(names: ["a", "b", "c", "d"])
            #expect(column.presence == (0..<count).map { $0 % 11 != 10 })
            #expect(column.children.map(\.count) == Array(repeating: count, count: 4))
            for field in 0..<4 {
                #expect(column.children[field].texts == expected[field])
                #expect(column.children[field].nullCount == expected[field].count { $0 == nil })
            }
            if count == 3_000 {
                #expect(column.children[0].type == .dictionaryString && column.children[1].type == .string)
            }
        }
    }

    @Test func aStructureCostsTheFieldsThatAreSet() {
        var builder = TextStructBuilder()
        "v".withBytes { builder.set($0, field: 19_999) }
        builder.close()
        #expect(builder.fieldByteCount <= 4_096)
        let column = builder.finish(names: (0..<20_001).map { "f\($0)" })
        #expect(column.children.count == 20_001)
        #expect(column.children[19_999].texts == ["v"])
        #expect(column.children[0].texts == [nil] && column.children[20_000].texts == [nil])
        #expect(column.children[0].buffers[0] === column.children[20_000].buffers[0])
    }

    @Test(arguments: 0...40)
    func textsAreEqualWhenAllBytesAre(_ count: Int) {
        let text = (0..<count).map { UInt8($0) }
        #expect(text.withUnsafeBytes { left in Array(text).withUnsafeBytes { left.equals($0) } })
        for index in text.indices {
            var other = text
            other[index] ^= 0x40
            #expect(!text.withUnsafeBytes { left in other.withUnsafeBytes { left.equals($0) } }, "\(index)")
        }
        #expect(!text.withUnsafeBytes { left in (text + [0]).withUnsafeBytes { left.equals($0) } })
    }
}
