import Columnar
import Testing

/// Values that are corrected while their row group is open.
@Suite struct ReplacementTests {
    @Test(arguments: [[], [0], [2], [4], [0, 1], [1, 3, 4], [0, 1, 2, 3, 4]])
    func shorterTextsTakeTheirPlace(indices: [Int]) {
        var texts = ["final", "other", "finals", "final", "longest"]
        var builder = StringBuilder()
        for text in texts { text.withBytes { builder.append($0) } }
        "open".withBytes { builder.replace(at: indices, with: $0) }
        "more".withBytes { builder.append($0) }
        for index in indices { texts[index] = "open" }
        let found = (0..<builder.count).map { String(decoding: builder[$0], as: UTF8.self) }
        #expect(found == texts + ["more"])
    }

    @Test(arguments: [true, false])
    func aMissingValueOfADictionaryIsThere(repeats: Bool) {
        var builder = DictionaryBuilder()
        let texts = repeats ? ["a", "a", "a", "a", "a", "a"] : ["a", "b", "c", "d", "e", "f"]
        for (index, text) in texts.enumerated() {
            if index % 2 == 1 { builder.appendNull() } else { text.withBytes { builder.append($0) } }
        }
        "x".withBytes { builder.replace(at: 1, with: $0) }
        "x".withBytes { builder.replace(at: 4, with: $0) }
        let column = builder.finish()
        #expect(column.nullCount == 2)
        #expect(column.texts == [texts[0], "x", texts[2], nil, "x", nil])
    }
}
