import Crypto
@_spi(_Unicode) import Swift

/// Names of tables and columns that Spark, Delta and file systems take.
package enum SafeName {
    /// The longest name of a column, in bytes of UTF-8.
    static let maxColumnByteCount = 200

    /// The longest name of a table, in bytes: with catalog and schema before it, it is part of a file's name.
    static let maxTableByteCount = 100

    /// Makes the name of a column.
    ///
    /// `-` becomes `_`; what Spark, Delta or a file system refuse becomes `%XX` for each byte of its UTF-8; the rest is
    /// brought to Unicode's form NFC. A name that is too long is cut and ends in a hash of the whole.
    package static func column(_ text: String) -> String {
        make(text, maxByteCount: maxColumnByteCount, isRefused: isRefused, escape: "%")
    }

    /// Makes the name of a table, which is also that of a folder.
    ///
    /// `-` becomes `_`; anything but letters, digits and `_` of ASCII becomes `_xXX` for each byte of its UTF-8 in NFC.
    /// Readers take a table's path for a URL or a pattern: delta-rs, Polars and chDB do not find a folder with a `%` in
    /// its name, Polars none with a blank, a quote or a letter that is not ASCII.
    package static func table(_ text: String) -> String {
        let name = make(text, maxByteCount: maxTableByteCount, isRefused: { !isWord($0) }, escape: "_x")
        // A folder of this name is a table's log.
        return name.lowercased() == "_delta_log" ? "_x5F\(name.dropFirst())" : name
    }

    private static func make(
        _ text: String,
        maxByteCount: Int,
        isRefused: (Unicode.Scalar) -> Bool,
        escape: String
    ) -> String {
        if text.isEmpty { return "_" }
        var name = ""
        let text = composed(text)
        for scalar in text.unicodeScalars {
            if scalar == "-" {
                name.unicodeScalars.append("_")
            } else if isRefused(scalar) {
                for byte in String(scalar).utf8 { name += escape + hex(byte) }
            } else {
                name.unicodeScalars.append(scalar)
            }
        }
        return cut(name, to: maxByteCount, hashOf: text)
    }

    /// Folded names that no column may have: ClickHouse keeps them for itself.
    static let reservedColumns: Set<String> = ["null"]

    /// What is equal for two names that clash: they differ in case only.
    package static func folded(_ name: String) -> String { composed(composed(name).lowercased()) }

    private static func composed(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text._nfc { result.append(scalar) }
        return String(result)
    }

    /// Takes a safe name, or the first that clashes with none of `taken`: with `_2`, `_3`… behind it.
    ///
    /// - Parameters:
    ///   - name: The safe name.
    ///   - taken: Names in their `folded` form.
    /// - Returns: The name that was taken.
    static func claim(_ name: String, in taken: inout Set<String>) -> String {
        var candidate = name
        var number = 2
        while !taken.insert(folded(candidate)).inserted {
            candidate = "\(name)_\(number)"
            number += 1
        }
        return candidate
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }

    private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", ",", ";", "{", "}", "(", ")", "=", ".", "\"", "'", "`", "/", "\\", "%": true
        // Signs of patterns and addresses.
        case "*", "?", "[", "]", "#", ":", "<", ">", "|": true
        default: scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }

    private static func cut(_ name: String, to maxByteCount: Int, hashOf text: String) -> String {
        guard name.utf8.count > maxByteCount else { return name }
        let hash = SHA256.hash(data: Array(text.utf8)).prefix(4).map(hex).joined().lowercased()
        var room = maxByteCount - hash.count - 1
        var kept = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            kept.append(scalar)
        }
        return "\(String(kept))_\(hash)"
    }
}
