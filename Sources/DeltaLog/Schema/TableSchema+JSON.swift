import FoundationEssentials

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
            self = try JSONDecoder().decode(TableSchema.self, from: Data(schemaString.utf8))
        } catch let error as DeltaLogError {
            throw error
        } catch {
            throw DeltaLogError(.malformedSchema, "the schema string cannot be read: \(error)")
        }
        _ = try merged(with: self)
    }
}

extension TableSchema: Decodable {
    private enum Key: String, CodingKey {
        case fields
    }

    package init(from decoder: any Decoder) throws {
        fields = try decoder.container(keyedBy: Key.self).decode([SchemaField].self, forKey: .fields)
    }
}

extension SchemaField: Decodable {
    private enum Key: String, CodingKey {
        case name
        case type
        case nullable
        case metadata
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: .name)
        type = try container.decode(DataType.self, forKey: .type)
        nullable = try container.decode(Bool.self, forKey: .nullable)
        metadata = try container.decodeIfPresent([String: JSONValue].self, forKey: .metadata) ?? [:]
    }
}

extension DataType: Decodable {
    private enum Key: String, CodingKey {
        case type
        case keyType
        case valueType
        case valueContainsNull
        case elementType
        case containsNull
    }

    package init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            guard let type = DataType(primitiveName: name) else { throw Self.unsupported(name, decoder) }
            self = type
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        switch try container.decode(String.self, forKey: .type) {
        case "struct":
            self = .structure(try TableSchema(from: decoder))
        case "map":
            self = .map(
                key: try container.decode(DataType.self, forKey: .keyType),
                value: try container.decode(DataType.self, forKey: .valueType),
                valueContainsNull: try container.decode(Bool.self, forKey: .valueContainsNull)
            )
        case "array":
            self = .array(
                element: try container.decode(DataType.self, forKey: .elementType),
                containsNull: try container.decode(Bool.self, forKey: .containsNull)
            )
        case let name:
            throw Self.unsupported(name, decoder)
        }
    }

    private static func unsupported(_ name: String, _ decoder: any Decoder) -> DeltaLogError {
        let place = decoder.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        return DeltaLogError(
            .unsupportedType,
            "type '\(name)' at \(place.joined(separator: ".")) is not supported; "
                + "cast the column to string, long, double, date or timestamp in the tool that wrote the table"
        )
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
