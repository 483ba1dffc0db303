/// The names in the first record of a CSV file.
struct CSVHeader {
    /// A column of a file.
    struct Name: Hashable {
        /// As the header has it, folded: what settings go by.
        var written: String
        /// Unlike that of any other column of the file: a second `name` is `name_2`, and one without a name is `column_<position>`.
        var unique: String
    }

    /// The columns, in the order of the file.
    let names: [Name]

    /// The most columns that a file may have.
    static let maxColumnCount = 4_096
    /// The name of the customer among a record's pairs.
    static let customerName = "customer"

    /// Names the columns of a file.
    ///
    /// - Parameters:
    ///   - texts: The fields of the header.
    ///   - customerColumn: Which of them names the customer; another that is called `customer` does not keep this name.
    init(_ texts: [String], customerColumn: String?) {
        let written = texts.enumerated().map { index, text in
            let name = Self.fold(text)
            return name.isEmpty ? "column_\(index + 1)" : name
        }
        // A name that stands in the header goes before one that is made up.
        let reserved = Set(written)
        var taken: Set<String> = customerColumn == Self.customerName ? [] : [Self.customerName]
        names = written.map { name in
            var unique = name
            var number = 2
            while !taken.insert(unique).inserted {
                repeat {
                    unique = "\(name)_\(number)"
                    number += 1
                } while reserved.contains(unique)
            }
            return Name(written: name, unique: unique)
        }
    }

    /// A name without blanks around it, its ASCII letters in lower case.
    static func fold(_ name: String) -> String {
        let bytes = Array(name.utf8)
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let trimmed = bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return String(decoding: trimmed.map { $0 &- 0x41 <= 25 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Separators that are looked for, the likelier first.
    static let separators: [UInt8] = [
        UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|"),
    ]

    /// How far the first line is searched for a separator, in bytes.
    static let separatorSearchByteCount = 64 << 10

    /// The separator that stands most often in the first line, outside quotes; `,` when there is none.
    ///
    /// - Parameters:
    ///   - bytes: The file from the start of its header.
    ///   - isEnd: Nothing follows them.
    /// - Returns: The separator; nil when the line goes on behind the bytes.
    static func separator(of bytes: UnsafeRawBufferPointer, isEnd: Bool) -> UInt8? {
        var counts = [0, 0, 0, 0]
        var isQuoted = false
        var hasEnd = isEnd || bytes.count >= separatorSearchByteCount
        for byte in bytes.prefix(separatorSearchByteCount) {
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted {
                if byte == 0x0A || byte == 0x0D {
                    hasEnd = true
                    break
                }
                if let index = separators.firstIndex(of: byte) { counts[index] += 1 }
            }
        }
        guard hasEnd else { return nil }
        let best = counts.indices.max { (counts[$0], $1) < (counts[$1], $0) } ?? 0
        return separators[best]
    }
}
