import CByteScan

/// One log record of either format: its bytes, and where in them its fields lie.
///
/// Valid while the bytes and the array of fields are.
@frozen
package struct LogRecord {
    /// The record without its line end.
    package var bytes: UnsafeRawBufferPointer
    @usableFromInline var fields: UnsafePointer<bs_field>
    /// The number of fields; a field that is not there lies at no bytes.
    package var fieldCount: Int
    /// The keys of the fields from ``LogField/knownCount`` on; nil in csvlog, whose fields have no names.
    @usableFromInline var names: UnsafePointer<bs_field>?

    @inlinable @inline(__always)
    init(
        bytes: UnsafeRawBufferPointer,
        fields: UnsafePointer<bs_field>,
        fieldCount: Int,
        names: UnsafePointer<bs_field>? = nil
    ) {
        self.bytes = bytes
        self.fields = fields
        self.fieldCount = fieldCount
        self.names = names
    }

    /// Whether the record is one of jsonlog.
    @inlinable @inline(__always)
    var isJSON: Bool { names != nil }

    /// The field as it stands between its quotes, escapes not undone; empty when the record has no such field.
    @inlinable @inline(__always)
    package func stored(_ index: Int) -> UnsafeRawBufferPointer {
        guard index < fieldCount else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let field = fields[index]
        return UnsafeRawBufferPointer(rebasing: bytes[Int(field.start)..<Int(field.end)])
    }

    /// What has to be undone to have the field's text.
    @inlinable @inline(__always)
    func escape(_ index: Int) -> bs_escape {
        index < fieldCount ? bs_escape(rawValue: UInt32(fields[index].escape)) : BS_ESCAPE_NONE
    }

    /// Whether the field's text differs from what is stored.
    @inlinable @inline(__always)
    func isEscaped(_ index: Int) -> Bool { index < fieldCount && fields[index].escape != 0 }

    /// Whether the field stood in quotes.
    @inlinable @inline(__always)
    func isQuoted(_ index: Int) -> Bool { fields[index].quoted != 0 }

    /// Offset of the field's text from the record's first byte.
    @inlinable @inline(__always)
    func start(of index: Int) -> Int { Int(fields[index].start) }

    /// The stored key of a field that PostgreSQL 18 does not know, in jsonlog.
    func name(of index: Int) -> (stored: UnsafeRawBufferPointer, escape: bs_escape)? {
        guard let name = names?[index - LogField.knownCount] else { return nil }
        let stored = UnsafeRawBufferPointer(rebasing: bytes[Int(name.start)..<Int(name.end)])
        return (stored, bs_escape(rawValue: UInt32(name.escape)))
    }
}
