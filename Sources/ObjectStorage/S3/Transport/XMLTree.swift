/// An XML document as far as S3 and STS use XML: elements and text.
///
/// Attributes and comments are skipped. There are no document types, so no entities but the five of XML itself and those of characters.
struct XMLTree: Hashable, Sendable {
    /// The element's name, without its namespace.
    var name: String
    /// Its text, without that of its children.
    var text = ""
    /// Elements in it.
    var children: [XMLTree] = []

    /// Why a document is not read.
    struct Malformed: Error, Hashable {
        /// Offset of the place, in bytes.
        var offset: Int
    }

    /// The first child of this name.
    func first(_ name: String) -> XMLTree? { children.first { $0.name == name } }

    /// The text of the first child of this name.
    func text(_ name: String) -> String? { first(name)?.text }

    /// The children of this name.
    func all(_ name: String) -> [XMLTree] { children.filter { $0.name == name } }

    /// Reads a document.
    ///
    /// - Throws: `Malformed` for anything but one well-formed element, or one nested deeper than 32.
    /// - Complexity: O(`bytes.count`).
    init(parsing bytes: [UInt8]) throws {
        var reader = XMLReader(bytes)
        self = try reader.readDocument()
    }

    fileprivate init(named name: String) { self.name = name }
}

private struct XMLReader {
    private let bytes: [UInt8]
    private var at = 0
    private static let maximumDepth = 32

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func readDocument() throws -> XMLTree {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        try skipMisc()
        let root = try readElement(depth: 0)
        try skipMisc()
        guard at == bytes.count else { throw malformed }
        return root
    }

    private var malformed: XMLTree.Malformed { XMLTree.Malformed(offset: at) }

    /// White space, declarations, comments and processing instructions outside the root.
    private mutating func skipMisc() throws {
        while at < bytes.count {
            if Self.isSpace(bytes[at]) {
                at += 1
            } else if starts("<?") {
                try skip(past: "?>")
            } else if starts("<!--") {
                try skip(past: "-->")
            } else {
                return
            }
        }
    }

    private mutating func readElement(depth: Int) throws -> XMLTree {
        guard depth < Self.maximumDepth, take("<") else { throw malformed }
        let name = try readName()
        var element = XMLTree(named: Self.localName(name))
        if try readEndOfTag() { return element }
        var text: [UInt8] = []
        while !starts("</") {
            guard at < bytes.count else { throw malformed }
            if take("<![CDATA[") {
                let start = at
                try skip(past: "]]>")
                text.append(contentsOf: bytes[start..<(at - 3)])
            } else if starts("<!--") {
                try skip(past: "-->")
            } else if starts("<?") {
                try skip(past: "?>")
            } else if bytes[at] == UInt8(ascii: "<") {
                element.children.append(try readElement(depth: depth + 1))
            } else if bytes[at] == UInt8(ascii: "&") {
                text.append(contentsOf: try readReference())
            } else {
                text.append(bytes[at])
                at += 1
            }
        }
        at += 2
        guard try readName() == name else { throw malformed }
        skipSpace()
        guard take(">"), let valid = String(validating: text, as: UTF8.self) else { throw malformed }
        element.text = valid
        return element
    }

    /// The rest of a start tag, attributes and all.
    ///
    /// - Returns: Whether the element ends with it.
    private mutating func readEndOfTag() throws -> Bool {
        while at < bytes.count {
            if take("/>") { return true }
            if take(">") { return false }
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                guard let end = bytes[at...].firstIndex(of: byte) else { throw malformed }
                at = end + 1
            } else if byte == UInt8(ascii: "<") {
                throw malformed
            }
        }
        throw malformed
    }

    private mutating func readReference() throws -> [UInt8] {
        guard let end = bytes[at...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { throw malformed }
        let name = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
        let character: Unicode.Scalar? =
            switch name {
            case "amp": "&"
            case "lt": "<"
            case "gt": ">"
            case "quot": "\""
            case "apos": "'"
            case _ where name.hasPrefix("#x"):
                UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
            case _ where name.hasPrefix("#"): UInt32(name.dropFirst()).flatMap(Unicode.Scalar.init)
            default: nil
            }
        guard let character else { throw malformed }
        at = end + 1
        return Array(String(character).utf8)
    }

    private mutating func readName() throws -> ArraySlice<UInt8> {
        let start = at
        while at < bytes.count, !Self.isSpace(bytes[at]), !Self.endsName.contains(bytes[at]) { at += 1 }
        guard at > start else { throw malformed }
        return bytes[start..<at]
    }

    private mutating func skipSpace() { while at < bytes.count, Self.isSpace(bytes[at]) { at += 1 } }

    private mutating func skip(past end: StaticString) throws {
        while at < bytes.count {
            if take(end) { return }
            at += 1
        }
        throw malformed
    }

    private func starts(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { bytes[at...].starts(with: $0) }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        guard starts(text) else { return false }
        at += text.utf8CodeUnitCount
        return true
    }

    private static let endsName = Set("<>/=\"'&!?".utf8)

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private static func localName(_ name: ArraySlice<UInt8>) -> String {
        String(decoding: name.split(separator: UInt8(ascii: ":")).last ?? name, as: UTF8.self)
    }
}

extension XMLTree {
    /// Text as it stands between tags; nil when XML has no way to write it.
    static func escaped(_ text: String) -> String? {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\r": result += "&#13;"
            case "\n": result += "&#10;"
            case "\t": result += "&#9;"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: return nil
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
