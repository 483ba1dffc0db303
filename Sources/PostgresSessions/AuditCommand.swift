/// What a pgaudit record says about the course of a session.
enum AuditCommand: UInt8 {
    /// Written before the statement runs: the statement may still fail.
    case before
    /// Written once the statement has run.
    case after
    /// MISC,EXECUTE: the prepared statement has run; its own records bear the text of PREPARE.
    case execute
    case begin
    case commit
    case rollback
    case prepareTransaction
    case savepoint
    case release
    case set
    case reset
    case discardAll

    /// Reads CLASS and COMMAND; `hasRows` tells that ROWS is there.
    ///
    /// SELECT, INSERT, UPDATE, DELETE, MERGE (`???`) and COPY are written before they run, with ROWS afterwards. DO, calls of
    /// functions, CREATE and ALTER EXTENSION and CLOSE are written before they run in any case, all else afterwards
    /// (pgaudit.c, `pgaudit_ProcessUtility_hook`).
    @inline(__always)
    init(auditClass: UnsafeRawBufferPointer, command: UnsafeRawBufferPointer, hasRows: Bool) {
        if auditClass.first == UInt8(ascii: "F") {
            self = .before
            return
        }
        switch Self.head(command) {
        case Head.select, Head.insert, Head.update, Head.delete, Head.copy, Head.merge, Head.unknown:
            self = hasRows ? .after : .before
        case Head.begin: self = .begin
        case Head.commit: self = .commit
        case Head.rollback where command.count == 8: self = .rollback
        case Head.set: self = .set
        case Head.reset: self = .reset
        case Head.execute: self = .execute
        case Head.release: self = .release
        default: self = Self.longer(command)
        }
    }

    /// Commands of more than eight bytes.
    private static func longer(_ command: UnsafeRawBufferPointer) -> AuditCommand {
        switch command.count {
        case 9 where command.elementsEqual("SAVEPOINT".utf8): .savepoint
        case 11 where command.elementsEqual("DISCARD ALL".utf8): .discardAll
        case 17 where command.elementsEqual("START TRANSACTION".utf8): .begin
        case 19 where command.elementsEqual("PREPARE TRANSACTION".utf8): .prepareTransaction
        case 15 where command.elementsEqual("ALTER EXTENSION".utf8): .before
        case 16 where command.elementsEqual("CREATE EXTENSION".utf8): .before
        case 5 where command.elementsEqual("CLOSE".utf8): .before
        case 12... where command.starts(with: "CLOSE CURSOR".utf8): .before
        default: .after
        }
    }

    /// The first eight bytes of a word, little-endian; a shorter one is filled up with zeros.
    @inline(__always)
    private static func head(_ word: UnsafeRawBufferPointer) -> UInt64 {
        var head: UInt64 = 0
        var at = Swift.min(word.count, 8)
        while at > 0 {
            at &-= 1
            head = head &<< 8 | UInt64(word[at])
        }
        return head
    }
}

/// Words of at most eight letters as little-endian numbers, so that a command is one comparison.
private enum Head {
    static let select: UInt64 = 0x5443_454C_4553  // SELECT
    static let insert: UInt64 = 0x5452_4553_4E49  // INSERT
    static let update: UInt64 = 0x4554_4144_5055  // UPDATE
    static let delete: UInt64 = 0x4554_454C_4544  // DELETE
    static let copy: UInt64 = 0x5950_4F43  // COPY
    static let merge: UInt64 = 0x45_4752_454D  // MERGE
    static let unknown: UInt64 = 0x3F_3F3F  // ???
    static let begin: UInt64 = 0x4E_4947_4542  // BEGIN
    static let commit: UInt64 = 0x5449_4D4D_4F43  // COMMIT
    static let rollback: UInt64 = 0x4B43_4142_4C4C_4F52  // ROLLBACK
    static let set: UInt64 = 0x54_4553  // SET
    static let reset: UInt64 = 0x54_4553_4552  // RESET
    static let execute: UInt64 = 0x45_5455_4345_5845  // EXECUTE
    static let release: UInt64 = 0x45_5341_454C_4552  // RELEASE
}
