import CByteScan

/// The first words of a statement, upper case, and what they tell without a parser.
struct LeadingKeywords {
    /// The words up to the first token that is none, at most eight.
    private(set) var words: [String] = []
    /// The words of the whole first statement outside parentheses, at most 64.
    private var outerWords: Set<String> = []

    /// Reads the first statement of a text; empty statements and opening parentheses before it are skipped.
    init(_ sql: UnsafeRawBufferPointer) {
        var lexer = sql_lexer_start(sql.baseAddress, sql.count)
        var token = sql_token()
        var depth = 0
        var leading = true
        while outerWords.count < 64, sql_lexer_next(&lexer, &token) {
            let bytes = sql[token.start..<token.end]
            switch token.kind {
            case SQL_TOKEN_WORD:
                let word = String(decoding: bytes, as: UTF8.self).uppercased()
                if leading, words.count < 8 { words.append(word) }
                if depth == 0 { outerWords.insert(word) }
            case SQL_TOKEN_LINE_COMMENT, SQL_TOKEN_BLOCK_COMMENT:
                continue
            default:
                if bytes.elementsEqual(";".utf8), !words.isEmpty { return }
                if words.isEmpty { continue }
                leading = false
                depth += bytes.elementsEqual("(".utf8) ? 1 : bytes.elementsEqual(")".utf8) ? -1 : 0
            }
        }
    }

    /// The command, its class and its type of object; nil when the first word begins no statement.
    var shape: StatementShape? {
        guard let first = words.first else { return nil }
        switch first {
        case "CREATE", "ALTER", "DROP":
            return definition(verb: first)
        case "GRANT", "REVOKE":
            let privileges = outerWords.contains("ON")
            return StatementShape(command: privileges ? first : "\(first) ROLE", auditClass: .role)
        case "COPY":
            return StatementShape(command: "COPY", auditClass: outerWords.contains("FROM") ? .write : .read)
        case "COMMENT":
            let object = Self.object(words.dropFirst(2))
            return StatementShape(command: "COMMENT", auditClass: .ddl, objectType: object)
        default:
            return Self.commands[[first, words.dropFirst().first ?? ""].joined(separator: " ")]
                ?? Self.commands[first]
        }
    }

    private func definition(verb: String) -> StatementShape? {
        let rest = words.dropFirst().drop { verb == "CREATE" && Self.modifiers.contains($0) }
        guard let object = Self.object(rest) else { return nil }
        let isRole = object == "ROLE" || object == "DEFAULT PRIVILEGES"
        return StatementShape(
            command: "\(verb) \(object)",
            auditClass: isRole ? .role : .ddl,
            objectType: Self.nameless.contains(object) ? nil : object
        )
    }

    /// The longest name of a type of object with which `words` begin.
    private static func object(_ words: ArraySlice<String>) -> String? {
        for count in stride(from: min(3, words.count), to: 0, by: -1) {
            let phrase = words.prefix(count).joined(separator: " ")
            if let object = objects[phrase] { return object }
        }
        return nil
    }
}

extension LeadingKeywords {
    private static let modifiers: Set<String> = [
        "OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE", "GLOBAL", "LOCAL", "CONSTRAINT",
        "RECURSIVE",
        "TRUSTED", "PROCEDURAL", "DEFAULT",
    ]

    private static let nameless: Set<String> = ["DEFAULT PRIVILEGES", "OWNED", "SYSTEM"]

