import Testing

/// Which statement an ERROR ended; the records are those that PostgreSQL 15 with pgaudit 1.7 wrote.
@Suite struct FailureTests {
    private static let insert = "insert into customers(name) values ('dup');"

    @Test func anErrorFailsTheStatementLoggedBeforeIt() {
        var script = Script()
        let found = script.run([
            .audit(9, "4/215", 4, "WRITE,INSERT", Self.insert),
            .error(10, "4/215", "23505", Self.insert),
        ])
        #expect(found == [10: Meaning(amends: "FAILURE:9", failedRows: [0])])
    }

    @Test func allRecordsOfTheStatementFail() {
        let check =
            "SELECT 1 FROM ONLY \"sales\".\"customers\" x WHERE \"id\" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x"
        var script = Script()
        let found = script.run([
            .audit(13, "4/217", 6, "WRITE,INSERT", "insert into orders values (9);"),
            .audit(14, "4/217", 6, "READ,SELECT", check, substatement: 2),
            .audit(15, "4/217", 6, "READ,SELECT", check, substatement: 2),
            .error(16, "4/217", "23503", "insert into orders values (9);"),
        ])
        #expect(found == [16: Meaning(amends: "FAILURE:13-15", failedRows: [2, 1, 0])])
    }

    @Test(arguments: [
        ("FUNCTION,DO", "do $$ begin perform 1/0; end $$;"), ("FUNCTION,EXECUTE", "select add_order(1, -5);"),
        ("WRITE,COPY", "copy t from '/no'"), ("WRITE,INSERT", "copy t from stdin"),
        ("MISC,???", "merge into t using u"),
        ("DDL,CREATE EXTENSION", "create extension x"), ("DDL,ALTER EXTENSION", "alter extension x update"),
        ("MISC,CLOSE CURSOR", "close c"),
    ])
    func whatIsLoggedBeforeItRunsCanFail(what: String, text: String) {
        let amends = Script.amends([.audit(1, "4/1", 1, what, text), .error(2, "4/1", "22012", text)])
        #expect(amends == [2: "FAILURE:1"])
    }

    @Test(arguments: [
        "DDL,CREATE TABLE", "ROLE,ALTER ROLE", "READ,PREPARE", "WRITE,TRUNCATE TABLE", "MISC,SET",
        "READ,DECLARE CURSOR",
        "MISC,VACUUM",
    ])
    func whatIsLoggedAfterItRanNeverFails(what: String) {
        let entries: [Entry] = [.audit(1, "4/1", 1, what, "x y"), .error(2, "4/1", "42710", "x y", tag: "X")]
        #expect(Script.amends(entries) == [2: "ROLLED_BACK:1"])
    }

    @Test func aStatementWithItsRowsHasRun() {
        let copy = "copy (select 'program') to program 'false';"
        let amends = Script.amends([
            .audit(52, "4/308", 17, "READ,SELECT", copy, rows: true), .error(53, "4/308", "38000", copy),
        ])
        #expect(amends == [53: "ROLLED_BACK:52"])
    }

    @Test func aFunctionWithNestedRowsFailsWhole() {
        let amends = Script.amends([
            .audit(1, "4/1", 8, "FUNCTION,EXECUTE", "select f()", rows: true),
            .audit(2, "4/1", 8, "WRITE,INSERT", "insert into a", substatement: 2, rows: true),
            .error(3, "4/1", "23514", "select f()"),
        ])
        #expect(amends == [3: "FAILURE:1-2"])
    }

    @Test func aFunctionWhoseOwnRowsAreThereHasRun() {
        let amends = Script.amends([
            .audit(1, "4/1", 1, "MISC,BEGIN", "begin", rows: true),
            .audit(2, "4/1", 8, "FUNCTION,EXECUTE", "select f()", rows: true),
            .audit(3, "4/1", 8, "READ,SELECT", "select f()", substatement: 2, rows: true),
            .error(4, "4/1", "23505", "select f()"),
        ])
        #expect(amends == [4: "ROLLED_BACK:1-3"])
    }

    @Test func differentQueryIDsAreDifferentStatements() {
        let text = "select 1; select 1/0"
        let amends = Script.amends([
            .audit(24, "4/418", 13, "READ,SELECT", text, query: 11),
            .error(25, "4/418", "22012", text, query: 12),
        ])
        #expect(amends == [25: "ROLLED_BACK:24"])
    }

