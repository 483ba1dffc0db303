import Crypto
@_spi(_Unicode) import Swift

/// Names of tables and columns that Spark, Delta and file systems take.
package enum SafeName {
    /// The longest name, in bytes of UTF-8.
    static let maxByteCount = 200

    /// Makes the name of a column safe.
    ///
    /// `-` becomes `_`; what Spark, Delta or a file system refuse becomes `%XX` for each byte of its UTF-8; the rest is
    /// brought to Unicode's form NFC. A name that is longer than 200 bytes is cut and ends in a hash of the whole.
    package static func column(_ text: String) -> String {
        if text.isEmpty { return "_" }
        var name = ""
        for scalar in composed(text).unicodeScalars {
            if scalar == "-" {
                name.unicodeScalars.append("_")
            } else if isRefused(scalar) {
                for byte in String(scalar).utf8 { name += "%\(hexadecimal(byte))" }
            } else {
                name.unicodeScalars.append(scalar)
            }
        }
        return cut(name, hashOf: composed(text))
    }

    /// Makes the name of a table safe, whose folder has it.
    ///
    /// `-` becomes `_`, and what is no letter, digit or `_` of ASCII `_xHH` for each byte of its UTF-8: readers decode
    /// percent signs in a table's path, and some fail on letters beyond ASCII.
    package static func table(_ text: String) -> String {
        if text.isEmpty { return "_" }
        var name = ""
        for byte in composed(text).utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "-"): name += "_"
            default: name += "_x\(hexadecimal(byte))"
            }
        }
        return cut(name, hashOf: composed(text))
    }

    /// What is equal for two names that clash: they differ in case only.
    package static func folded(_ name: String) -> String { composed(composed(name).lowercased()) }

    private static func composed(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text._nfc { result.append(scalar) }
        return String(result)
    }

    /// Takes a name that clashes with none of `taken`.
    ///
    /// - Parameters:
    ///   - name: A safe name.
    ///   - taken: Names in their `folded` form.
    /// - Returns: The name, with `_2`, `_3`… behind it when it was taken.
    static func claim(_ name: String, in taken: inout Set<String>) -> String {
        var candidate = name
        var number = 2
        while !taken.insert(folded(candidate)).inserted {
            candidate = "\(name)_\(number)"
            number += 1
        }
        return candidate
    }

    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", ",", ";", "{", "}", "(", ")", "=", ".", "\"", "'", "`", "/", "\\", "%": true
        // Signs of patterns and addresses.
        case "*", "?", "[", "]", "#", ":", "<", ">", "|": true
        default: scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }

    private static func cut(_ name: String, hashOf text: String) -> String {
        guard name.utf8.count > maxByteCount else { return name }
        let tail =
            "_" + SHA256.hash(data: Array(text.utf8)).prefix(4).map { hexadecimal($0).lowercased() }.joined()
        var kept = ""
        for character in name.unicodeScalars {
            guard kept.utf8.count + String(character).utf8.count + tail.utf8.count <= maxByteCount else {
                break
            }
            kept.unicodeScalars.append(character)
        }
        return kept + tail
    }
}
