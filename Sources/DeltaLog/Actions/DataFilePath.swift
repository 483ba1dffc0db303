/// The path of a data file as the log names it: a URI, relative to the table's root or absolute.
///
/// The log holds paths percent-encoded (RFC 2396), and writers differ in what they encode. This value keeps
/// one canonical spelling, pure ASCII, so that two spellings of one path are equal and any two different
/// paths differ, also those that Unicode normalization would make equal.
///
/// Source: protocol section "Add File and Remove File", field `path`.
package struct DataFilePath: Hashable, Sendable {
    /// The canonical spelling for the log.
    package let encoded: String

    /// Takes the path of a file as the store names it, such as `date=2024-05-01/part-0.parquet`.
    package init(_ path: String) {
        encoded = Self.encode(Array(path.utf8))
    }

    /// Takes a path from a log.
    ///
    /// - Throws: `DeltaLogError` with `malformedPath` for a broken escape or bytes that are no UTF-8.
    /// - Complexity: O(length); no allocation for a path that is canonical and holds no escape.
    package init(encoded path: String) throws(DeltaLogError) {
        if path.utf8.allSatisfy(Self.isPlain) {
            encoded = path
            return
        }
        encoded = Self.encode(try Self.decode(path))
    }

    /// The path as the store names it.
    package var decoded: String {
        var bytes: [UInt8] = []
        var pending = encoded.utf8[...]
        while let byte = pending.popFirst() {
            bytes.append(byte == UInt8(ascii: "%") ? Self.popEscape(&pending) ?? byte : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ path: String) throws(DeltaLogError) -> [UInt8] {
        var bytes: [UInt8] = []
        var pending = path.utf8[...]
        while let byte = pending.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = popEscape(&pending) else {
                throw DeltaLogError(.malformedPath, "path '\(path)' has a '%' without two hex digits")
            }
            bytes.append(escaped)
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw DeltaLogError(.malformedPath, "path '\(path)' decodes to bytes that are no UTF-8")
        }
        return bytes
    }

    private static func popEscape(_ pending: inout Substring.UTF8View) -> UInt8? {
        guard let high = pending.popFirst().flatMap(hexValue), let low = pending.popFirst().flatMap(hexValue)
        else { return nil }
        return high << 4 | low
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// Escapes all but the characters that no reader escapes; the `:` of a scheme (`s3://`) stays.
    private static func encode(_ path: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let schemeEnd = path.firstIndex(of: UInt8(ascii: ":")).flatMap { colon in
            path[..<colon].allSatisfy(isSchemeByte) && path[(colon + 1)...].starts(with: "//".utf8)
                ? colon : nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.count)
        for (index, byte) in path.enumerated() {
            if isPlain(byte) || index == schemeEnd {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: isSchemeByte(byte)
        }
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