    @Test(arguments: [("select 1;", "FAILURE:1"), ("select 2;", "ROLLED_BACK:1")])
    func withoutQueryIDTheTextsDecide(text: String, expected: String) {
        let amends = Script.amends([
            .audit(1, "4/1", 1, "READ,SELECT", " select 1", query: 0),
            .error(2, "4/1", "57014", text, query: 0),
        ])
        #expect(amends == [2: expected])
    }

    @Test func withQueryIDsAFailureWithoutOneCameBeforeItsStatement() {
        let amends = Script.amends([
            .audit(1, "4/1", 1, "READ,SELECT", "select 1"), .error(2, "4/1", "55P03", "select 1", query: 0),
        ])
        #expect(amends == [2: "ROLLED_BACK:1"])
    }

    @Test(arguments: ["<not logged>", "<previously logged>"])
    func withoutTextThePositionDecides(text: String) {
        let amends = Script.amends([
            .audit(1, "4/1", 1, "READ,SELECT", text, query: 0),
            .error(2, "4/1", "57014", "select 2", query: 0),
        ])
        #expect(amends == [2: "FAILURE:1"])
    }

    @Test func aPreparedStatementIsLoggedWithTheTextOfPrepare() {
        let prepare = "prepare ins(int) as insert into t values ($1);"
        let fails = Script.amends([
            .audit(1, "4/1", 1, "WRITE,INSERT", prepare, query: 0),
            .error(2, "4/1", "23505", "EXECUTE ins(51);", query: 0),
        ])
        #expect(fails == [2: "FAILURE:1"])
        let ran = Script.amends([
            .audit(1, "4/1", 1, "WRITE,INSERT", prepare),
            .audit(2, "4/1", 1, "MISC,EXECUTE", "execute ins(51);", substatement: 2),
            .error(3, "4/1", "23505", "execute ins(51);"),
        ])
        #expect(ran == [3: "ROLLED_BACK:1-2"])
    }

    @Test func aStatementOfAnotherTransactionIsNoPartner() {
        let prepare = "prepare dupl as select 1;"
        let amends = Script.amends([
            .audit(69, "4/253", 26, "READ,SELECT", prepare),
            .error(70, "4/254", "42P05", prepare, tag: "PREPARE"),
        ])
        #expect(amends.isEmpty)
    }

    @Test func onlyTheFirstErrorFails() {
        let amends = Script.amends([
            .audit(1, "4/1", 1, "READ,SELECT", "select 1"), .error(2, "4/1", "22012", "select 1"),
            .error(3, "4/1", "22012", "select 1"),
        ])
        #expect(amends == [2: "FAILURE:1"])
    }

    /// An idle session keeps the query id of its last statement; a statement that is being read or bound has not run.
    @Test(arguments: ["idle in transaction", "idle", "PARSE", "BIND"])
    func nothingWasRunning(tag: String) {
        let amends = Script.amends([
            .audit(4, "4/140", 2, "MISC,BEGIN", "begin"), .audit(5, "4/140", 3, "WRITE,INSERT", "insert"),
            .error(6, "4/140", "25P03", "", tag: tag),
        ])
        #expect(amends == [6: "ROLLED_BACK:4-5"])
    }

    @Test func aFatalErrorInTheMiddleOfAStatementFailsIt() {
        let amends = Script.amends([
            .audit(3, "6/2", 1, "READ,SELECT", "select pg_sleep(30)"),
            .error(4, "6/2", "57P01", "select pg_sleep(30)", tag: "SELECT"), .disconnection(5),
        ])
        #expect(amends == [4: "FAILURE:3"])
    }

    @Test func aDeferredCheckBelongsToTheStatementBeforeIt() {
        let check = "SELECT 1 FROM ONLY \"public\".\"t\" x WHERE \"i\" = $1 FOR KEY SHARE OF x"
        let amends = Script.amends([
            .audit(93, "4/50", 82, "WRITE,INSERT", "insert into t values (32, 99);"),
            .audit(94, "4/50", 83, "READ,SELECT", check),
            .error(95, "4/50", "23503", "insert into t values (32, 99);"),
        ])
        #expect(amends == [95: "FAILURE:93-94"])
    }

    @Test func anErrorWithoutPartnerDecidesNothing() {
        var script = Script()
        let found = script.run([
            .audit(1, "4/1", 1, "READ,SELECT", "select 1"), .error(2, "4/2", "42501", "select * from mv;"),
        ])
        #expect(found.isEmpty)
    }
}
