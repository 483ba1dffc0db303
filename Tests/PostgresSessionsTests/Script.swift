import PostgresSessions

/// One record as tests write it; what is not given is as PostgreSQL leaves it.
struct Entry {
    var kind = SessionRecord.Kind.other
    var session = "6b010000.10"
    var line = 0
    var vxid = "4/1"
    var query = "0"
    var tag = "SELECT"
    var state = "00000"
    var user = "postgres"
    var backend = "client backend"
    var text = ""
    var auditClass = ""
    var command = ""
    var statement = 0
    var substatement = 1
    var hasRows = false
    var time: Int64?

    /// A pgaudit record; `query` defaults to a number that depends on the first word.
    static func audit(
        _ line: Int,
        _ vxid: String,
        _ statement: Int,
        _ what: String,
        _ text: String,
        query: Int = 7,
        substatement: Int = 1,
        rows: Bool = false
    ) -> Entry {
        let words = what.split(separator: ",", maxSplits: 1).map(String.init)
        return Entry(
            kind: .audit,
            line: line,
            vxid: vxid,
            query: "\(query)",
            tag: words[1],
            text: text,
            auditClass: words[0],
            command: words[1],
            statement: statement,
            substatement: substatement,
            hasRows: rows
        )
    }

    /// An ERROR.
    static func error(
        _ line: Int,
        _ vxid: String,
        _ state: String,
        _ text: String,
        query: Int = 7,
        tag: String = "INSERT"
    ) -> Entry {
        Entry(kind: .failure, line: line, vxid: vxid, query: "\(query)", tag: tag, state: state, text: text)
    }

    static func disconnection(_ line: Int) -> Entry {
        Entry(kind: .disconnection, line: line, vxid: "", tag: "idle")
    }

    func with(session: String) -> Entry {
        var entry = self
        entry.session = session
        return entry
    }
}

/// What became of one record.
struct Meaning: Equatable {
    var amends = ""
    var transaction: String?
    var role = ""
    var reference = 0
    var failedRows: [Int32] = []
}

/// Feeds records to the machine as a decoder does.
struct Script {
    var states: SessionStates
    /// The stored state, as changes have made it.
    var values: [String: String] = [:]
    private var nextRow: Int32 = 0
    private var clock: Int64 = 0x6B01_0000 * 1_000_000

    init(limit: Int = SessionStates.sessionLimit) { states = SessionStates(sessionLimit: limit) }

    mutating func note(_ entry: Entry) -> Meaning {
        clock += 1_000
        let texts = [
            entry.session, "\(entry.line)", entry.vxid, entry.query, entry.tag, entry.state, entry.user,
            entry.backend, entry.text, entry.auditClass, entry.command, "\(entry.statement)",
            "\(entry.substatement)",
        ]
        let bytes = texts.map { Array($0.utf8) + [0] }
        func field(_ index: Int) -> UnsafeRawBufferPointer {
            bytes[index].withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0.dropLast()) }
        }
        return withExtendedLifetime(bytes) {
            var record = SessionRecord(
                kind: entry.kind,
                time: entry.time ?? clock,
                sessionID: field(0),
                lineNumber: field(1),
                virtualTransactionID: field(2),
                queryID: field(3),
                commandTag: field(4),
                sqlState: field(5),
                userName: field(6),
                backendType: field(7)
            )
            record.text = field(8)
            record.auditClass = field(9)
            record.command = field(10)
            record.statementID = field(11)
            record.substatementID = field(12)
            record.hasRows = entry.hasRows
            if entry.kind == .audit {
                record.row = nextRow
                nextRow += 1
            }
            var finding = states.note(record)
            var meaning = Meaning(
                amends: String(decoding: states.amendsText, as: UTF8.self),
                transaction: finding.transaction.map { "\($0.word)" },
                role: states.name(of: finding.role),
                reference: finding.reference
            )
            while let row = states.takeRow(&finding.failedRows) { meaning.failedRows.append(row) }
            return meaning
        }
    }

    /// What each record that means anything means, by line.
    mutating func run(_ entries: [Entry]) -> [Int: Meaning] {
        var found: [Int: Meaning] = [:]
        for entry in entries {
            let meaning = note(entry)
            if meaning != Meaning() { found[entry.line] = meaning }
        }
        return found
    }

    /// The `amends` by line.
    static func amends(_ entries: [Entry]) -> [Int: String] {
        var script = Script()
        return script.run(entries).compactMapValues { $0.amends.isEmpty ? nil : $0.amends }
    }

    mutating func flush() -> [Int32] {
        nextRow = 0
        return states.finishRowGroup()
    }

    /// Ends the batch and begins the next from the stored state.
    mutating func endBatch(limit: Int = SessionStates.sessionLimit) {
        _ = flush()
        for change in states.takeChanges() { values[change.key] = change.value }
        states = SessionStates(restoring: values, sessionLimit: limit)
    }
}
