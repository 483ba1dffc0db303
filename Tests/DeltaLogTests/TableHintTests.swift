import Testing

@testable import DeltaLog

/// Hints at the heads of tables, as they are stored.
@Suite struct TableHintTests {
    private static let hints = [
        "main.s.b": TableHint(
            version: 9_007_199_254_740_993,
            checkpointVersion: -1,
            commitHash: .max,
            actions: "{\"protocol\":{}}\n"
        ),
        "main.s.ä": TableHint(version: 0, checkpointVersion: 0, commitHash: 1, actions: ""),
    ]

    @Test func bytesAreGolden() {
        let expected =
            #"{"main.s.b":{"version":9007199254740993,"checkpointVersion":-1,"commitHash":-1,"#
            + #""actions":"{\"protocol\":{}}\n"},"#
            + #""main.s.ä":{"version":0,"checkpointVersion":0,"commitHash":1,"actions":""}}"#
        #expect(String(decoding: TableHint.encode(Self.hints), as: UTF8.self) == expected)
        #expect(TableHint.decode(Array(expected.utf8)) == Self.hints)
    }

    @Test(arguments: ["", "[]", "{", #"{"main.s.b":{"version":1}}"#, #"{"main.s.b":null}"#])
    func damagedHintsAreNone(_ text: String) {
        #expect(TableHint.decode(Array(text.utf8)) == nil)
    }
}
