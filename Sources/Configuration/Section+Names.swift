import Foundation
import Yams

extension Section {
    /// Schemas that a user's table cannot be in.
    private static let reservedSchemas: Set<String> = ["_auditlake", "information_schema", "pg_catalog"]

    /// Catalogs that a lake cannot have: our own folder, and names that the query engine keeps for itself.
    private static let reservedCatalogs: Set<String> = ["_auditlake", "system", "temp"]

    /// The name of a table, `schema.table`, that must be there.
    func tableName(_ key: String) -> Setting<ConfiguredTable>? {
        let example = "audit.postgresql_logs"
        guard let node = required(key, example: example), let text = requiredText(key, example: example)
        else {
            return nil
        }
        let parts = text.value.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            let mend = "write schema.table; the catalog is set once, with catalog:"
            refuse(node, "\(path(key)) “\(text)” is not schema.table", mend: mend)
            return nil
        }
        guard parts.allSatisfy(Identifier.isValid) else {
            refuse(
                node,
                "\(path(key)) “\(text)” holds a name that not every engine takes",
                mend: Identifier.rule
            )
            return nil
        }
        guard !Self.reservedSchemas.contains(parts[0].lowercased()) else {
            refuse(node, "the schema of \(path(key)) “\(text)” is reserved", mend: "choose another schema")
            return nil
        }
        return text.map { _ in ConfiguredTable(schema: parts[0], table: parts[1]) }
    }

    /// Whether a schema can have the name `text`, also with `suffix` behind it; a fault when it cannot.
    func isSchema(_ text: Setting<String>, _ node: Node, of name: String, suffix: String) -> Bool {
        if !Identifier.isValid(text.value + suffix) {
            refuse(node, "\(name) “\(text)” is a name that not every engine takes", mend: Identifier.rule)
        } else if Self.reservedSchemas.contains(text.value.lowercased()) {
            refuse(node, "\(name) “\(text)” is reserved", mend: "choose another schema")
        } else {
            return true
        }
        return false
    }

    /// The first part of every table name; `main` unless given.
    func catalog(_ key: String) -> Setting<String> {
        guard let node = node(key), let text = context.text(node, of: path(key)) else {
            return Setting("main")
        }
        if !Identifier.isValid(text.value) {
            refuse(
                node,
                "\(path(key)) “\(text)” is a name that not every engine takes",
                mend: Identifier.rule
            )
        } else if Self.reservedCatalogs.contains(text.value.lowercased()) {
            refuse(node, "\(path(key)) “\(text)” is reserved", mend: "choose another name, such as main")
        }
        return text
    }

    /// An IANA time zone; nil when absent or unknown.
    ///
    /// Names without a slash are taken only when the zone database lists them as zones: `EST` could be many things.
    func timeZone(_ key: String) -> Setting<String>? {
        guard let node = node(key), let text = context.text(node, of: path(key)) else { return nil }
        let isUTC = ["UTC", "GMT"].contains(text.value)
        if isUTC || (text.value.contains("/") && TimeZone(identifier: text.value) != nil) { return text }
        let known = TimeZone.knownTimeZoneIdentifiers
        if known.contains(text.value) { return text }
        let nearest = text.isSecret ? nil : NearestName.of(text.value, among: known)
        let mend =
            nearest.map { "did you mean “\($0)”?" } ?? "write an IANA zone such as Europe/Berlin or UTC"
        refuse(node, "\(path(key)) “\(text)” is not an IANA time zone", mend: mend)
        return nil
    }
}
