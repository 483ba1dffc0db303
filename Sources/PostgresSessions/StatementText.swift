import CByteScan

/// A statement's text as records are compared by it.
struct StatementText {
    /// Blanks and semicolons at both ends taken off.
    var bytes: UnsafeRawBufferPointer
    /// Hash of `bytes`, as it is kept in the state.
    var hash: UInt64
    /// pgaudit left the text out, or there is none.
    var isMissing: Bool
    /// pgaudit has logged it before.
    var isPreviouslyLogged: Bool

    /// Reads the text of a record.
    @inline(__always)
    init(_ text: UnsafeRawBufferPointer) {
        var start = 0
        var end = text.count
        while start < end, Self.isMargin(text[start]) { start &+= 1 }
        while end > start, Self.isMargin(text[end &- 1]) { end &-= 1 }
        bytes = UnsafeRawBufferPointer(rebasing: text[start..<end])
        isPreviouslyLogged =
            bytes.first == UInt8(ascii: "<") && bytes.elementsEqual("<previously logged>".utf8)
        isMissing =
            bytes.isEmpty || isPreviouslyLogged
            || bytes.first == UInt8(ascii: "<") && bytes.elementsEqual("<not logged>".utf8)
        hash = isMissing ? 0 : bs_hash128(bytes.baseAddress, bytes.count).low
    }

    @inline(__always)
    private static func isMargin(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == UInt8(ascii: ";") || byte &- 9 < 5
    }

    /// The failing statement runs a prepared one, whose records bear another text.
    var runsPreparedStatement: Bool {
        guard bytes.count > 8 else { return false }
        return zip(bytes, "execute".utf8).allSatisfy { $0 | 0x20 == $1 } && Self.isMargin(bytes[7])
    }

    /// PostgreSQL's own check of a foreign key; a deferred one runs under a STATEMENT_ID of its own.
    var isForeignKeyCheck: Bool {
        bytes.starts(with: "SELECT 1 FROM ".utf8) && bytes.suffix(18).elementsEqual("FOR KEY SHARE OF x".utf8)
    }
}
