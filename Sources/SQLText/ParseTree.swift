/// The part of libpg_query's JSON that shapes need.
struct ParseTree: Decodable {
    /// One statement of the text.
    struct Entry: Decodable {
        var stmt: ParsedStatement
    }

    /// The statements in order; absent for an empty text.
    var stmts: [Entry]?
}

/// A statement's node: its kind, the object it names, and the statement inside it.
struct ParsedStatement: Decodable {
    /// The node's name, such as `InsertStmt`.
    let kind: String
    /// The target, or the first relation that is read.
    let object: ParsedName?
    /// The statement that EXPLAIN, PREPARE, DECLARE, COPY or CREATE TABLE AS holds.
    let inner: [ParsedStatement]
    /// SELECT … INTO.
    let isSelectInto: Bool

    private enum Field: String, CodingKey {
        case relation, rel, view, sequence, typevar, into, intoClause, base, idxname, objects, object,
            relations
        case funcname, defnames, typeName, domainname, schemaname, dbname, trigname, extname, pubname, subname
        case servername, fdwname, tablespacename, plname, role, roles, fromClause, larg, rels, rulename,
            funccall
        case query
        case policyName = "policy_name"
        case conversionName = "conversion_name"
        case isSelectInto = "is_select_into"
        case grantedRoles = "granted_roles"
    }

    /// Where the name may stand, the likeliest meaning first.
    private static let nameFields: [Field] = [
        .idxname, .trigname, .policyName, .rulename, .into, .intoClause, .relation, .rel, .view, .sequence,
        .typevar, .base, .grantedRoles, .object, .relations, .funcname, .funccall, .defnames, .typeName,
        .domainname, .schemaname, .dbname, .extname, .pubname, .subname, .servername, .fdwname,
        .tablespacename, .conversionName, .plname, .role, .roles, .rels, .fromClause,
    ]

    init(from decoder: any Decoder) throws {
        let node = try decoder.container(keyedBy: NodeName.self)
        guard let key = node.allKeys.first else {
            let context = DecodingError.Context(
                codingPath: decoder.codingPath,
                debugDescription: "empty node"
            )
            throw DecodingError.dataCorrupted(context)
        }
        let body = try node.nestedContainer(keyedBy: Field.self, forKey: key)
        kind = key.stringValue
        isSelectInto = body.contains(.intoClause) || body.contains(.isSelectInto)
        let inside = try body.decodeIfPresent(ParsedStatement.self, forKey: .query)
        inner = inside.map { [$0] } ?? []
        var found: ParsedName?
        if kind == "SelectStmt", body.contains(.larg) {
            found = try body.decode(SelectBranch.self, forKey: .larg).name
        }
        if body.contains(.objects) {
            found = try body.decode([ParsedName].self, forKey: .objects).first
        }
        for field in Self.nameFields where found == nil && body.contains(field) {
            let name = try body.decode(ParsedName.self, forKey: field)
            found = name.text == nil ? nil : name
        }
        object = found ?? inner.first?.object
    }
}

/// The first branch of a UNION, which stands without a node name around it.
private struct SelectBranch: Decodable {
    var name: ParsedName?

    private enum Field: String, CodingKey {
        case fromClause, larg
    }

    init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: Field.self)
        if body.contains(.larg) {
            name = try body.decode(SelectBranch.self, forKey: .larg).name
        } else if body.contains(.fromClause) {
            name = try body.decode(ParsedName.self, forKey: .fromClause)
        }
    }
}

/// The name that some node stands for, whatever its kind: a relation, a role, a list of strings, a join's left side.
struct ParsedName: Decodable {
    /// `schema.name` or `name`; nil when the node names nothing, as a function in FROM.
    let text: String?

    private enum Field: String, CodingKey {
        case relname, schemaname, rolename, sval, items, names, objname, larg, rel, relation, subquery,
            fromClause, funcname
        case rangeVar = "RangeVar"
        case list = "List"
        case string = "String"
        case typeName = "TypeName"
        case objectWithArgs = "ObjectWithArgs"
        case roleSpec = "RoleSpec"
        case joinExpr = "JoinExpr"
        case rangeSubselect = "RangeSubselect"
        case selectStmt = "SelectStmt"
        case vacuumRelation = "VacuumRelation"
        case accessPriv = "AccessPriv"
        case privilegeName = "priv_name"
    }

    /// Fields in which the name stands deeper.
    private static let deeper: [Field] = [
        .items, .names, .objname, .larg, .rel, .relation, .subquery, .fromClause, .funcname, .rangeVar, .list,
        .string,
        .typeName, .objectWithArgs, .roleSpec, .joinExpr, .rangeSubselect, .selectStmt, .vacuumRelation,
        .accessPriv,
    ]

    init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() {
            text = try Self.joined(&list)
        } else if let node = try? decoder.container(keyedBy: Field.self) {
            text = try Self.name(in: node)
        } else {
            text = try decoder.singleValueContainer().decode(String.self)
        }
    }

    private static func name(in node: KeyedDecodingContainer<Field>) throws -> String? {
        if let name = try node.decodeIfPresent(String.self, forKey: .relname) {
            let schema = try node.decodeIfPresent(String.self, forKey: .schemaname)
            return schema.map { "\($0).\(name)" } ?? name
        }
        for field in [Field.rolename, .sval, .privilegeName] where node.contains(field) {
            return try node.decode(String.self, forKey: field)
        }
        for field in deeper where node.contains(field) {
            return try node.decode(ParsedName.self, forKey: field).text
        }
        return nil
    }

    /// A list of strings is one qualified name; of any other list the first element counts.
    private static func joined(_ list: inout any UnkeyedDecodingContainer) throws -> String? {
        var parts: [String] = []
        while !list.isAtEnd {
            let element = try list.decode(ListElement.self)
            guard let part = element.string else {
                return parts.isEmpty ? element.name : parts.joined(separator: ".")
            }
            parts.append(part)
        }
        return parts.isEmpty ? nil : parts.joined(separator: ".")
    }

    private struct ListElement: Decodable {
        var string: String?
        var name: String?

        init(from decoder: any Decoder) throws {
            let node = try decoder.container(keyedBy: Field.self)
            name = try ParsedName.name(in: node)
            string = node.contains(.string) ? name : nil
        }
    }
}

/// A node's name, which can be any.
private struct NodeName: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}
