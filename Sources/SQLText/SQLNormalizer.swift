import CByteScan

/// A SQL text without its literals.
@frozen package struct NormalizedSQL {
    /// The text with `$n` in place of every literal; valid until the normalizer's next call or its end.
    package let text: UnsafeRawBufferPointer
    /// Equal for texts that differ only in literals, parameters, white space, comments and the case of words.
    package let fingerprint: UInt64
    /// How many literals were replaced.
    package let literalCount: Int
    /// What else was found.
    package let traits: SQLTraits

    @inlinable
    package init(text: UnsafeRawBufferPointer, fingerprint: UInt64, literalCount: Int, traits: SQLTraits) {
        self.text = text
        self.fingerprint = fingerprint
        self.literalCount = literalCount
        self.traits = traits
    }
}

/// Findings about a SQL text as a whole.
@frozen package struct SQLTraits: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// A string, quoted identifier or comment does not end; what followed its opening is gone from the result.
    package static var unterminated: SQLTraits { SQLTraits(rawValue: 1) }
    /// Some statement is CREATE or ALTER of a ROLE, USER or GROUP.
    package static var roleStatement: SQLTraits { SQLTraits(rawValue: 2) }
}

/// Replaces the literals of SQL texts; owns one buffer that all results share.
///
/// The rules are those of `sql_normalize` in `sql_tokens.h`.
@frozen package struct SQLNormalizer: ~Copyable {
    @usableFromInline
    package var scratch: UnsafeMutableRawBufferPointer

    /// Makes a normalizer.
    ///
    /// - Parameter byteCapacity: Bytes of the first buffer; it grows when a text needs more.
    package init(byteCapacity: Int = 64 << 10) {
        scratch = .allocate(byteCount: max(byteCapacity, 64), alignment: 16)
    }

    deinit {
        scratch.deallocate()
    }

    /// Normalizes one text, which may be any bytes.
    ///
    /// - Parameter sql: The text; it is not kept.
    /// - Returns: The result, whose `text` the next call overwrites.
    /// - Complexity: O(`sql.count`); allocates only when the buffer has to grow.
    @inlinable
    package mutating func normalize(_ sql: UnsafeRawBufferPointer) -> NormalizedSQL {
        var result = sql_normalize(sql.baseAddress, sql.count, scratch.baseAddress, scratch.count)
        while result.flags & UInt32(SQL_OUTPUT_FULL) != 0 {
            grow(for: sql.count)
            result = sql_normalize(sql.baseAddress, sql.count, scratch.baseAddress, scratch.count)
        }
        return NormalizedSQL(
            text: UnsafeRawBufferPointer(rebasing: scratch[..<result.length]),
            fingerprint: result.fingerprint,
            literalCount: Int(result.literal_count),
            traits: SQLTraits(rawValue: result.flags)
        )
    }

    /// Replaces the buffer by a larger one; its content is lost.
    @usableFromInline
    package mutating func grow(for byteCount: Int) {
        let needed = max(2 * scratch.count, 2 * byteCount + 64)
        scratch.deallocate()
        scratch = .allocate(byteCount: min(needed, max(sql_normalized_bound(byteCount), 64)), alignment: 16)
    }
}
