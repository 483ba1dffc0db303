/// pgaudit's classes of statements.
package enum AuditClass: String, Hashable, Sendable, Codable {
    case read = "READ"
    case write = "WRITE"
    case function = "FUNCTION"
    case role = "ROLE"
    case ddl = "DDL"
    case misc = "MISC"
}

/// What a statement does, and to what; literals play no part in it.
package struct StatementShape: Hashable, Sendable {
    /// PostgreSQL's command tag: `SELECT`, `CREATE TABLE`, `ALTER ROLE`.
    package var command: String
    /// The class pgaudit would give it; MERGE is WRITE here, not MISC.
    package var auditClass: AuditClass
    /// `TABLE`, `INDEX`, `ROLE` and so on; a relation read or written counts as a TABLE, since its text does not tell.
    package var objectType: String?
    /// The first or target object as written, `schema.name` where a schema is given.
    package var objectName: String?
}
