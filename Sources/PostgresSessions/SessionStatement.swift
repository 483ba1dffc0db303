import CByteScan

/// The words of one of the few statements whose text matters to a session.
struct SessionStatement {
    /// A word, name or literal of the statement.
    enum Token: Hashable {
        /// An unquoted word, lower case as PostgreSQL folds it.
        case word(String)
        /// A quoted name.
        case name(String)
        /// A string literal.
        case string(String)
        /// Anything else.
        case other
    }

    /// What the statement begins with.
    enum Verb: Int {
        case set
        case reset
        case savepoint
        case release
        case rollback
        case commit

        fileprivate init?(_ tokens: [Token]) {
            // SET CONSTRAINTS, COMMIT PREPARED and ROLLBACK PREPARED are commands of their own.
            let second = tokens.dropFirst().first
            guard second != .word("constraints"), second != .word("prepared") else { return nil }
            switch tokens.first {
            case .word("set"): self = .set
            case .word("reset"): self = .reset
            case .word("savepoint"): self = .savepoint
            case .word("release"): self = .release
            case .word("rollback"), .word("abort"): self = .rollback
            case .word("commit"), .word("end"): self = .commit
            default: return nil
            }
        }
    }

    private static let longest = 12
    private var tokens: [Token]

    /// Finds a statement in a text of one statement or more.
    ///
    /// PostgreSQL up to 16 gives pgaudit the whole text for each of its statements.
    ///
    /// - Parameters:
    ///   - verb: What it begins with.
    ///   - text: The SQL.
    ///   - ordinal: How many statements with the verb were logged before with this very text; it begins anew when the text
    ///     has no more of them.
    init?(_ verb: Verb, in text: UnsafeRawBufferPointer, ordinal: Int) {
        var found: [[Token]] = []
        var present: [Token] = []
        var lexer = sql_lexer_start(text.baseAddress, text.count)
        var token = sql_token()
        while sql_lexer_next(&lexer, &token) {
            let bytes = UnsafeRawBufferPointer(rebasing: text[token.start..<token.end])
            switch token.kind {
            case SQL_TOKEN_LINE_COMMENT, SQL_TOKEN_BLOCK_COMMENT: continue
            case SQL_TOKEN_PUNCTUATION where bytes.elementsEqual(";".utf8):
                if Verb(present) == verb { found.append(present) }
                present.removeAll()
            default:
                if present.count < Self.longest { present.append(Token(token, in: text)) }
            }
        }
        if Verb(present) == verb { found.append(present) }
        guard !found.isEmpty else { return nil }
        tokens = found[ordinal % found.count]
    }

    /// The savepoint that SAVEPOINT, RELEASE or ROLLBACK TO names; nil for a ROLLBACK of the whole transaction.
    var savepoint: String? {
        var rest = tokens.dropFirst()
        if Verb(tokens) == .rollback {
            while let word = rest.first, word == .word("work") || word == .word("transaction") {
                rest.removeFirst()
            }
            guard rest.first == .word("to") else { return nil }
            rest.removeFirst()
        }
        if rest.first == .word("savepoint"), rest.count > 1 { rest.removeFirst() }
        return rest.first?.identifier
    }

    /// COMMIT or ROLLBACK begins the next transaction at once: AND CHAIN.
    var isChained: Bool {
        guard let and = tokens.firstIndex(of: .word("and")) else { return false }
        return tokens.dropFirst(and + 1).first == .word("chain")
    }

    /// What SET or RESET does to the role, given the numbers of names; nil when it sets something else.
    func changeRole(_ state: inout RoleState, names: inout RoleNames) {
        var rest = tokens.dropFirst()
        guard Verb(tokens) == .set else {
            if rest.first == .word("role") { state.setRole(0, isLocal: false) }
            if Self.takesAuthorization(&rest) { state.setAuthorization(0, isLocal: false) }
            return
        }
        let isLocal = rest.first == .word("local")
        // SET SESSION AUTHORIZATION begins like SET SESSION role.
        let isSession = rest.first == .word("session") && rest.dropFirst().first != .word("authorization")
        if isLocal || isSession { rest.removeFirst() }
        let isRole = rest.first == .word("role")
        if isRole { rest.removeFirst() }
        guard isRole || Self.takesAuthorization(&rest) else { return }
        if rest.first == .word("to") || rest.first == .other { rest.removeFirst() }
        guard let value = rest.first else { return }
        let isNone = value == .word("default") || isRole && value.identifier == "none"
        guard let name = value.identifier else { return }
        let number = isNone ? 0 : names.number(of: name)
        if isRole { state.setRole(number, isLocal: isLocal) }
        if !isRole { state.setAuthorization(number, isLocal: isLocal) }
    }

    private static func takesAuthorization(_ rest: inout ArraySlice<Token>) -> Bool {
        if rest.first == .word("session_authorization") {
            rest.removeFirst()
            return true
        }
        guard rest.first == .word("session"), rest.dropFirst().first == .word("authorization") else {
            return false
        }
        rest.removeFirst(2)
        return true
    }

    /// Whether a SET or RESET can change the role: a quick look that is right when it says no.
    static func mayChangeRole(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= 8 else { return false }
        for at in 0..<text.count - 3 {
            let word = text.loadUnaligned(fromByteOffset: at, as: UInt32.self) | 0x2020_2020
            // "role" and "auth", little-endian.
            if word == 0x656C_6F72 || word == 0x6874_7561 { return true }
        }
        return false
    }
}

extension SessionStatement.Token {
    /// Reads a token of `text`.
    fileprivate init(_ token: sql_token, in text: UnsafeRawBufferPointer) {
        var token = token
        var start = 0
        var end = 0
        sql_token_body(text.baseAddress, &token, &start, &end)
        let body = String(decoding: text[start..<end], as: UTF8.self)
        switch token.kind {
        case SQL_TOKEN_WORD: self = .word(body.folded)
        case SQL_TOKEN_QUOTED_NAME: self = .name(body.replacing("\"\"", with: "\""))
        case SQL_TOKEN_STRING: self = .string(body.replacing("''", with: "'"))
        default: self = .other
        }
    }

    /// The name that the token stands for.
    fileprivate var identifier: String? {
        switch self {
        case .word(let text), .name(let text), .string(let text): text
        case .other: nil
        }
    }
}

extension String {
    /// ASCII letters in lower case: PostgreSQL leaves others alone in UTF-8.
    fileprivate var folded: String {
        String(decoding: utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
