/// The rule for names that become table names, folder names and SQL identifiers at once.
enum Identifier {
    /// The longest name, in characters; leaves room for suffixes in a file name of 255 bytes.
    static let maximumCount = 128

    /// What a refused name should look like.
    static let rule = "use letters, digits and _, not a digit first, at most \(maximumCount) characters"

    /// Whether every engine takes `name` unquoted and every file system takes it as a folder.
    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= maximumCount else { return false }
        return !isDigit(first)
            && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
