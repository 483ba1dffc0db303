import Foundation
import SeededRandom

/// A statement of a real PostgreSQL 15 log with what pgaudit said of it.
struct CorpusStatement: Decodable, Sendable {
    var sql: String
    /// Class and command of each record; a statement has several when it runs another.
    var audits: [String]?

    /// All statements of `Corpus/statements.json`, which was taken from the logs of `services/pgcluster.sh`.
    static let all: [CorpusStatement] = {
        guard
            let url = Bundle.module.url(
                forResource: "statements",
                withExtension: "json",
                subdirectory: "Corpus"
            )
        else { return [] }
        do {
            return try JSONDecoder().decode([CorpusStatement].self, from: Data(contentsOf: url))
        } catch {
            return []
        }
    }()
}

/// Changes statements at random, with a liking for the bytes that matter to a tokenizer.
struct StatementMutator {
    var generator: SeededGenerator
    private let fragments: [[UInt8]] = [
        "'", "''", "\"", "$", "$$", "$a$", "--", "/*", "*/", "\n", "\r\n", "E'", "U&'", "U&\"", "x'", "B'",
        "N'", "\\",
        "1", "1.", "..", ".5", "e5", "1e", "$1", "::", ":=", "=>", "+", "-", "*", "/", "@", "<", "=", "a",
        "é", "_",
        " ", "\t", "(", ")", ";", "password", "passwor", " password '", "alter role x ", "create user y ",
        "://u:p@h",
        "create", "role", " identified by ", "pwd=", "secret", "\u{B}", "insert into t (", ") values (",
        " set (", ")=(", "‘", "’", "\\password ", "subscription", "null", "(",
    ].map { Array($0.utf8) }

    mutating func mutate(_ statement: [UInt8]) -> [UInt8] {
        var bytes = statement
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let at = Int.random(in: 0...bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0 where at < bytes.count:
                bytes.remove(at: at)
            case 1 where at < bytes.count:
                bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...20, using: &generator)))
            case 2:
                bytes.insert(UInt8.random(in: 1...255, using: &generator), at: at)
            default:
                bytes.insert(contentsOf: fragments.randomElement(using: &generator) ?? [], at: at)
            }
        }
        return bytes
    }
}
