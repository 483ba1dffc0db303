import SQLText
import SeededRandom
import Testing

/// What normalizing a text gives, copied out of the normalizer's buffer.
struct Normalized: Equatable {
    var text: String
    var fingerprint: UInt64
    var literalCount: Int
    var traits: SQLTraits

    init(_ sql: String, byteCapacity: Int = 64) {
        self.init(Array(sql.utf8), byteCapacity: byteCapacity)
    }

    init(_ sql: [UInt8], byteCapacity: Int = 64) {
        var normalizer = SQLNormalizer(byteCapacity: byteCapacity)
        self = sql.withUnsafeBytes { bytes in
            let result = normalizer.normalize(bytes)
            return Normalized(result)
        }
    }

    private init(_ result: NormalizedSQL) {
        text = String(decoding: result.text, as: UTF8.self)
        fingerprint = result.fingerprint
        literalCount = result.literalCount
        traits = result.traits
    }
}

@Suite struct SQLNormalizerTests {
    @Test(arguments: [
        ("select 1", "select $1"),
        ("select -1.5e3 , 'a''b'", "select -$1 , $2"),
        ("select E'a\\'b', b'01', X'ff', N'x', U&'x', $$a$$, $t$b$t$", "select $1, $2, $3, $4, $5, $6, $7"),
        ("select 'a'\n'b'", "select $1"),
        ("select $2, 'x', $1, 5", "select $2, $3, $1, $4"),
        ("select 'costs $9'", "select $1"),
        ("a /* secret */ b -- trace 1\nc/**/d", "a   b  \nc d"),
        ("select \"a1\", a1, 1", "select \"a1\", a1, $1"),
        ("select 'unterminated; drop", "select $1"),
        ("select 1, $a$x", "select $1, $2"),
        ("select \"open, 'x' 1", "select $1"),
        ("select 1 /* open 'x'", "select $1 "),
        ("select'x'from t", "select $1 from t"),
        ("1..2", "$1..$2"),
        ("x in (1,2,3,4,5,6,7,8,9,10,11)", "x in ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)"),
        ("select $99999999999, 1", "select $99999999999, $2147483648"),
        ("", ""),
        ("  select\t1 ; ", "  select\t$1 ; "),
    ])
    func literalsBecomeParameters(sql: String, expected: String) {
        #expect(Normalized(sql).text == expected)
    }

    @Test func theNumberOfLiteralsIsCounted() {
        #expect(Normalized("select 1, 'a', $$b$$, $1").literalCount == 3)
    }

    @Test(arguments: [
        ("SELECT  A from T where x=1", "select a\nfrom t /* c */ where x = 'b' -- d"),
        ("select $1", "select 'x'"),
        ("select e'x'", "select $$y$$"),
        ("select abcdefghijklmnopqrstuvwxyz", "SELECT ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ])
    func equalStatementsHaveOneFingerprint(one: String, other: String) {
        #expect(Normalized(one).fingerprint == Normalized(other).fingerprint)
    }

    @Test func differentStatementsHaveDifferentFingerprints() {
        let statements = [
            "select a", "select b", "select ab", "select a b", "select \"a\"", "select \"A\"", "select a.b",
            "select 1",
            "select 1, 2", "select -1", "select a + b", "select a - b", "select a <> b", "select a < > b", "",
            "select a_very_long_identifier_of_40_characters_1",
            "select a_very_long_identifier_of_40_characters_2",
        ]
        #expect(Set(statements.map { Normalized($0).fingerprint }).count == statements.count)
    }

    @Test func aWordAtTheEndOfTheTextHashesAsOneBeforeMoreText() {
        let alone = Normalized("select abcdefghijk").fingerprint
        #expect(alone == Normalized("select abcdefghijk                       ").fingerprint)
    }

    @Test(arguments: [
        ("alter role x", true), ("CREATE /* c */ USER y", true), ("select 1; alter group g add user u", true),
        ("create user mapping for u server s", false), ("alter table role", false), ("create user", true),
        ("drop role x", false), ("create table user", false), ("select create role", false),
    ])
    func roleStatementsAreFlagged(sql: String, expected: Bool) {
        #expect(Normalized(sql).traits.contains(.roleStatement) == expected)
    }

    @Test func unterminatedTextsAreFlagged() {
        #expect(["'a", "\"a", "/*", "$$"].allSatisfy { Normalized($0).traits.contains(.unterminated) })
        #expect(!Normalized("'a' \"a\" /**/ $$$$").traits.contains(.unterminated))
    }

    @Test func aTextOfManyLiteralsGrowsTheBuffer() {
        let sql = Array(repeating: "1", count: 5000).joined(separator: ",")
        let result = Normalized(sql)
        #expect(result.literalCount == 5000 && result.text.hasSuffix(",$4999,$5000"))
    }

    @Test func noLiteralOfAnyTextSurvives() {
        var mutator = StatementMutator(generator: SeededGenerator(seed: 3))
        for statement in CorpusStatement.all {
            for _ in 0..<20 {
                let bytes = mutator.mutate(Array(statement.sql.utf8))
                let once = Normalized(bytes)
                let twice = Normalized(once.text)
                #expect(
                    twice.literalCount == 0 && twice.text == once.text,
                    "\(String(decoding: bytes, as: UTF8.self))"
                )
                guard !once.traits.contains(.unterminated), String(validating: bytes, as: UTF8.self) != nil
                else { continue }
                #expect(twice.fingerprint == once.fingerprint, "\(once.text)")
            }
        }
    }
}
