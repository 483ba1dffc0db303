/// Any JSON value, for the places where the protocol lets writers store what they like.
package indirect enum JSONValue: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number without a fraction that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case double(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object; the order of its members is not kept.
    case object([String: JSONValue])

    /// The string, when it is one.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The integer, when it is one.
    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The boolean, when it is one.
    package var boolean: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }

    /// The members, when it is an object.
    package var object: [String: JSONValue]? {
        if case .object(let value) = self { value } else { nil }
    }
}

extension JSONValue: Decodable {
    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: AnyKey.self) {
            var members: [String: JSONValue] = [:]
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self = .object(members)
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd {
                elements.append(try container.decode(JSONValue.self))
            }
            self = .array(elements)
            return
        }
        self = Self.scalar(try decoder.singleValueContainer())
    }

    /// Asks for each kind in turn: a decoder tells the kind of a value in no other way.
    private static func scalar(_ container: any SingleValueDecodingContainer) -> JSONValue {
        if let value = try? container.decode(String.self) {
            return .string(value)
        }
        if let value = try? container.decode(Bool.self) {
            return .boolean(value)
        }
        if let value = try? container.decode(Int64.self) {
            return .integer(value)
        }
        if let value = try? container.decode(Double.self) {
            return .double(value)
        }
        return .null
    }
}

extension JSONWriter {
    /// Writes a value, members in ascending byte order of their names.
    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .boolean(let boolean): self.value(boolean)
        case .integer(let integer): self.value(integer)
        case .double(let double): self.value(double)
        case .string(let string): self.value(string)
        case .array(let elements):
            array { writer in
                for element in elements {
                    writer.value(element)
                }
            }
        case .object(let members): self.value(members)
        }
    }

    /// Writes an object, members in ascending byte order of their names.
    mutating func value(_ members: [String: JSONValue]) {
        object { writer in
            for name in members.keys.sorted(by: utf8Precedes) {
                writer.key(name)
                writer.value(members[name] ?? .null)
            }
        }
    }
}

/// A member name that is known only at run time.
struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}
