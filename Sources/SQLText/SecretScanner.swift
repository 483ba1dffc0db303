import CByteScan

/// A half-open range of bytes to blank, in bytes from the beginning of the text: `start` and `end`.
package typealias SecretSpan = sql_span

/// How a text is to be read when secrets are looked for.
@frozen package enum SecretContext: Sendable {
    /// The text is SQL.
    case statement
    /// The text is prose, a list of parameters or a whole record, and may quote SQL or connection strings.
    case prose
    /// The text is a piece of a log that is no record: after a word that names a secret, the rest of its line is taken for
    /// one.
    case fragment
}

/// Finds the secrets of a text: passwords, and whatever stands in a role statement in the place of one.
///
/// The rules stand at the top of `sql_secrets.c` and `sql_secrets_text.c`. A span covers what lies between the quotes of a
/// literal, or a whole number or bare word.
@frozen package struct SecretScanner: ~Copyable {
    @usableFromInline
    package var buffer: UnsafeMutableBufferPointer<SecretSpan>

    /// Makes a scanner with room for 64 spans; it grows when a text has more.
    package init() {
        buffer = .allocate(capacity: 64)
    }

    deinit {
        buffer.deallocate()
    }

    /// Whether a text can hold a secret at all.
    ///
    /// When false, `spans` finds nothing as statement or prose, neither in `text` nor in a field taken out of it by undoing CSV quotes or JSON
    /// escapes. Cheap enough for every record.
    @inlinable
    package static func mayHoldSecret(_ text: UnsafeRawBufferPointer) -> Bool {
        sql_may_hold_secret(text.baseAddress, text.count)
    }

    /// Finds the secrets of one text.
    ///
    /// - Parameters:
    ///   - text: Any bytes; not kept.
    ///   - context: How to read it.
    /// - Returns: The spans in order and apart from each other; the next call overwrites them.
    /// - Complexity: O(`text.count`).
    package mutating func spans(
        in text: UnsafeRawBufferPointer,
        as context: SecretContext
    ) -> UnsafeBufferPointer<SecretSpan> {
        var count = scan(text, as: context)
        if count > buffer.count {
            buffer.deallocate()
            buffer = .allocate(capacity: count)
            count = scan(text, as: context)
        }
        return UnsafeBufferPointer(rebasing: buffer[..<count])
    }

    private func scan(_ text: UnsafeRawBufferPointer, as context: SecretContext) -> Int {
        switch context {
        case .statement:
            sql_secrets_in_statement(text.baseAddress, text.count, buffer.baseAddress, buffer.count)
        case .prose: sql_secrets_in_prose(text.baseAddress, text.count, buffer.baseAddress, buffer.count)
        case .fragment:
            sql_secrets_in_fragment(text.baseAddress, text.count, buffer.baseAddress, buffer.count)
        }
    }

    /// Appends a text to `output` with `***` in place of each secret.
    ///
    /// - Parameters:
    ///   - text: Any bytes.
    ///   - context: How to read it.
    ///   - output: Receives the redacted text.
    /// - Returns: How many secrets were blanked.
    @discardableResult
    package mutating func redact(
        _ text: UnsafeRawBufferPointer,
        as context: SecretContext,
        into output: inout [UInt8]
    ) -> Int {
        guard Self.mayHoldSecret(text) else {
            output.append(contentsOf: text)
            return 0
        }
        var copied = 0
        let spans = spans(in: text, as: context)
        for span in spans {
            output.append(contentsOf: text[copied..<span.start])
            output.append(contentsOf: "***".utf8)
            copied = span.end
        }
        output.append(contentsOf: text[copied...])
        return spans.count
    }
}
