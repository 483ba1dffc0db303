import CByteScan
import CPgQuery
import FoundationEssentials

/// The shapes of statements, parsed once per fingerprint with PostgreSQL's own parser.
///
/// Texts of one fingerprint share the shape of the first of them. A text that the parser refuses (a syntax newer than version
/// 15, a failed statement, a text over the limit) has the shape that its first words tell.
package struct StatementShapes {
    /// How many texts went to the parser.
    package private(set) var parseCount = 0
    private var shapes: [UInt64: StatementShape?] = [:]
    private let capacity: Int
    private let byteLimit: Int

    /// Bytes of stack that the parser may take for one byte of SQL such as `1+1+1`.
    private static let stackBytesPerByte = 400

    /// Makes an empty cache.
    ///
    /// - Parameters:
    ///   - capacity: The most fingerprints to keep; when full, the cache starts anew.
    ///   - stackBytes: The stack of the thread that calls `shape`. Texts over `stackBytes` / 400 bytes are not parsed, since the
    ///     parser would overflow the stack on some; nil stands for a thread of 8 MB and 16 kB of SQL.
    package init(capacity: Int = 4096, stackBytes: Int? = nil) {
        precondition(capacity > 0, "a cache of shapes holds at least one")
        self.capacity = capacity
        byteLimit = stackBytes.map { $0 / Self.stackBytesPerByte } ?? 16 << 10
    }

    /// The shape of a text's first statement.
    ///
    /// - Parameters:
    ///   - sql: The text as it was sent, with its literals.
    ///   - fingerprint: What `SQLNormalizer` gave for it.
    /// - Returns: The shape, or nil when neither the parser nor the first words know the statement.
    /// - Complexity: O(1) for a known fingerprint.
    package mutating func shape(of sql: UnsafeRawBufferPointer, fingerprint: UInt64) -> StatementShape? {
        if let known = shapes[fingerprint] {
            return known
        }
        if shapes.count >= capacity {
            shapes.removeAll(keepingCapacity: true)
        }
        let keywords = LeadingKeywords(sql).shape
        let shape = keywords.map { told in parse(sql).map { told.refined(by: $0) } ?? told }
        shapes[fingerprint] = .some(shape)
        return shape
    }

    /// The first statement's node; nil when the text is too long or no SQL of version 15.
    private mutating func parse(_ sql: UnsafeRawBufferPointer) -> ParsedStatement? {
        guard sql.count <= byteLimit, !sql.contains(0) else { return nil }
        parseCount += 1
        let result = (sql.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer {
            pg_query_parse($0.baseAddress)
        }
        defer { pg_query_free_parse_result(result) }
        guard result.error == nil, let json = result.parse_tree else { return nil }
        do {
            let data = Data(String(cString: json).utf8)
            return try JSONDecoder().decode(ParseTree.self, from: data).stmts?.first?.stmt
        } catch {
            // A tree nested deeper than the decoder goes; the first words must do.
            return nil
        }
    }
}

extension StatementShape {
    /// What the first words told, made exact by the parser.
    func refined(by statement: ParsedStatement) -> StatementShape {
        var shape = self
        if let manipulation = Self.manipulations[statement.kind] {
            shape = manipulation
        }
        switch statement.kind {
        case "SelectStmt", "CreateTableAsStmt":
            if statement.isSelectInto {
                shape = StatementShape(command: "SELECT INTO", auditClass: .ddl, objectType: "TABLE")
            } else if shape.command == "CREATE TABLE" {
                shape.command = "CREATE TABLE AS"
            }
        case "PrepareStmt", "DeclareCursorStmt":
            let inner = statement.inner.first.flatMap { Self.manipulations[$0.kind] }
            shape.auditClass = inner?.auditClass ?? shape.auditClass
        default:
            break
        }
        shape.objectName = statement.object?.text
        shape.objectType =
            shape.objectName == nil ? nil : shape.objectType ?? Self.impliedType(of: shape.command)
        return shape
    }

    private static let manipulations: [String: StatementShape] = [
        "SelectStmt": StatementShape(command: "SELECT", auditClass: .read),
        "InsertStmt": StatementShape(command: "INSERT", auditClass: .write),
        "UpdateStmt": StatementShape(command: "UPDATE", auditClass: .write),
        "DeleteStmt": StatementShape(command: "DELETE", auditClass: .write),
        "MergeStmt": StatementShape(command: "MERGE", auditClass: .write),
    ]

    /// The type of the object that a command without one in its tag works on.
    private static func impliedType(of command: String) -> String? {
        switch command {
        case "CALL": "PROCEDURE"
        case "REFRESH MATERIALIZED VIEW": "MATERIALIZED VIEW"
        case "REINDEX", "GRANT", "REVOKE", "GRANT ROLE", "REVOKE ROLE": nil
        default: "TABLE"
        }
    }
}
