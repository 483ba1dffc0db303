import Testing

/// What became of transactions; sequences with vxids and lines as PostgreSQL 15 with pgaudit 1.7 wrote them.
@Suite struct TransactionTests {
    private static func insert(_ line: Int, _ vxid: String, _ id: Int, rows: Bool = true) -> Entry {
        .audit(line, vxid, id, "WRITE,INSERT", "insert into t values (\(line), null);", rows: rows)
    }

    private static func misc(_ line: Int, _ vxid: String, _ id: Int, _ text: String) -> Entry {
        let words = text.uppercased().split { $0 == " " || $0 == ";" }
        let command = words.starts(with: ["PREPARE"]) ? "PREPARE TRANSACTION" : String(words[0])
        return .audit(line, vxid, id, "MISC,\(command)", text, query: 100 + id)
    }

    @Test(arguments: [
        ("commit", "COMMITTED"), ("rollback", "ROLLED_BACK"), ("rollback work", "ROLLED_BACK"),
        ("prepare transaction 'x'", "PREPARED"),
    ])
    func theEndDecidesTheTransaction(end: String, outcome: String) {
        var script = Script()
        let found = script.run([
            Self.misc(1, "4/5", 1, "begin"), Self.insert(2, "4/5", 2), Self.misc(3, "4/5", 3, end),
            Self.insert(4, "4/6", 4),
        ])
        #expect(found == [3: Meaning(amends: "\(outcome):1-2", transaction: outcome)])
    }

    @Test func autocommitHasNoTransactionOutcome() {
        let entries = [Self.insert(1, "4/1", 1), Self.insert(2, "4/2", 2), Self.misc(3, "4/3", 3, "commit")]
        var script = Script()
        #expect(script.run(entries).isEmpty)
    }

    @Test func anErrorRollsTheTransactionBackAtOnce() {
        var script = Script()
        let found = script.run([
            Self.misc(55, "4/429", 35, "begin"), Self.insert(56, "4/429", 36),
            .error(59, "4/429", "40P01", "update orders set amount = 2 where id = 2"),
            .error(60, "4/0", "25P02", "select 2", query: 0), Self.insert(61, "4/430", 37),
        ])
        #expect(found == [59: Meaning(amends: "ROLLED_BACK:55-56", transaction: "ROLLED_BACK")])
    }

    @Test func theFailedStatementIsKeptApart() {
        let amends = Script.amends([
            Self.misc(1, "4/1", 1, "begin"), Self.insert(2, "4/1", 2), Self.insert(3, "4/1", 3, rows: false),
            .error(4, "4/1", "23505", "insert into t values (3, null);"),
        ])
        #expect(amends == [4: "FAILURE:3 ROLLED_BACK:1-2"])
    }

    @Test func aSavepointKeepsWhatWasBeforeIt() {
        let amends = Script.amends([
            Self.misc(65, "4/45", 60, "begin;"), Self.insert(66, "4/45", 61),
            Self.misc(67, "4/45", 62, "savepoint a;"),
            Self.insert(68, "4/45", 63),
            .error(69, "4/45", "23505", "insert into t values (1, null);"),
            .error(70, "4/45", "25P02", "select 1;", query: 0), Self.insert(71, "4/45", 64),
            Self.misc(72, "4/45", 65, "commit;"),
        ])
        #expect(amends == [69: "ROLLED_BACK:68", 72: "COMMITTED:65-67 COMMITTED:71"])
    }

