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

extension JSONWriter {
    /// Writes a value, members in ascending byte order of their names.
    package mutating func value(_ value: JSONValue) {
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
    package mutating func value(_ members: [String: JSONValue]) {
        object { writer in
            for name in members.keys.sorted(by: utf8Precedes) {
                writer.key(name)
                writer.value(members[name] ?? .null)
            }
        }
    }
}
