import CByteScan

/// Reads the texts of CSV fields as values.
enum CSVValue {
    /// A whole number: a minus sign or none, no leading zeros, within 64 bits; `-0` is none.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let first = text.first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        guard text.count > start, text.count <= 20 else { return nil }
        if text[start] == UInt8(ascii: "0"), isNegative || text.count > 1 { return nil }
        guard text.count - start <= 18 else { return Int64(wholeNumber: text) }
        var value: Int64 = 0
        for index in start..<text.count {
            let digit = text[index] &- 0x30
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return isNegative ? -value : value
    }

    /// A decimal number as JSON writes it, whole ones included; finite.
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        var value = 0.0
        let bytes = text.bindMemory(to: UInt8.self)
        return bs_read_double(bytes.baseAddress, bytes.count, &value) != 0 ? value : nil
    }

    /// Whether a number has a point or an exponent.
    static func hasFraction(_ text: UnsafeRawBufferPointer) -> Bool {
        text.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
    }

    /// `true` or `false`, in any case.
    static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        if text.count == 4, text.matchesLetters("true") { return true }
        if text.count == 5, text.matchesLetters("false") { return false }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are these letters, in any case; as many as there are.
    fileprivate func matchesLetters(_ letters: StaticString) -> Bool {
        for index in 0..<count where self[index] | 0x20 != letters.utf8Start[index] { return false }
        return true
    }
}
