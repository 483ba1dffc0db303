/// What is known of the log as a whole.
struct LogHistory: Hashable {
    /// Sessions that began later, in seconds since 1970, are seen from their first line on; nil before the first record.
    var horizon: Int?
    /// A session has ended with a record: `log_disconnections` is on.
    var hasDisconnections = false
    /// When the server was last seen to start, in seconds since 1970.
    var lastRestart = 0
}

/// What was held against the rules since the state was stored.
struct Completeness {
    var records = 0
    var gaps = SessionRule.Count()
    var endings = SessionRule.Count()
    var restarts = SessionRule.Count()
    var forgotten = SessionRule.Count()
    /// Lines whose outcome was given up for want of room.
    var lostLines = 0
}

/// How the records stood to a rule.
package struct SessionRule: Hashable, Sendable {
    /// The most examples that are named.
    package static let sampleLimit = 10

    /// The rule, such as `session_line_gap`.
    package var name: String
    /// The rule in words.
    package var rule: String
    /// Things that were held against it.
    package var checked: Int
    /// Things that broke it.
    package var failed: Int
    /// The first of them.
    package var samples: [String]

    struct Count {
        var checked = 0
        var failed = 0
        var samples: [String] = []

        mutating func fail(_ sample: @autoclosure () -> String, count: Int = 1) {
            failed += count
            if samples.count < SessionRule.sampleLimit { samples.append(sample()) }
        }
    }

    fileprivate init(_ name: String, _ rule: String, checked: Int, _ count: Count) {
        self.name = name
        self.rule = rule
        self.checked = checked
        failed = count.failed
        samples = count.samples
    }
}

extension SessionStates {
    /// The rules that records broke since the last call.
    package mutating func takeBrokenRules() -> [SessionRule] {
        defer { completeness = Completeness() }
        let lost = SessionRule.Count(failed: completeness.lostLines)
        let rules = [
            SessionRule(
                "session_line_gap",
                "the lines of a session have no gap",
                checked: completeness.records,
                completeness.gaps
            ),
            SessionRule(
                "session_without_end",
                "a session ends with a disconnection",
                checked: completeness.endings.checked,
                completeness.endings
            ),
            SessionRule(
                "server_restart",
                "the server runs on",
                checked: completeness.restarts.checked,
                completeness.restarts
            ),
            SessionRule(
                "session_forgotten",
                "at most \(sessionLimit) sessions are open",
                checked: table.count,
                completeness.forgotten
            ),
            SessionRule(
                "transaction_outcome_lost",
                "a transaction has at most \(Session.rangeLimit) parts",
                checked: completeness.records,
                lost
            ),
        ]
        return rules.filter { $0.failed > 0 }
    }

    /// Holds a line against the one before it.
    @inline(__always)
    mutating func noteLine(_ line: Int, at place: Int) {
        completeness.records &+= 1
        let expected = table.sessions[place].lastLine &+ 1
        guard line > 0 else { return }
        table.sessions[place].lastLine = line
        guard line > expected else { return }
        table.sessions[place].flags.insert(.gap)
        let session = table.sessions[place]
        if expected == 1, session.start <= log.horizon ?? .max { return }
        let lines = line - expected == 1 ? "line \(expected)" : "lines \(expected)-\(line - 1)"
        completeness.gaps.fail(
            "session \(LogNumbers.sessionID(session.key)): \(lines)",
            count: line - expected
        )
    }

    /// Takes up a session that is new here; returns its place.
    mutating func begin(_ key: UInt64, _ record: SessionRecord, line: Int) -> Int {
        let start = Int(key >> 32)
        let isPostmaster = record.backendType.elementsEqual("postmaster".utf8)
        let isStartup = record.backendType.elementsEqual("startup".utf8)
        if log.horizon == nil {
            log.horizon = Int((Double(record.time) / 1_000_000).rounded(.down))
        } else if isPostmaster || isStartup, start > log.horizon ?? .max {
            noteRestart(at: start, sparesPostmaster: isStartup, isFirstLine: line == 1)
        }
        if table.count >= sessionLimit { forgetIdleSessions() }
        var session = Session(key: key)
        if isPostmaster || record.backendType.elementsEqual("logger".utf8) {
            session.flags.insert(.outlivesCrash)
        }
        return table.insert(session)
    }

    /// The server began anew: sessions that began before it are over.
    private mutating func noteRestart(at second: Int, sparesPostmaster: Bool, isFirstLine: Bool) {
        let ended = table.places.filter { place in
            let session = table.sessions[place]
            if sparesPostmaster, session.flags.contains(.outlivesCrash) { return false }
            return session.start < second
                || session.start == second && isFirstLine
                    && !session.flags.contains(.outlivesCrash)
        }
        for place in ended.sorted(by: { table.sessions[$0].key < table.sessions[$1].key }) {
            let session = table.sessions[place]
            finishTransaction(at: place, of: session.key)
            if session.flags.contains(.loggedIn), log.hasDisconnections {
                completeness.endings.checked += 1
                completeness.endings.fail(
                    "session \(LogNumbers.sessionID(session.key)): no end after line \(session.lastLine)"
                )
            }
            remove(place)
        }
        // A start of the postmaster is followed by that of its startup process.
        if second > log.lastRestart + Self.restartSeconds {
            completeness.restarts.checked += 1
            completeness.restarts.fail("process started at second \(second) since 1970")
            log.lastRestart = second
        }
        log.horizon = max(log.horizon ?? second, second)
    }

    /// Starts of processes within this time belong to one start of the server.
    private static let restartSeconds = 5

    /// Makes room: sessions that are idle longest by log time go first, those that never logged in before all others.
    private mutating func forgetIdleSessions() {
        let isMortal = { (session: Session) in !session.flags.contains(.outlivesCrash) }
        let order = table.places.filter { isMortal(table.sessions[$0]) }.sorted { left, right in
            let (a, b) = (table.sessions[left], table.sessions[right])
            let (isAClient, isBClient) = (a.flags.contains(.loggedIn), b.flags.contains(.loggedIn))
            if isAClient != isBClient { return isBClient }
            return (a.lastTime, a.key) < (b.lastTime, b.key)
        }
        for place in order.prefix(max(1, sessionLimit / 16)) {
            let session = table.sessions[place]
            if session.flags.contains(.loggedIn) {
                completeness.forgotten.fail(
                    "session \(LogNumbers.sessionID(session.key)) after line \(session.lastLine)"
                )
            }
            // It may come back in mid-life, as others that began no later.
            log.horizon = max(log.horizon ?? session.start, session.start)
            remove(place)
        }
    }

    /// Forgets a session.
    mutating func remove(_ place: Int) {
        if !table.sessions[place].isChanged { changedKeys.append(table.sessions[place].key) }
        table.remove(at: place)
    }
}
