import CByteScan

/// The fields of a pgaudit message (pgaudit README, "Format"): nine, ten with `pgaudit.log_rows`.
///
/// `AUDIT: TYPE,STATEMENT_ID,SUBSTATEMENT_ID,CLASS,COMMAND,OBJECT_TYPE,OBJECT_NAME,STATEMENT,PARAMETER[,ROWS]`
@frozen
package struct PgAuditPayload: ~Copyable {
    @usableFromInline let fields: UnsafeMutablePointer<bs_field>
    @usableFromInline var message = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The number of fields, 9 or 10; 0 when the message is no pgaudit message.
    package private(set) var fieldCount = 0

    static let type = 0
    static let statementID = 1
    static let substatementID = 2
    static let auditClass = 3
    static let command = 4
    static let objectType = 5
    static let objectName = 6
    static let statement = 7
    static let parameter = 8
    static let rows = 9

    private static let prefixLength = 7

    init() { fields = .allocate(capacity: 16) }

    deinit { fields.deallocate() }

    /// Splits a message, the escapes of the log undone; the fields are valid while the message is.
    ///
    /// - Returns: Whether it is a pgaudit message.
    @inline(__always)
    mutating func parse(_ message: UnsafeRawBufferPointer) -> Bool {
        fieldCount = 0
        guard message.count > Self.prefixLength + 8, let base = message.baseAddress, Self.hasPrefix(base)
        else {
            return false
        }
        let payload = base + Self.prefixLength
        let count = message.count - Self.prefixLength
        let found = bs_csv_split_whole(payload.assumingMemoryBound(to: UInt8.self), count, fields, 16)
        guard found.status == BS_CSV_COMPLETE, Int(found.consumed) == count,
            found.field_count == 9 || found.field_count == 10
        else { return false }
        self.message = UnsafeRawBufferPointer(start: payload, count: count)
        fieldCount = Int(found.field_count)
        return true
    }

    /// Whether a message of at least 15 bytes begins like one of pgaudit's.
    static func hasPrefix(_ base: UnsafeRawPointer) -> Bool {
        // "AUDIT: S" and "AUDIT: O", little-endian.
        let head = base.loadUnaligned(as: UInt64.self)
        return head == 0x5320_3A54_4944_5541 || head == 0x4F20_3A54_4944_5541
    }

    /// A field as it stands between its quotes.
    @inline(__always)
    func stored(_ index: Int) -> UnsafeRawBufferPointer {
        guard index < fieldCount else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let field = fields[index]
        return UnsafeRawBufferPointer(rebasing: message[Int(field.start)..<Int(field.end)])
    }

    /// What has to be undone to have a field's text: doubled quotes, or nothing.
    @inline(__always)
    func escape(_ index: Int) -> bs_escape {
        index < fieldCount ? bs_escape(rawValue: UInt32(fields[index].escape)) : BS_ESCAPE_NONE
    }

    /// Whether the field's text differs from what is stored.
    @inline(__always)
    func isEscaped(_ index: Int) -> Bool { index < fieldCount && fields[index].escape != 0 }

    /// Offset of a field's text from the message's first byte.
    func start(of index: Int) -> Int { Self.prefixLength + Int(fields[index].start) }
}
