import CByteScan
import SeededRandom
import Testing

@Suite struct TokenizerTests {
    @Test(arguments: [
        ("select a$b, é_1", ["select", "a$b", ",", "é_1"]),
        (#""a""b" U&"d!0061" u&'x'"#, [#""a""b""#, #"U&"d!0061""#, "u&'x'"]),
        ("'it''s' E'a\\'b' b'01' X'ff' n'x'", ["'it''s'", "E'a\\'b'", "b'01'", "X'ff'", "n'x'"]),
        ("'a' -- c\n 'b' 'c'", ["'a' -- c\n 'b'", "'c'"]),
        ("'a' 'b'", ["'a'", "'b'"]),
        ("$$a$b$$ $t$ $$ $t$ $1 $a", ["$$a$b$$", "$t$ $$ $t$", "$1", "$", "a"]),
        ("/* a /* b */ c */x--y\nz", ["/* a /* b */ c */", "x", "--y", "z"]),
        (
            "1 1.5 .5 1. 1e5 1.5E-3 1..2 0x1F",
            ["1", "1.5", ".5", "1.", "1e5", "1.5E-3", "1", "..", "2", "0x1F"]
        ),
        ("a+-1 a@-1 a<=-b", ["a", "+", "-", "1", "a", "@-", "1", "a", "<=", "-", "b"]),
        (
            "a::b := c => d <> e != f ->> g",
            ["a", "::", "b", ":=", "c", "=>", "d", "<>", "e", "!=", "f", "->>", "g"]
        ),
        ("*/*c*/+--d", ["*", "/*c*/", "+", "--d"]),
        ("a[1:2].b;\\", ["a", "[", "1", ":", "2", "]", ".", "b", ";", "\\"]),
    ])
    func lexicalRules(sql: String, expected: [String]) {
        let bytes = Array(sql.utf8)
        #expect(
            tokens(of: bytes).map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) } == expected
        )
    }

    @Test(arguments: [
        "'abc", "E'abc\\'", "E'\\", "\"abc", "U&\"a", "$$abc$", "$a$ $b$", "/* /* */", "x'0", "'a'\n'b",
    ])
    func anUnterminatedTokenReachesToTheEnd(sql: String) {
        let bytes = Array(sql.utf8)
        let found = tokens(of: bytes)
        #expect(found.count == 1 && found.last?.end == bytes.count && found.last?.unterminated == true)
    }

    @Test func anyBytesMakeTokensThatAdvance() {
        var generator = SeededGenerator(seed: 7)
        for length in 0..<400 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var last = 0
            for token in tokens(of: bytes) {
                #expect(token.start >= last && token.end > token.start && token.end <= length)
                last = token.end
            }
        }
    }

    /// 4 MB of each are done at once when time is linear, and never when it is quadratic.
    @Test(arguments: [
        "+-", "/*", "$a", "'a' --\n", "$a$b", "- ", "\"", "1.", "E'\\", "a://", "create/*", "password ",
    ])
    func adversarialRunsTakeLinearTime(unit: String) {
        let bytes = [UInt8]((0..<(4 << 20) / unit.utf8.count).map { _ in unit }.joined().utf8)
        let found = tokens(of: bytes)
        #expect(found.last?.end ?? 0 <= bytes.count && !found.isEmpty)
        var spans = sql_span()
        let count = bytes.withUnsafeBytes {
            sql_secrets_in_statement($0.baseAddress, $0.count, &spans, 1)
                + sql_secrets_in_prose($0.baseAddress, $0.count, &spans, 1)
        }
        #expect(count == 0)
    }

    @Test func aTokenRunOfOperatorsSplitsAsPostgresDoes() throws {
        for sql in ["*+-+-+", "+-+-", "@+-+-", "<+@-", "=-", ">=-1", "~-~+", "+-/*x*/-", "-+--x", "||+-1"] {
            let bytes = Array(sql.utf8)
            let expected = try #require(ScanOracle.borders(of: bytes))
            #expect(tokens(of: bytes).map { $0.start..<$0.end } == expected, "\(sql)")
        }
    }
}

@Suite struct ScanOracleTests {
    @Test func everyRealStatementHasPostgresOwnTokens() {
        var compared = 0
        for statement in CorpusStatement.all {
            let bytes = Array(statement.sql.utf8)
            guard let expected = ScanOracle.borders(of: bytes) else { continue }
            compared += 1
            #expect(agrees(ours(bytes), expected), "\(statement.sql)")
        }
        #expect(compared > 200)
    }

    @Test func mutatedStatementsHavePostgresOwnTokensOrAreRefused() {
        var mutator = StatementMutator(generator: SeededGenerator(seed: 42))
        var compared = 0
        for round in 0..<80 {
            for statement in CorpusStatement.all {
                let bytes = mutator.mutate(Array(statement.sql.utf8))
                guard let expected = ScanOracle.borders(of: bytes) else { continue }
                compared += 1
                #expect(
                    agrees(ours(bytes), expected),
                    "round \(round): \(String(decoding: bytes, as: UTF8.self))"
                )
            }
        }
        #expect(compared > 8_000)
    }

    /// Whether two lists of borders are the same; libpg_query gives no end for U&'…' and U&"…".
    private func agrees(_ found: [Range<Int>], _ expected: [Range<Int>]) -> Bool {
        found.count == expected.count
            && zip(found, expected).allSatisfy { $1.isEmpty ? $0.lowerBound == $1.lowerBound : $0 == $1 }
    }

    /// Our borders as PostgreSQL has them: it takes the N of N'…' for a token of its own.
    private func ours(_ bytes: [UInt8]) -> [Range<Int>] {
        tokens(of: bytes).flatMap { token in
            token.kind == SQL_TOKEN_STRING && bytes[token.start] | 0x20 == UInt8(ascii: "n")
                ? [token.start..<token.start + 1, token.start + 1..<token.end] : [token.start..<token.end]
        }
    }
}