    /// Types of objects as CREATE, ALTER, DROP and COMMENT write them, and as command tags name them.
    private static let objects: [String: String] = {
        let same = [
            "ACCESS METHOD", "AGGREGATE", "CAST", "COLLATION", "COLUMN", "CONVERSION", "DATABASE",
            "DEFAULT PRIVILEGES",
            "DOMAIN", "EVENT TRIGGER", "EXTENSION", "FOREIGN DATA WRAPPER", "FOREIGN TABLE", "FUNCTION",
            "INDEX",
            "LANGUAGE", "LARGE OBJECT", "MATERIALIZED VIEW", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY",
            "OWNED",
            "POLICY", "PROCEDURE", "PUBLICATION", "ROLE", "ROUTINE", "RULE", "SCHEMA", "SEQUENCE", "SERVER",
            "STATISTICS", "SUBSCRIPTION", "SYSTEM", "TABLE", "TABLESPACE", "TEXT SEARCH CONFIGURATION",
            "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE", "TRANSFORM", "TRIGGER",
            "TYPE",
            "USER MAPPING", "VIEW",
        ]
        var names = Dictionary(uniqueKeysWithValues: same.map { ($0, $0) })
        names["USER"] = "ROLE"
        names["GROUP"] = "ROLE"
        return names
    }()

    /// Statements that their first one or two words decide; classes as pgaudit gives them.
    private static let commands: [String: StatementShape] = {
        let classes: [(AuditClass, [String: String])] = [
            (
                .read,
                [
                    "SELECT": "SELECT", "VALUES": "SELECT", "TABLE": "SELECT", "WITH": "SELECT",
                    "DECLARE": "DECLARE CURSOR",
                ]
            ),
            (
                .write,
                [
                    "INSERT": "INSERT", "UPDATE": "UPDATE", "DELETE": "DELETE", "MERGE": "MERGE",
                    "TRUNCATE": "TRUNCATE TABLE",
                ]
            ),
            (.function, ["DO": "DO"]),
            (
                .ddl,
                [
                    "REFRESH": "REFRESH MATERIALIZED VIEW", "IMPORT": "IMPORT FOREIGN SCHEMA",
                    "SECURITY": "SECURITY LABEL",
                    "REASSIGN": "REASSIGN OWNED", "CLUSTER": "CLUSTER",
                ]
            ),
            (
                .misc,
                [
                    "ABORT": "ROLLBACK", "ANALYSE": "ANALYZE", "ANALYZE": "ANALYZE", "BEGIN": "BEGIN",
                    "CALL": "CALL",
                    "CHECKPOINT": "CHECKPOINT", "CLOSE": "CLOSE CURSOR", "CLOSE ALL": "CLOSE CURSOR ALL",
                    "COMMIT": "COMMIT", "COMMIT PREPARED": "COMMIT PREPARED", "DEALLOCATE": "DEALLOCATE",
                    "DEALLOCATE ALL": "DEALLOCATE ALL", "DISCARD ALL": "DISCARD ALL",
                    "DISCARD PLANS": "DISCARD PLANS",
                    "DISCARD SEQUENCES": "DISCARD SEQUENCES", "DISCARD TEMP": "DISCARD TEMP",
                    "DISCARD TEMPORARY": "DISCARD TEMP", "END": "COMMIT", "EXECUTE": "EXECUTE",
                    "EXPLAIN": "EXPLAIN",
                    "FETCH": "FETCH", "LISTEN": "LISTEN", "LOAD": "LOAD", "LOCK": "LOCK TABLE",
                    "MOVE": "MOVE",
                    "NOTIFY": "NOTIFY", "PREPARE": "PREPARE", "PREPARE TRANSACTION": "PREPARE TRANSACTION",
                    "REINDEX": "REINDEX", "RELEASE": "RELEASE", "RESET": "RESET", "ROLLBACK": "ROLLBACK",
                    "ROLLBACK PREPARED": "ROLLBACK PREPARED", "SAVEPOINT": "SAVEPOINT", "SET": "SET",
                    "SET CONSTRAINTS": "SET CONSTRAINTS", "SHOW": "SHOW", "START": "START TRANSACTION",
                    "UNLISTEN": "UNLISTEN", "VACUUM": "VACUUM",
                ]
            ),
        ]
        var table: [String: StatementShape] = [:]
        for (auditClass, commands) in classes {
            for (words, command) in commands {
                table[words] = StatementShape(command: command, auditClass: auditClass)
            }
        }
        return table
    }()
}
