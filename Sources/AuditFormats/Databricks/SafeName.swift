import CByteScan
@_spi(_Unicode) import Swift

/// Names of tables and columns that Spark, Delta and file systems take.
package enum SafeName {
    /// The longest name, in bytes of UTF-8.
    static let maxByteCount = 200

    /// Makes a name safe.
    ///
    /// `-` becomes `_`; what Spark, Delta or a file system refuse becomes `%XX` for each byte of its UTF-8; the rest is
    /// brought to Unicode's form NFC. A name that is longer than 200 bytes is cut and ends in a hash of the whole.
    package static func make(_ text: String) -> String {
        if text.isEmpty { return "_" }
        var name = ""
        for scalar in composed(text).unicodeScalars {
            if scalar == "-" {
                name.unicodeScalars.append("_")
            } else if isRefused(scalar) {
                for byte in String(scalar).utf8 { name += percent(byte) }
            } else {
                name.unicodeScalars.append(scalar)
            }
        }
        return cut(name, hashOf: text)
    }

    /// What is equal for two names that clash: they differ in case only.
    package static func folded(_ name: String) -> String { composed(composed(name).lowercased()) }

    private static func composed(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text._nfc { result.append(scalar) }
        return String(result)
    }

    /// Makes a name that clashes with none of `taken`, and takes it.
    ///
    /// - Parameters:
    ///   - text: The name as the events have it.
    ///   - taken: Names in their `folded` form.
    /// - Returns: The safe name, with `_2`, `_3`… behind it when it was taken.
    static func claim(_ text: String, in taken: inout Set<String>) -> String {
        let name = make(text)
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

    private static func percent(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }

    private static func cut(_ name: String, hashOf text: String) -> String {
        guard name.utf8.count > maxByteCount else { return name }
        var text = text
        let hash = text.withUTF8 { bs_hash128($0.baseAddress, $0.count).low }
        let digits = String(UInt32(truncatingIfNeeded: hash), radix: 16)
        let tail = "_" + String(repeating: "0", count: 8 - digits.count) + digits
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
