import PostgresSessions
import SeededRandom
import Testing

/// The stored state, the open row group, and that neither depends on where batches are cut.
@Suite struct StoredStateTests {
    @Test func rowsOfOpenStatementsAreGivenAtTheFlush() {
        var script = Script()
        _ = script.run([
            .audit(1, "4/1", 1, "READ,SELECT", "select 1"),
            .audit(1, "5/1", 1, "READ,SELECT", "select 1").with(session: "6b01.b"),
            .audit(2, "4/2", 2, "FUNCTION,DO", "do x"),
            .audit(3, "4/2", 2, "READ,SELECT", "select 2", substatement: 2),
            .audit(1, "6/1", 1, "READ,SELECT", "select 1", rows: true).with(session: "6b01.c"),
        ])
        #expect(script.flush() == [1, 2, 3])
        #expect(script.flush().isEmpty)
    }

    @Test func anErrorAfterTheFlushAmendsButPatchesNothing() {
        var script = Script()
        _ = script.note(.audit(1, "4/1", 1, "WRITE,INSERT", "insert"))
        _ = script.flush()
        #expect(script.note(.error(2, "4/1", "23505", "insert")) == Meaning(amends: "FAILURE:1"))
    }

    @Test func changesAreThoseSinceTheLastCall() {
        var script = Script()
        _ = script.note(.audit(1, "4/1", 1, "MISC,SET", "set role \"a b,é\""))
        #expect(script.states.takeChanges().map(\.key) == ["s/6b010000.10", "sessions"])
        #expect(script.states.takeChanges().isEmpty)
        _ = script.note(.disconnection(2))
        let changes = script.states.takeChanges()
        #expect(changes.map(\.key) == ["s/6b010000.10", "sessions"])
        #expect(changes.first?.value == nil)
    }

    @Test func aSessionWithinABatchLeavesNoTrace() {
        var script = Script()
        _ = script.note(Entry(kind: .connection, line: 1))
        _ = script.note(.disconnection(2))
        #expect(script.states.takeChanges().map(\.key) == ["sessions"])
    }

    @Test func namesSurviveTheStore() {
        var script = Script()
        _ = script.note(.audit(1, "4/1", 1, "MISC,SET", "set role \"a b,=é%-\""))
        script.endBatch()
        #expect(script.note(.audit(2, "4/2", 2, "READ,SELECT", "x")).role == "a b,=é%-")
    }

    @Test(arguments: 0..<60)
    func batchesChangeNothing(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let log = Self.randomLog(&random)
        var whole = Script()
        let expected = log.map { whole.note($0).withoutRows }
        whole.endBatch()
        for _ in 0..<4 {
            var cut = Script()
            var found: [Meaning] = []
            for entry in log {
                if random.next() % 7 == 0 { cut.endBatch() }
                if random.next() % 9 == 0 { _ = cut.flush() }
                found.append(cut.note(entry).withoutRows)
            }
            cut.endBatch()
            #expect(found == expected)
            #expect(cut.values == whole.values)
        }
    }

    /// Sessions that do what they like, also what no server would write.
    private static func randomLog(_ random: inout SeededGenerator) -> [Entry] {
        let texts = [
            "select 1", "insert into t values (1)", "set role a", "set local role b; set role c",
            "savepoint s",
            "savepoint u", "rollback to s", "release s", "rollback", "commit and chain",
            "<previously logged>",
            "<not logged>",
        ]
        let commands = [
            "READ,SELECT", "WRITE,INSERT", "MISC,SET", "MISC,BEGIN", "MISC,COMMIT", "MISC,ROLLBACK",
            "MISC,SAVEPOINT",
            "MISC,RELEASE", "FUNCTION,DO", "MISC,DISCARD ALL", "DDL,CREATE TABLE",
        ]
        var lines: [Int: Int] = [:]
        return (0..<160).map { _ in
            let session = random.next(5)
            lines[session, default: 0] += random.next() % 25 == 0 ? 2 : 1
            let line = lines[session] ?? 0
            let vxid = "\(session)/\(line / 6)"
            let query = random.next(3)
            var entry: Entry
            switch random.next(12) {
            case 0: entry = .error(line, vxid, "22012", texts[random.next(3)], query: query)
            case 1: entry = Entry(line: line, vxid: vxid)
            case 2 where random.next() % 4 == 0: entry = .disconnection(line)
            default:
                let isSavepoint = random.next() % 3 == 0
                let choice = random.next(texts.count)
                entry = .audit(
                    line,
                    vxid,
                    line / 2,
                    isSavepoint
                        ? "MISC,\(texts[choice].split(separator: " ")[0].uppercased())"
                        : commands[random.next(commands.count)],
                    texts[choice],
                    query: query,
                    substatement: 1 + line % 2,
                    rows: random.next() % 2 == 0
                )
            }
            entry.session = "6b01000\(session).\(session)"
            if entry.kind == .disconnection { lines[session] = 0 }
            return entry
        }
    }
}

extension Meaning {
    /// Without the rows, which depend on the cuts.
    fileprivate var withoutRows: Meaning {
        var meaning = self
        meaning.failedRows = []
        return meaning
    }
}

extension SeededGenerator {
    /// A number below a limit.
    fileprivate mutating func next(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
