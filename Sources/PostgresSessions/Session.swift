/// Lines of a session from one audit record to another, without an audit record between them that was decided otherwise.
struct LineRange: Hashable {
    var first: Int
    var last: Int
}

/// A savepoint of the open transaction.
struct Savepoint: Hashable {
    /// Its name.
    var name: String
    /// Index of the first range of lines after it.
    var firstRange: Int
    /// Who the session acted as.
    var role: RoleState
}

/// The statement that a session ran last, as far as its records lie in the present transaction.
struct Statement: Hashable {
    /// STATEMENT_ID.
    var id = 0
    var firstLine = 0
    var lastLine = 0
    /// Of its first record; 0 when not known.
    var queryID: UInt64 = 0
    /// Of its first record that was written before it ran; 0 when that bears no text.
    var textHash: UInt64 = 0
    /// It has a record that was written before it ran.
    var hasBegun = false
    /// It may still fail.
    var isOpen = false
    /// Ranges of the transaction before it, and where the last of them ended.
    var rangesBefore = 0
    var endBefore = 0
}

/// What is known of a session.
struct Session {
    /// What has been seen or decided.
    struct Flags: OptionSet, Hashable {
        let rawValue: UInt16
        /// The client logged in: the session ends with a record.
        static let loggedIn = Flags(rawValue: 1)
        /// BEGIN was seen in the present transaction.
        static let explicit = Flags(rawValue: 2)
        /// COMMIT, ROLLBACK or PREPARE TRANSACTION was seen in it.
        static let ended = Flags(rawValue: 4)
        /// The next transaction is explicit without BEGIN.
        static let chained = Flags(rawValue: 8)
        /// A line is missing since the present transaction began.
        static let gap = Flags(rawValue: 16)
        /// The next line continues the last range.
        static let continuesRange = Flags(rawValue: 32)
        /// The postmaster or the log's own writer: it lives on when the server recovers from a crash.
        static let outlivesCrash = Flags(rawValue: 64)
        /// A savepoint of the present transaction was let go: there were too many.
        static let lostSavepoint = Flags(rawValue: 128)

        /// An error was seen in the present transaction.
        static let failed = Flags(rawValue: 128)

        init(rawValue: UInt16) { self.rawValue = rawValue }
    }

    /// Start and process id, as `LogNumbers.session` reads them.
    var key: UInt64
    var lastLine = 0
    /// Log time of the newest record, in microseconds since 1970.
    var lastTime: Int64 = .min
    var flags = Flags()
    /// The present transaction; 0 before the first.
    var transaction: UInt64 = 0
    var role = RoleState()
    /// Who the session acted as when the transaction began.
    var roleAtStart = RoleState()
    var statement = Statement()
    /// Audit records of the transaction that are not decided, ascending.
    var ranges: [LineRange] = []
    /// Innermost last.
    var savepoints: [Savepoint] = []
    /// The statement whose texts are kept in mind, also when a procedure commits in between.
    var textStatement = 0
    /// The line that has its first text, 0 for none; and those of its newest substatements.
    var textLine = 0
    var recentTexts = RecentTexts()
    /// Statements of one text that were logged, by verb, eight bits each.
    var repeatedText: UInt64 = 0
    var repeats: UInt64 = 0

    // Of the open row group and batch; not part of the stored state.
    /// The newest row of the last statement among `SessionStates.rows`.
    var lastRow: Int32 = -1
    var rowGroup: Int32 = -1
    var isChanged = false

    init(key: UInt64) { self.key = key }

    /// Seconds since 1970 at which the session began.
    var start: Int { Int(key >> 32) }
}

/// Lines with the texts of the newest four substatements.
struct RecentTexts: Hashable {
    private var substatements: (Int, Int, Int, Int) = (0, 0, 0, 0)
    private var lines: (Int, Int, Int, Int) = (0, 0, 0, 0)

    /// Creates a list without lines.
    init() {}

    /// Creates a list of pairs, newest first.
    init(_ pairs: [(substatement: Int, line: Int)]) {
        for pair in pairs.reversed() { note(substatement: pair.substatement, line: pair.line) }
    }

    /// Newest first.
    var pairs: [(substatement: Int, line: Int)] {
        [
            (substatements.0, lines.0), (substatements.1, lines.1), (substatements.2, lines.2),
            (substatements.3, lines.3),
        ].filter { $0.1 > 0 }
    }

    /// Notes that `line` has the text of a substatement.
    @inline(__always)
    mutating func note(substatement: Int, line: Int) {
        substatements = (substatement, substatements.0, substatements.1, substatements.2)
        lines = (line, lines.0, lines.1, lines.2)
    }

    /// The newest line with the text of a substatement; 0 for none.
    func line(of substatement: Int) -> Int {
        pairs.first { $0.substatement == substatement }?.line ?? 0
    }

    static func == (left: Self, right: Self) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0.substatement == $1.substatement && $0.line == $1.line }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(pairs.count) }
}