    @Test func withoutTheWayBackTheNextTransactionTells() {
        var script = Script()
        let found = script.run([
            Self.misc(82, "4/47", 74, "begin;"), Self.insert(83, "4/47", 75),
            Self.misc(84, "4/47", 76, "savepoint a;"),
            .error(85, "4/47", "22012", "select 1/0;", query: 9),
            .error(86, "4/47", "42601", "selec 1;", query: 0, tag: "idle in transaction (aborted)"),
            .audit(87, "4/48", 77, "READ,SELECT", "select 'after aborted commit';"),
        ])
        #expect(
            found == [
                85: Meaning(transaction: "ROLLED_BACK"), 86: Meaning(transaction: "ROLLED_BACK"),
                87: Meaning(amends: "ROLLED_BACK:82-84"),
            ]
        )
    }

    @Test func rollbackToASavepointByName() {
        let amends = Script.amends([
            Self.misc(1, "4/1", 1, "begin"), Self.misc(2, "4/1", 2, "savepoint a"), Self.insert(3, "4/1", 3),
            Self.misc(4, "4/1", 4, "savepoint \"B\""), Self.insert(5, "4/1", 5),
            Self.misc(6, "4/1", 6, "ROLLBACK WORK TO SAVEPOINT A"), Self.insert(7, "4/1", 7),
            Self.misc(8, "4/1", 8, "commit"),
        ])
        #expect(amends == [6: "ROLLED_BACK:3-4 ROLLED_BACK:5", 8: "COMMITTED:1-2 COMMITTED:6-7"])
    }

    @Test func aReleasedSavepointProtectsNothing() {
        let amends = Script.amends([
            Self.misc(1, "4/1", 1, "begin"), Self.misc(2, "4/1", 2, "savepoint a"),
            Self.misc(3, "4/1", 3, "release savepoint a"), Self.insert(4, "4/1", 4),
            .error(5, "4/1", "22012", "select 1/0", query: 9),
        ])
        #expect(amends == [5: "ROLLED_BACK:1-2 ROLLED_BACK:3-4"])
    }

    @Test func aFailingCommitTakesItsWordBack() {
        var script = Script()
        let check = "SELECT 1 FROM ONLY \"public\".\"t\" x WHERE \"i\" = $1 FOR KEY SHARE OF x"
        let found = script.run([
            Self.misc(88, "4/49", 78, "begin;"), Self.insert(89, "4/49", 79),
            Self.misc(90, "4/49", 80, "commit;"),
            .audit(91, "4/49", 81, "READ,SELECT", check, query: 180, rows: true),
            .error(92, "4/49", "23503", "commit;", query: 180, tag: "COMMIT"), Self.insert(93, "4/50", 82),
        ])
        #expect(
            found == [
                90: Meaning(amends: "COMMITTED:88-89", transaction: "COMMITTED"),
                92: Meaning(
                    amends: "FAILURE:90-91 ROLLED_BACK:88-91",
                    transaction: "ROLLED_BACK",
                    failedRows: [3, 2]
                ),
            ]
        )
    }

    @Test func aCommitThatIsNotLoggedFailsNoStatement() {
        let amends = Script.amends([
            Self.insert(1, "4/1", 1, rows: false), Self.insert(2, "4/1", 2, rows: false),
            .error(3, "4/1", "40001", "commit", tag: "COMMIT"),
        ])
        #expect(amends == [3: "ROLLED_BACK:1-2"])
    }

    @Test func chainedTransactionsNeedNoBegin() {
        let amends = Script.amends([
            Self.misc(98, "4/52", 85, "begin;"), Self.insert(99, "4/52", 86),
            Self.misc(100, "4/52", 87, "commit and chain;"), Self.insert(101, "4/53", 88),
            Self.misc(102, "4/53", 89, "rollback and chain;"), Self.insert(103, "4/54", 90),
            Self.misc(104, "4/54", 91, "rollback and no chain"), Self.insert(105, "4/55", 92),
            .disconnection(106),
        ])
        #expect(amends == [100: "COMMITTED:98-99", 102: "ROLLED_BACK:101", 104: "ROLLED_BACK:103"])
    }

    @Test func theEndOfTheSessionRollsBack() {
        let amends = Script.amends([
            Self.misc(119, "4/62", 101, "begin;"), Self.insert(120, "4/62", 102), .disconnection(121),
        ])
        #expect(amends == [121: "ROLLED_BACK:119-120"])
    }

    @Test func aMissingLineLeavesTheEndUndecided() {
        let amends = Script.amends([
            Self.misc(1, "4/1", 1, "begin"), Self.insert(2, "4/1", 2), .disconnection(4),
        ])
        #expect(amends.isEmpty)
    }

    @Test func withoutAnErrorTheNextTransactionTellsNothing() {
        let amends = Script.amends([
            Self.misc(1, "4/1", 1, "begin"), Self.misc(2, "4/1", 2, "set pgaudit.log = 'write'"),
            Self.insert(3, "4/2", 3), .disconnection(4),
        ])
        #expect(amends.isEmpty)
    }

    @Test func aProcedureThatCommitsIsAutocommit() {
        let amends = Script.amends([
            .audit(30, "4/75", 7, "FUNCTION,EXECUTE", "call p();"),
            .audit(31, "4/75", 7, "WRITE,INSERT", "insert (1)", substatement: 2, rows: true),
            .audit(32, "4/76", 7, "WRITE,INSERT", "insert (2)", substatement: 3, rows: true),
            .audit(33, "4/77", 7, "MISC,CALL", "call p();", substatement: 4), .disconnection(34),
        ])
        #expect(amends.isEmpty)
    }

    @Test func severalStatementsOfOneStringAreReadByTheirNumber() {
        let text =
            "begin; savepoint a; insert into t values (1); savepoint b; rollback to b; rollback to a; commit"
        let whole = { (line: Int, command: String) in
            Entry.audit(line, "4/1", line, command, text, query: line, rows: true)
        }
        let amends = Script.amends([
            whole(1, "MISC,BEGIN"), whole(2, "MISC,SAVEPOINT"), whole(3, "WRITE,INSERT"),
            whole(4, "MISC,SAVEPOINT"),
            whole(5, "MISC,ROLLBACK"), whole(6, "MISC,ROLLBACK"), whole(7, "MISC,COMMIT"),
        ])
        #expect(amends == [6: "ROLLED_BACK:3-4 ROLLED_BACK:5", 7: "COMMITTED:1-2 COMMITTED:6"])
    }
}
