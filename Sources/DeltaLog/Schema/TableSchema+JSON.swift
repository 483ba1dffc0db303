import JSONText

extension TableSchema {
    /// The schema as Spark writes it into `metaData.schemaString`, byte for byte.
    ///
    /// Source: protocol section "Schema Serialization Format".
    package var schemaString: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }

    /// Reads a `metaData.schemaString`.
    ///
    /// - Parameter schemaString: JSON as any Delta writer leaves it; unknown members are ignored.
    /// - Throws: `DeltaLogError` with `malformedSchema`, `unsupportedType` or `columnNameClash`.
    package init(schemaString: String) throws(DeltaLogError) {
        do {
            self = try JSONReader.read(schemaString.utf8) { try TableSchema(&$0, at: "") }
        } catch let error as DeltaLogError {
            throw error
        } catch {
            throw DeltaLogError(.malformedSchema, "the schema string cannot be read: \(error)")
        }
        _ = try merged(with: self)
    }
}

extension TableSchema {
    /// Reads a struct, its members in any order.
    ///
    /// - Parameters:
    ///   - reader: Stands before the object.
    ///   - place: The names down to the struct, each with a full stop, for errors.
    /// - Throws: `JSONReader.Failure`, or `DeltaLogError` with `unsupportedType`.
    fileprivate init(_ reader: inout JSONReader, at place: String) throws {
        var parts = TypeParts()
        try parts.read(&reader, at: place)
        fields = try parts.fields.member("fields")
    }
}

extension SchemaField {
    fileprivate init(_ reader: inout JSONReader, at place: String) throws {
        var name: String?
        var type: DataType?
        var nullable: Bool?
        var metadata: [String: JSONValue]?
        try reader.object { reader, member in
            switch member {
            case "name": name = try reader.string()
            case "type": type = try DataType(&reader, at: place + (name ?? "?"))
            case "nullable": nullable = try reader.boolean()
            case "metadata": metadata = try reader.optional { try $0.members { try $0.value() } }
            default: try reader.skip()
            }
        }
        self.init(
            try name.member("name"),
            try type.member("type"),
            nullable: try nullable.member("nullable"),
            metadata: metadata ?? [:]
        )
    }
}

extension DataType {
    fileprivate init(_ reader: inout JSONReader, at place: String) throws {
        if try reader.isString() {
            let name = try reader.string()
            guard let type = DataType(primitiveName: name) else { throw Self.unsupported(name, place) }
            self = type
            return
        }
        var parts = TypeParts()
        try parts.read(&reader, at: place + ".")
        switch try parts.name.member("type") {
        case "struct": self = .structure(TableSchema(try parts.fields.member("fields")))
        case "map":
            self = .map(
                key: try parts.key.member("keyType"),
                value: try parts.value.member("valueType"),
                valueContainsNull: try parts.valueContainsNull.member("valueContainsNull")
            )
        case "array":
            self = .array(
                element: try parts.element.member("elementType"),
                containsNull: try parts.containsNull.member("containsNull")
            )
        case let name: throw Self.unsupported(name, place)
        }
    }

    private static func unsupported(_ name: String, _ place: String) -> DeltaLogError {
        DeltaLogError(
            .unsupportedType,
            "type '\(name)' of column '\(place)' is not supported; "
                + "cast the column to string, long, double, date or timestamp in the tool that wrote the table"
        )
    }
}

/// The members of a type that has parts: which of them count is known once all are read.
private struct TypeParts {
    var name: String?
    var fields: [SchemaField]?
    var key: DataType?
    var value: DataType?
    var valueContainsNull: Bool?
    var element: DataType?
    var containsNull: Bool?

    mutating func read(_ reader: inout JSONReader, at place: String) throws {
        try reader.object { reader, member in
            switch member {
            case "type": name = try reader.string()
            case "fields": fields = try reader.elements { try SchemaField(&$0, at: place) }
            case "keyType": key = try DataType(&reader, at: place + "key")
            case "valueType": value = try DataType(&reader, at: place + "value")
            case "valueContainsNull": valueContainsNull = try reader.boolean()
            case "elementType": element = try DataType(&reader, at: place + "element")
            case "containsNull": containsNull = try reader.boolean()
            default: try reader.skip()
            }
        }
    }
}

extension JSONWriter {
    /// Writes a schema; the order of members is Spark's.
    mutating func value(_ schema: TableSchema) {
        object { writer in
            writer.member("type", "struct")
            writer.key("fields")
            writer.array { writer in
                for field in schema.fields {
                    writer.value(field)
                }
            }
        }
    }

    private mutating func value(_ field: SchemaField) {
        object { writer in
            writer.member("name", field.name)
            writer.key("type")
            writer.value(field.type)
            writer.member("nullable", field.nullable)
            writer.key("metadata")
            writer.value(field.metadata)
        }
    }

    private mutating func value(_ type: DataType) {
        switch type {
        case .structure(let schema):
            value(schema)
        case .map(let key, let value, let valueContainsNull):
            object { writer in
                writer.member("type", "map")
                writer.key("keyType")
                writer.value(key)
                writer.key("valueType")
                writer.value(value)
                writer.member("valueContainsNull", valueContainsNull)
            }
        case .array(let element, let containsNull):
            object { writer in
                writer.member("type", "array")
                writer.key("elementType")
                writer.value(element)
                writer.member("containsNull", containsNull)
            }
        default:
            value(type.primitiveName ?? "")
        }
    }
}
