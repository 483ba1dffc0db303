import Foundation
import SeededRandom
import Testing

@testable import JSONText

/// The reader of JSON, held against Foundation's.
@Suite struct JSONReaderTests {
    private static func value(_ text: [UInt8]) throws -> JSONValue {
        try JSONReader.read(text) { try $0.value() }
    }

    @Test(arguments: [
        "null", " true ", "false", "0", "-1", "9223372036854775807", "-9223372036854775808",
        "9223372036854775808", "1.5", "-0.25e2", "1E-7", #""""#, #""plain""#, "\"ü 𝄞\"",
        #""\"\\\/\b\f\n\r\t""#, #""\u0041\u00fc\u20AC\uD834\udd1e""#, "[]", "[ 1 ,\t2\r,\n3 ]", "{}",
        #"{"a":{"b":[null,{"c":"d"}]},"":0}"#, #"{"a\"b":1}"#,
    ])
    func valuesAreThoseOfFoundation(_ text: String) throws {
        #expect(try Self.value(Array(text.utf8)).folded == JSONValue.read(Array(text.utf8)).folded)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity",
        "1e999",
        #"""#, #""a"#, #""\x""#, #""\u12""#, #""\uD834""#, #""\udd1e""#, #""\uD834\u0041""#, "\"\n\"", "'a'",
        "[", "[1", "[1,", "[,1]", "[1 2]", "{", #"{"a"}"#, #"{"a":}"#, "{a:1}", "{1:2}",
        "1 2", "{} {}", "// comment\n1", "[1}",
    ])
    func whatIsNoJSONIsRefused(_ text: String) throws {
        #expect(throws: JSONReader.Failure.self) { try Self.value(Array(text.utf8)) }
        #expect(throws: (any Error).self) { try JSONValue.read(Array(text.utf8)) }
    }

    /// Foundation takes a comma that nothing follows.
    @Test(arguments: ["[1,]", #"{"a":1,}"#])
    func aCommaPromisesMore(_ text: String) {
        #expect(throws: JSONReader.Failure.self) { try Self.value(Array(text.utf8)) }
    }

    @Test func bytesThatAreNoTextAreRefused() throws {
        for bytes in [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0x5C, 0x6E, 0xED, 0xA0, 0x80, 0x22]]
            as [[UInt8]]
        {
            #expect(throws: JSONReader.Failure.self) { try Self.value(bytes) }
            #expect(throws: (any Error).self) { try JSONValue.read(bytes) }
        }
    }

    @Test func nestingHasALimit() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(
            try Self.value(nested(JSONReader.depthLimit)) == JSONValue.read(nested(JSONReader.depthLimit))
        )
        let error = #expect(throws: JSONReader.Failure.self) {
            try Self.value(nested(JSONReader.depthLimit + 1))
        }
        #expect(error?.offset == JSONReader.depthLimit + 1)
        #expect(throws: JSONReader.Failure.self) {
            try JSONReader.read(nested(1_000_000)) { try $0.skip() }
        }
    }

    @Test func wholeNumbersCountHoweverTheyAreWritten() throws {
        func integer(_ text: String) throws -> Int64 { try JSONReader.read(text.utf8) { try $0.integer() } }
        #expect(try integer("12.0") == 12)
        #expect(try integer("1.2e3") == 1_200)
        #expect(try integer("-9223372036854775808") == .min)
        for text in ["1.5", "9223372036854775808", #""1""#, "null", "true"] {
            #expect(throws: JSONReader.Failure.self) { try integer(text) }
        }
    }

    @Test func ofMembersWithOneNameTheLastCounts() throws {
        #expect(try Self.value(Array(#"{"a":1,"a":2}"#.utf8)) == .object(["a": .integer(2)]))
    }

    @Test func anErrorNamesTheByte() throws {
        let error = #expect(throws: JSONReader.Failure.self) { try Self.value(Array(#"{"a": [1, x]}"#.utf8)) }
        #expect(error?.description == "byte 10: expected a digit")
    }

    /// Lines of logs that others wrote, with bytes changed, left out and doubled: both take the same texts for JSON, and for
    /// the same values.
    @Test func whatIsLeftOfDamagedLinesIsReadAlike() throws {
        var random = SeededGenerator(seed: 20_261_122)
        var read = 0
        for table in ["events", "polars"] {
            for line in try lines(of: table) {
                for _ in 0..<60 {
                    var bytes = line
                    for _ in 0...Int.random(in: 0...1, using: &random) { Self.damage(&bytes, &random) }
                    // Foundation takes a comma that nothing follows.
                    guard !Self.hasLooseComma(bytes) else { continue }
                    let other = (try? JSONValue.read(bytes))?.folded
                    let ours = (try? Self.value(bytes))?.folded
                    #expect(ours == other, "\(String(decoding: bytes, as: UTF8.self))")
                    let isPassed = (try? JSONReader.read(bytes) { try $0.skip() }) != nil
                    #expect(isPassed == (other != nil), "\(String(decoding: bytes, as: UTF8.self))")
                    if ours != nil { read += 1 }
                }
            }
        }
        #expect(read > 100)
    }

    private func lines(of table: String) throws -> [[UInt8]] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../DeltaLogTests/Golden/\(table)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .filter { $0.hasSuffix(".json") && $0 != "expected.json" }
            .flatMap { name in
                try Data(contentsOf: folder.appending(path: name)).split(separator: UInt8(ascii: "\n"))
                    .map(Array.init)
            }
    }

    private static func hasLooseComma(_ bytes: [UInt8]) -> Bool {
        zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: ",") && ($1 == 0x7D || $1 == 0x5D) }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        let signs = Array(#"{}[]",:\u0123456789abcdefE+-. nt"#.utf8) + [0x01, 0x0A, 0xC3, 0xFF]
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = signs[Int.random(in: 0..<signs.count, using: &random)]
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(signs[Int.random(in: 0..<signs.count, using: &random)], at: at)
        default: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 0..<20, using: &random)))
        }
        if bytes.isEmpty { bytes = [0x7B, 0x7D] }
    }
}
