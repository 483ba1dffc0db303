import Columnar
import Testing

/// Builders give back what was put in, with bounds, and start anew after `finish`.
@Suite struct BuilderTests {
    private func texts(_ values: [String?], _ builder: inout StringBuilder) {
        for value in values {
            if let value { value.withBytes { builder.append($0) } } else { builder.appendNull() }
        }
    }

    private func repeated(_ values: [String?], _ builder: inout DictionaryBuilder) {
        for value in values {
            if let value { value.withBytes { builder.append($0) } } else { builder.appendNull() }
        }
    }

    @Test("integers with missing ones", arguments: [0, 1, 7, 8, 9, 63, 64, 65])
    func integers(count: Int) {
        var builder = FixedWidthBuilder<Int64>()
        for round in 0..<2 {
            let values = (0..<count).map { $0 % 3 == round ? nil : Int64($0 - 4) * 1_000_000_007 }
            for value in values { if let value { builder.append(value) } else { builder.appendNull() } }
            #expect(builder.count == count)
            let column = builder.finish(as: .int64)
            #expect(column.values(Int64.self) == values)
            #expect(column.nullCount == values.count { $0 == nil })
            #expect(builder.count == 0)
        }
    }

    @Test("bounds of integers pass over missing values, at the ends of the range too")
    func integerBounds() {
        var builder = FixedWidthBuilder<Int64>()
        builder.appendNull()
        builder.append(-5)
        builder.append(.min)
        builder.append(.max)
        #expect(builder.finish(as: .timestamp).bounds == .integers(min: .min, max: .max))
        builder.appendNull()
        builder.append(7)
        #expect(builder.finish(as: .int64).bounds == .integers(min: 7, max: 7))
        builder.appendNull()
        #expect(builder.finish(as: .int64).bounds == nil)
        #expect(builder.finish(as: .int64).bounds == nil)
        var days = FixedWidthBuilder<Int32>()
        days.append(-1)
        days.append(.min)
        #expect(days.finish(as: .date).bounds == .integers(min: Int64(Int32.min), max: -1))
    }

    @Test("texts with empty, missing and long ones", arguments: [0, 1, 7, 8, 9, 63, 64, 65])
    func strings(count: Int) {
        var builder = StringBuilder()
        for round in 0..<2 {
            let values = (0..<count).map {
                $0 % 4 == round ? nil : String(repeating: "ä\($0)", count: $0 % 5 * 40)
            }
            texts(values, &builder)
            let column = builder.finish()
            #expect(column.texts == values)
            #expect(column.nullCount == values.count { $0 == nil })
        }
    }

    @Test("bounds of texts are in byte order, a prefix before what it begins")
    func textBounds() {
        var builder = StringBuilder()
        texts([nil, "b", "ab", "a", "z", "é", "zz", nil], &builder)
        #expect(builder.finish().bounds == .strings(min: Array("a".utf8), max: Array("é".utf8)))
        texts(["x", ""], &builder)
        #expect(builder.finish().bounds == .strings(min: [], max: Array("x".utf8)))
        texts([nil], &builder)
        #expect(builder.finish().bounds == nil)
        texts(["a"], &builder)
        #expect(builder.finish(withBounds: false).bounds == nil)
    }

    @Test("a text that is written in place is as long as was said")
    func inPlace() {
        var builder = StringBuilder()
        builder.append(atMost: 1_000) { target in
            target.storeBytes(of: UInt8(ascii: "q"), as: UInt8.self)
            return 1
        }
        texts(["next"], &builder)
        #expect(builder.finish().texts == ["q", "next"])
    }

    @Test("texts that repeat become a dictionary, each entry once")
    func dictionary() {
        var builder = DictionaryBuilder()
        let values: [String?] = ["a", nil, "b", "a", "a", "", "b", ""]
        repeated(values, &builder)
        let column = builder.finish()
        #expect(column.type == .dictionaryString)
        #expect(column.texts == values)
        #expect(column.dictionary.first?.texts == ["a", "b", ""])
        #expect(column.bounds == .strings(min: [], max: Array("b".utf8)))
        #expect(column.nullCount == 1)
    }

    @Test("texts that do not repeat fall back to a plain column", arguments: [1, 7, 8, 9, 64, 1_000])
    func fallback(count: Int) {
        var builder = DictionaryBuilder()
        let values = (0..<count).map { $0 % 8 == 3 ? nil : "text \($0)" }
        repeated(values, &builder)
        let column = builder.finish()
        #expect(column.type == .string)
        #expect(column.dictionary.isEmpty)
        #expect(column.texts == values)
        #expect(column.bounds != nil)
    }

    @Test("a dictionary that outgrows its table keeps every text", arguments: [127, 128, 129, 5_000])
    func manyEntries(count: Int) {
        var builder = DictionaryBuilder()
        let values = (0..<count * 3).map { "text \($0 % count)" }
        repeated(values, &builder)
        let column = builder.finish()
        #expect(column.type == .dictionaryString)
        #expect(column.texts == values)
        #expect(column.dictionary.first?.count == count)
    }

    @Test(
        "a dictionary column of missing values only, or of none at all, is still one",
        arguments: [0, 1, 9]
    )
    func noEntries(count: Int) {
        var builder = DictionaryBuilder()
        repeated(Array(repeating: nil, count: count), &builder)
        let column = builder.finish()
        #expect(column.texts == Array(repeating: nil, count: count))
        #expect(column.bounds == nil)
    }

    @Test("entries of an earlier row group are forgotten")
    func dictionaryReuse() {
        var builder = DictionaryBuilder()
        repeated(["a", "a", "b", "b"], &builder)
        _ = builder.finish()
        repeated(["c", "c", nil, "a"], &builder)
        let column = builder.finish()
        #expect(column.texts == ["c", "c", nil, "a"])
        #expect(column.dictionary.first?.texts == ["c", "a"])
        repeated(["x", "y"], &builder)
        #expect(builder.finish().texts == ["x", "y"])
        repeated(["y", "y"], &builder)
        #expect(builder.finish().dictionary.first?.texts == ["y"])
    }

    @Test("maps of no, one and several pairs")
    func maps() {
        var builder = MapBuilder()
        for _ in 0..<2 {
            let known = builder.enter("known")
            builder.closeMap()
            "v1".withBytes { builder.append(entry: known, $0) }
            "other".withBytes { key in "v2".withBytes { builder.append(key, $0) } }
            builder.closeMap()
            "".withBytes { builder.append(entry: known, $0) }
            builder.closeMap()
            #expect(builder.count == 3)
            let column = builder.finish()
            #expect((0..<3).map(column.range) == [0..<0, 0..<2, 2..<3])
            #expect(column.children[0].children[0].texts == ["known", "other", "known"])
            #expect(column.children[0].children[1].texts == ["v1", "v2", ""])
            #expect(builder.count == 0)
        }
    }

    @Test("bounds of two row groups are those of both")
    func union() {
        let numbers = ColumnBounds.integers(min: -1, max: 5)
        #expect(numbers.union(.integers(min: 0, max: 9)) == .integers(min: -1, max: 9))
        let texts = ColumnBounds.strings(min: [2], max: [2, 1])
        #expect(texts.union(.strings(min: [1, 9], max: [2])) == .strings(min: [1, 9], max: [2, 1]))
        #expect(numbers.union(texts) == nil)
    }
}
