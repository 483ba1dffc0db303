import Foundation

@testable import JSONText

/// Values as Foundation's decoder reads them: the other opinion in tests.
extension JSONValue: Decodable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Parses a JSON text.
    static func read(_ bytes: [UInt8]) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }

    /// Takes any value that a decoder has.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Name.self) {
            let members = try container.allKeys.map {
                ($0.stringValue, try container.decode(JSONValue.self, forKey: $0))
            }
            self = .object(Dictionary(members) { first, _ in first })
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            // A decoder tells the kind of a value in no other way.
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .string(text)
            } else if let truth = try? container.decode(Bool.self) {
                self = .boolean(truth)
            } else if let integer = try? container.decode(Int64.self) {
                self = .integer(integer)
            } else {
                self = .double(try container.decode(Double.self))
            }
        }
    }
}

extension JSONValue {
    /// The same, but for numbers that are whole however they are written: Foundation does not tell how.
    var folded: JSONValue {
        switch self {
        case .double(let number): Int64(exactly: number).map { .integer($0) } ?? self
        case .array(let elements): .array(elements.map(\.folded))
        case .object(let members): .object(members.mapValues(\.folded))
        case .null, .boolean, .integer, .string: self
        }
    }
}
