/// One piece of SQL text that is neither space nor comment.
struct SQLToken: Hashable {
    /// What the piece is.
    enum Kind: Hashable {
        /// A keyword or a name without quotes.
        case word
        /// A name in double quotes.
        case quotedName
        /// A string, a number or a parameter.
        case literal
        /// Any other single character.
        case symbol
    }

    /// What the piece is.
    var kind: Kind
    /// Where it lies, in UTF-8 bytes of the text.
    var range: Range<Int>
    /// The name without its quotes, or the text as it stands.
    var text: String
}

/// Cuts SQL into tokens by the rules of DuckDB's lexer: what lies in quotes or comments is never taken for SQL.
struct SQLScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ sql: String) { self.bytes = Array(sql.utf8) }

    /// The tokens of `sql`.
    ///
    /// - Throws: ``QueryError`` with code `invalidSQL` when a quote or a comment is still open at the end.
    /// - Complexity: O(length of `sql`).
    static func tokens(_ sql: String) throws(QueryError) -> [SQLToken] {
        var scanner = SQLScanner(sql)
        var tokens: [SQLToken] = []
        while let token = try scanner.next() { tokens.append(token) }
        return tokens
    }

    private mutating func next() throws(QueryError) -> SQLToken? {
        try skipSpaceAndComments()
        guard let byte = peek(0) else { return nil }
        let start = position
        switch byte {
        case UInt8(ascii: "'"):
            try skipQuoted(byte, backslash: false)
            return token(.literal, from: start)
        case UInt8(ascii: "\""):
            try skipQuoted(byte, backslash: false)
            var name = token(.quotedName, from: start)
            name.text = String(name.text.dropFirst().dropLast()).replacing("\"\"", with: "\"")
            return name
        case UInt8(ascii: "$"):
            try skipDollar()
            return token(position > start + 1 ? .literal : .symbol, from: start)
        case _ where isDigit(byte):
            while let next = peek(0), isNamePart(next) { position += 1 }
            return token(.literal, from: start)
        case _ where isNamePart(byte):
            return try word(from: start)
        default:
            position += 1
            return token(.symbol, from: start)
        }
    }

    /// A word; `E'…'` is a string in which a backslash escapes the quote.
    private mutating func word(from start: Int) throws(QueryError) -> SQLToken {
        while let next = peek(0), isNamePart(next) { position += 1 }
        guard position == start + 1, bytes[start] | 0x20 == UInt8(ascii: "e"), peek(0) == UInt8(ascii: "'")
        else {
            return token(.word, from: start)
        }
        try skipQuoted(UInt8(ascii: "'"), backslash: true)
        return token(.literal, from: start)
    }

    private mutating func skipSpaceAndComments() throws(QueryError) {
        while let byte = peek(0) {
            if byte == UInt8(ascii: "-"), peek(1) == byte {
                while let next = peek(0), next != UInt8(ascii: "\n") { position += 1 }
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                try skipBlockComment()
            } else if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                position += 1
            } else {
                return
            }
        }
    }

    /// Block comments nest.
    private mutating func skipBlockComment() throws(QueryError) {
        var depth = 0
        repeat {
            guard let byte = peek(0) else { throw QueryError(.invalidSQL, "a comment “/*” has no end “*/”") }
            if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                position += 2
            } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                position += 2
            } else {
                position += 1
            }
        } while depth > 0
    }

    /// Moves behind the closing quote; a doubled quote stands for itself.
    private mutating func skipQuoted(_ quote: UInt8, backslash: Bool) throws(QueryError) {
        position += 1
        while let byte = peek(0) {
            position += 1
            if backslash, byte == UInt8(ascii: "\\") {
                position += 1
            } else if byte == quote {
                guard peek(0) == quote else { return }
                position += 1
            }
        }
        throw QueryError(.invalidSQL, "a quote \(Character(Unicode.Scalar(quote))) is not closed")
    }

    /// A string `$tag$…$tag$`, a parameter `$1`, or the character alone.
    private mutating func skipDollar() throws(QueryError) {
        let start = position
        position += 1
        while let next = peek(0), isNamePart(next) { position += 1 }
        guard peek(0) == UInt8(ascii: "$"), !(peek(start + 1 - position).map(isDigit) ?? false) else {
            return
        }
        position += 1
        let tag = bytes[start..<position]
        while position + tag.count <= bytes.count {
            if bytes[position..<position + tag.count].elementsEqual(tag) {
                position += tag.count
                return
            }
            position += 1
        }
        throw QueryError(.invalidSQL, "a string \(String(decoding: tag, as: UTF8.self)) is not closed")
    }

    private func peek(_ offset: Int) -> UInt8? {
        bytes.indices.contains(position + offset) ? bytes[position + offset] : nil
    }

    private func token(_ kind: SQLToken.Kind, from start: Int) -> SQLToken {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        return SQLToken(kind: kind, range: start..<position, text: text)
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func isNamePart(_ byte: UInt8) -> Bool {
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        return isLetter || isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
