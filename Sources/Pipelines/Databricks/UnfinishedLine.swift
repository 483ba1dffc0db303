import FoundationEssentials

/// The last line of an object, which has no newline yet.
struct UnfinishedLine {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let bytes: UnsafeRawBufferPointer

    /// The line, without what comes before it.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Whether it is a whole object of JSON, which nothing but blanks can continue.
    var isWholeObject: Bool {
        var text = bytes[...]
        if text.starts(with: Self.byteOrderMark) { text = text.dropFirst(Self.byteOrderMark.count) }
        while let first = text.first, Self.isBlank(first) { text = text.dropFirst() }
        while let last = text.last, Self.isBlank(last) { text = text.dropLast() }
        // Most beginnings of a line end elsewhere.
        guard text.first == UInt8(ascii: "{"), text.last == UInt8(ascii: "}") else { return false }
        return (try? JSONDecoder().decode(AnyObject.self, from: Data(text))) != nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    /// An object whose members nobody asks for.
    private struct AnyObject: Decodable {
        private enum NoKey: CodingKey {}

        init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: NoKey.self) }
    }
}
