import PostgresSessions
import Testing

@Suite struct CompletenessTests {
    private static func line(_ line: Int, _ session: String, backend: String = "client backend") -> Entry {
        Entry(session: session, line: line, backend: backend)
    }

    private static func login(_ line: Int, _ session: String) -> Entry {
        Entry(kind: .connection, session: session, line: line)
    }

    private static func broken(_ entries: [Entry]) -> [String: SessionRule] {
        var script = Script()
        _ = script.run(entries)
        return Dictionary(uniqueKeysWithValues: script.states.takeBrokenRules().map { ($0.name, $0) })
    }

    @Test func aMissingLineIsNamed() {
        let broken = Self.broken([
            Self.line(7739, "6b01.a"), Self.line(7740, "6b01.a"), Self.line(7742, "6b01.a"),
            Self.line(7750, "6b01.a"),
        ])
        let gap = broken["session_line_gap"]
        #expect(gap?.failed == 8)
        #expect(gap?.checked == 4)
        #expect(gap?.samples == ["session 6b01.a: line 7741", "session 6b01.a: lines 7743-7749"])
    }

    @Test func aSessionThatBeganLaterIsSeenFromItsFirstLine() {
        let broken = Self.broken([Self.line(1, "6b010000.1"), Self.line(3, "6b010009.2")])
        #expect(broken["session_line_gap"]?.samples == ["session 6b010009.2: lines 1-2"])
    }

    @Test func aSessionThatWasThereBeforeMayBeginAnywhere() {
        #expect(Self.broken([Self.line(5, "6b00ffff.1"), Self.line(9, "6b010000.2")]).isEmpty)
    }

    @Test func linesThatComeAgainAreNoGap() {
        let lines = [1, 2, 3, 2, 3, 4].map { Self.line($0, "6b01.a") }
        #expect(Self.broken(lines).isEmpty)
    }

    @Test func aProcessIDThatComesBackBeginsAnew() {
        var script = Script()
        _ = script.run([1, 2, 3].map { Self.line($0, "6b01.a") })
        _ = script.note(.audit(1, "4/9", 1, "MISC,SET", "set role r").with(session: "6b01.a"))
        #expect(script.note(.audit(2, "4/10", 2, "READ,SELECT", "x").with(session: "6b01.a")).role == "r")
        #expect(script.states.takeBrokenRules().isEmpty)
    }

    @Test func aRecordReadAgainMeansNothing() {
        var script = Script()
        let records: [Entry] = [
            .audit(1, "4/1", 1, "WRITE,INSERT", "insert"), .error(2, "4/1", "23505", "insert"),
        ]
        #expect(script.run(records) == [2: Meaning(amends: "FAILURE:1", failedRows: [0])])
        #expect(script.run([records[1]]).isEmpty)
    }

    private static let restart: [Entry] = [
        login(1, "6b010001.a"), line(1, "6b010001.c", backend: "checkpointer"), login(1, "6b010002.b"),
        Entry(kind: .connection, session: "6b010002.d", line: 1, user: ""),
    ]
    private static let postmaster = Self.line(1, "6b010100.1", backend: "postmaster")
    private static let startup = Self.line(1, "6b010100.2", backend: "startup")

    @Test func aRestartEndsTheSessionsBeforeIt() {
        let left = Entry.disconnection(2).with(session: "6b010002.b")
        let broken = Self.broken(Self.restart + [left, Self.postmaster, Self.startup])
        #expect(
            broken["session_without_end"]?.samples == ["session 6b010001.a: no end after line 1"]
        )
        #expect(broken["server_restart"]?.failed == 1)
    }

    @Test func withoutLogDisconnectionsNoEndIsMissed() {
        let broken = Self.broken(Self.restart + [Self.postmaster])
        #expect(broken.keys.sorted() == ["server_restart"])
    }

    @Test func recoveryFromACrashSparesThePostmaster() {
        let entries = [
            Self.line(1, "6b010000.1", backend: "postmaster"), Self.login(1, "6b010001.a"),
            Entry.disconnection(2).with(session: "6b010001.a"), Self.login(1, "6b010050.b"), Self.startup,
            Self.line(2, "6b010000.1", backend: "postmaster"),
            Self.line(5, "6b010000.1", backend: "postmaster"),
        ]
        let broken = Self.broken(entries)
        #expect(broken["session_without_end"]?.samples == ["session 6b010050.b: no end after line 1"])
        #expect(broken["session_line_gap"]?.samples == ["session 6b010000.1: lines 3-4"])
    }

    @Test func aRestartRollsOpenTransactionsBack() {
        var script = Script()
        _ = script.run([
            Self.line(1, "6b010000.5"),
            .audit(3, "4/1", 1, "MISC,BEGIN", "begin").with(session: "6b010001.a"),
            .audit(4, "4/1", 2, "WRITE,INSERT", "insert", rows: true).with(session: "6b010001.a"),
            .audit(9, "5/1", 1, "MISC,BEGIN", "begin").with(session: "6b010001.b"),
        ])
        let found = script.note(Self.startup)
        #expect(found.amends == "ROLLED_BACK:3-4@6b010001.a ROLLED_BACK:9@6b010001.b")
    }

    @Test func aRefusedLoginEndsItsSession() {
        let refused = Entry(
            kind: .refusal,
            session: "6b010001.a",
            line: 2,
            tag: "authentication",
            state: "28P01"
        )
        let broken = Self.broken([
            Self.line(1, "6b010000.1"), Entry.disconnection(2).with(session: "6b010000.1"),
            Self.login(1, "6b010001.a"), refused, Self.postmaster,
        ])
        #expect(broken.keys.sorted() == ["server_restart"])
    }

    @Test func theFirstRecordOfAllIsNoRestart() {
        var first = Self.postmaster
        first.time = 0x6B01_0100 * 1_000_000 + 5_000
        #expect(Self.broken([first, Self.startup]).isEmpty)
    }

    @Test func sessionsIdleLongestAreForgotten() {
        var script = Script(limit: 4)
        for index in 0..<4 { _ = script.note(Self.login(1, "6b01000\(index).a")) }
        _ = script.note(Self.line(2, "6b010000.a"))
        _ = script.note(Self.login(1, "6b010009.a"))
        let broken = script.states.takeBrokenRules()
        #expect(broken.map(\.name) == ["session_forgotten"])
        #expect(broken.first?.samples == ["session 6b010001.a after line 1"])
        // What was forgotten may come back in mid-life.
        _ = script.note(Self.line(7, "6b010001.a"))
        #expect(!script.states.takeBrokenRules().contains { $0.name == "session_line_gap" })
    }

    @Test func sessionsThatNeverLoggedInAreForgottenFirst() {
        var script = Script(limit: 2)
        _ = script.note(Self.login(1, "6b010000.a"))
        _ = script.note(Self.line(1, "6b010000.b"))
        _ = script.note(Self.login(1, "6b010000.c"))
        #expect(script.states.takeBrokenRules().isEmpty)
    }
}
