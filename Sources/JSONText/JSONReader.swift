/// Reads JSON text value by value, in one pass and without a tree.
///
/// Strict: what RFC 8259 does not allow is an error, as are strings that are no UTF-8 or hold half a surrogate pair, and
/// nesting deeper than ``depthLimit``. Of members with one name the last counts.
package struct JSONReader {
    /// Objects and arrays that may stand in each other.
    package static let depthLimit = 512

    /// Why a text cannot be read.
    package struct Failure: Error, CustomStringConvertible {
        /// The byte, from 0, at which something else was expected.
        package var offset: Int
        /// What was expected there, for people.
        package var expected: String

        package var description: String { "byte \(offset): expected \(expected)" }
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var offset = 0
    private var depth = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Reads a text that is one value.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - body: Reads the value; what follows it may be white space only.
    /// - Returns: What `body` returns.
    /// - Throws: `Failure`, and what `body` throws.
    /// - Complexity: O(length), plus a copy of a collection that is not contiguous.
    package static func read<Value>(
        _ text: some Collection<UInt8>,
        _ body: (inout JSONReader) throws -> Value
    ) throws -> Value {
        func read(_ bytes: UnsafeBufferPointer<UInt8>) throws -> Value {
            var reader = JSONReader(bytes)
            let value = try body(&reader)
            reader.skipSpace()
            guard reader.offset == bytes.count else { throw reader.failure("the end") }
            return value
        }
        return try text.withContiguousStorageIfAvailable(read)
            ?? Array(text).withUnsafeBufferPointer(read)
    }

    // MARK: Values

    /// Reads an object; `member` reads the value behind each name.
    package mutating func object(_ member: (inout JSONReader, String) throws -> Void) throws {
        try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), "an object") { reader in
            let name = try reader.string()
            try reader.take(UInt8(ascii: ":"), "a colon")
            try member(&reader, name)
        }
    }

    /// Reads an array; `element` reads each value.
    package mutating func array(_ element: (inout JSONReader) throws -> Void) throws {
        try nested(UInt8(ascii: "["), UInt8(ascii: "]"), "an array", element)
    }

    /// Reads a number without a fraction that fits 64 bits, however it is written.
    package mutating func integer() throws -> Int64 {
        let start = nextOffset()
        guard let value = Self.integer(try number()) else {
            throw Failure(offset: start, expected: "a whole number of 64 bits")
        }
        return value
    }

    /// Reads `true` or `false`.
    package mutating func boolean() throws -> Bool {
        if take("true") { return true }
        if take("false") { return false }
        throw failure("true or false")
    }

    /// Reads `null`, when it is what comes next; else nothing.
    package mutating func null() -> Bool { take("null") }

    /// Reads a value, or `null` as nil.
    package mutating func optional<Value>(_ read: (inout JSONReader) throws -> Value) throws -> Value? {
        null() ? nil : try read(&self)
    }

    /// Whether a string is what comes next.
    package mutating func isString() throws -> Bool { try next("a value") == UInt8(ascii: "\"") }

    /// Passes over a value.
    package mutating func skip() throws {
        switch try next("a value") {
        case UInt8(ascii: "{"): try object { reader, _ in try reader.skip() }
        case UInt8(ascii: "["): try array { try $0.skip() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
        case UInt8(ascii: "n") where null(): break
        default: _ = try anyNumber()
        }
    }

    /// Reads any value.
    package mutating func value() throws -> JSONValue {
        switch try next("a value") {
        case UInt8(ascii: "{"): return .object(try members { try $0.value() })
        case UInt8(ascii: "["): return .array(try elements { try $0.value() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean(try boolean())
        case UInt8(ascii: "n") where null(): return .null
        default:
            return try anyNumber()
        }
    }

    /// Reads an object of values of one kind.
    package mutating func members<Value>(_ read: (inout JSONReader) throws -> Value) throws -> [String: Value]
    {
        var members: [String: Value] = [:]
        try object { reader, name in members[name] = .some(try read(&reader)) }
        return members
    }

    /// Reads an array of values of one kind.
    package mutating func elements<Value>(_ read: (inout JSONReader) throws -> Value) throws -> [Value] {
        var elements: [Value] = []
        try array { elements.append(try read(&$0)) }
        return elements
    }

    /// Reads an object of strings and nulls: a Delta map.
    package mutating func map() throws -> [String: String?] {
        try members { reader in try reader.optional { try $0.string() } }
    }

    // MARK: Strings

    /// Reads a string.
    package mutating func string() throws -> String {
        try take(UInt8(ascii: "\""), "a string")
        let start = offset
        while let byte = peek(), byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            offset += 1
        }
        guard try current("the end of a string") == UInt8(ascii: "\"") else {
            return try escapedString(from: start)
        }
        offset += 1
        return try text(UnsafeBufferPointer(rebasing: bytes[start..<(offset - 1)]), from: start)
    }

    private mutating func escapedString(from start: Int) throws -> String {
        var decoded = Array(bytes[start..<offset])
        while true {
            let byte = try current("the end of a string")
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return try decoded.withUnsafeBufferPointer { try text($0, from: start) }
            case UInt8(ascii: "\\"): try appendEscaped(to: &decoded)
            case 0..<0x20:
                offset -= 1
                throw failure("an escape for a control character")
            default: decoded.append(byte)
            }
        }
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(offset: start, expected: "UTF-8")
        }
        return text
    }

    private mutating func appendEscaped(to decoded: inout [UInt8]) throws {
        let escape = try current("an escape")
        offset += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(escape)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "f"): decoded.append(0x0C)
        case UInt8(ascii: "n"): decoded.append(0x0A)
        case UInt8(ascii: "r"): decoded.append(0x0D)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "u"): decoded.append(contentsOf: String(try scalar()).utf8)
        default:
            offset -= 1
            throw failure("an escape")
        }
    }

    /// Reads the digits behind `\u`, and those of the other half of a surrogate pair.
    private mutating func scalar() throws -> Character {
        let start = offset
        var code = try codeUnit()
        if 0xD800..<0xDC00 ~= code, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            offset += 2
            let low = try codeUnit()
            guard 0xDC00..<0xE000 ~= low else { throw Failure(offset: start, expected: "a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw Failure(offset: start, expected: "a surrogate pair")
        }
        return Character(scalar)
    }

    private mutating func codeUnit() throws -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let digit = UInt32(try current("a hexadecimal digit"))
            switch digit {
            case 0x30...0x39: code = code << 4 | (digit - 0x30)
            case 0x41...0x46, 0x61...0x66: code = code << 4 | ((digit | 0x20) - 0x57)
            default: throw failure("a hexadecimal digit")
            }
            offset += 1
        }
        return code
    }

    // MARK: Numbers

    /// Passes over a number.
    ///
    /// - Returns: Its text.
    private mutating func number() throws -> Slice<UnsafeBufferPointer<UInt8>> {
        let start = nextOffset()
        if peek() == UInt8(ascii: "-") { offset += 1 }
        if peek() == UInt8(ascii: "0") {
            offset += 1
        } else {
            try digits()
        }
        if peek() == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            offset += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        return bytes[start..<offset]
    }

    /// Reads a number of 64 bits: whole when it is written so and fits.
    private mutating func anyNumber() throws -> JSONValue {
        let start = nextOffset()
        let text = try number()
        if text.allSatisfy({ Self.isDigit($0) || $0 == UInt8(ascii: "-") }), let integer = Self.integer(text)
        {
            return .integer(integer)
        }
        guard let double = Self.double(text) else {
            throw Failure(offset: start, expected: "a number of 64 bits")
        }
        return .double(double)
    }

    private mutating func digits() throws {
        guard let first = peek(), Self.isDigit(first) else { throw failure("a digit") }
        while let byte = peek(), Self.isDigit(byte) { offset += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func integer(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        Int64(String(decoding: text, as: UTF8.self)) ?? double(text).flatMap { Int64(exactly: $0) }
    }

    private static func double(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
        Double(String(decoding: text, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil }
    }

    // MARK: Bytes

    private mutating func nested(
        _ open: UInt8,
        _ close: UInt8,
        _ kind: String,
        _ part: (inout JSONReader) throws -> Void
    ) throws {
        try take(open, kind)
        guard depth < Self.depthLimit else { throw failure("no deeper nesting") }
        depth += 1
        defer { depth -= 1 }
        if try next("the end of \(kind)") == close {
            offset += 1
            return
        }
        while true {
            try part(&self)
            let byte = try next("the end of \(kind)")
            guard byte == close || byte == UInt8(ascii: ",") else { throw failure("the end of \(kind)") }
            offset += 1
            if byte == close { return }
        }
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func nextOffset() -> Int {
        skipSpace()
        return offset
    }

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func current(_ expected: @autoclosure () -> String) throws -> UInt8 {
        guard let byte = peek() else { throw failure(expected()) }
        return byte
    }

    /// The first byte of what comes next.
    private mutating func next(_ expected: @autoclosure () -> String) throws -> UInt8 {
        skipSpace()
        return try current(expected())
    }

    private mutating func take(_ byte: UInt8, _ expected: @autoclosure () -> String) throws {
        guard try next(expected()) == byte else { throw failure(expected()) }
        offset += 1
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let end = nextOffset() + word.utf8CodeUnitCount
        guard end <= bytes.count, bytes[offset..<end].elementsEqual(UnsafeBufferPointer(word)) else {
            return false
        }
        offset = end
        return true
    }

    private func failure(_ expected: String) -> Failure { Failure(offset: offset, expected: expected) }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate init(_ word: StaticString) {
        self.init(start: word.utf8Start, count: word.utf8CodeUnitCount)
    }
}

extension Optional {
    /// The value of a member that must be there.
    ///
    /// - Throws: `JSONReader.Failure`.
    package func member(_ name: String) throws -> Wrapped {
        guard let self else { throw JSONReader.Failure(offset: 0, expected: "a member '\(name)'") }
        return self
    }
}
