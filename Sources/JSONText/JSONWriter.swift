/// Writes JSON text without white space, members in the order they are given.
///
/// The protocol asks for one line per action; the order of members is fixed here so that equal values
/// give equal bytes. Strings are escaped as Jackson, and so Spark, does.
package struct JSONWriter {
    /// The text so far, UTF-8.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init() {}

    /// The text so far.
    package var text: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Writes an object whose members `body` writes.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes an array whose elements `body` writes.
    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "["))
        body(&self)
        close(UInt8(ascii: "]"))
    }

    /// Writes the name of a member; its value must follow.
    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a string.
    package mutating func value(_ string: String) {
        separate()
        quote(string)
    }

    /// Writes an integer.
    package mutating func value(_ integer: Int64) {
        token(String(integer))
    }

    /// Writes a finite number in the shortest form that reads back equal.
    package mutating func value(_ double: Double) {
        precondition(double.isFinite, "JSON has no \(double)")
        token(double.description)
    }

    /// Writes `true` or `false`.
    package mutating func value(_ boolean: Bool) {
        token(boolean ? "true" : "false")
    }

    /// Writes `null`.
    package mutating func null() {
        token("null")
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func token(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func separate() {
        if needsComma {
            bytes.append(UInt8(ascii: ","))
        }
        needsComma = true
    }

    private mutating func quote(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            escape(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
        case 0x08: bytes.append(contentsOf: #"\b"#.utf8)
        case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
        case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
        case 0x0C: bytes.append(contentsOf: #"\f"#.utf8)
        case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
        case 0..<0x20:
            let digits = Array("0123456789ABCDEF".utf8)
            bytes.append(contentsOf: #"\u00"#.utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }
}

extension JSONWriter {
    /// Writes a member unless its value is nil.
    package mutating func member(_ name: String, _ string: String?) {
        guard let string else { return }
        key(name)
        value(string)
    }

    /// Writes a member unless its value is nil.
    package mutating func member(_ name: String, _ integer: Int64?) {
        guard let integer else { return }
        key(name)
        value(integer)
    }

    /// Writes a member unless its value is nil.
    package mutating func member(_ name: String, _ boolean: Bool?) {
        guard let boolean else { return }
        key(name)
        value(boolean)
    }

    /// Writes a map as an object, keys in ascending byte order, unless it is nil.
    package mutating func member(_ name: String, _ map: [String: String?]?) {
        guard let map else { return }
        key(name)
        object { writer in
            for key in map.keys.sorted(by: utf8Precedes) {
                writer.key(key)
                if let value = map[key] ?? nil {
                    writer.value(value)
                } else {
                    writer.null()
                }
            }
        }
    }

    /// Writes a list of strings.
    package mutating func member(_ name: String, _ strings: [String]) {
        key(name)
        array { writer in
            for string in strings {
                writer.value(string)
            }
        }
    }
}

/// Whether `left` comes before `right` in UTF-8 byte order, the order of Delta's string columns.
package func utf8Precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}
