import Testing

/// Who statements ran as.
///
/// The expected roles are what `current_user` gave on PostgreSQL 15.
@Suite struct RoleTests {
    private static func set(_ line: Int, _ vxid: String, _ text: String) -> Entry {
        let words = text.uppercased().split(separator: " ").map(String.init)
        let command = words[0] == "DISCARD" ? "DISCARD ALL" : words[0]
        return .audit(line, vxid, line, "MISC,\(command)", text, query: line)
    }

    private static func select(_ line: Int, _ vxid: String) -> Entry {
        .audit(line, vxid, line, "READ,SELECT", "select current_user", rows: true)
    }

    /// The role of the last of some statements, each in a transaction of its own.
    private static func role(after statements: [String]) -> String {
        var script = Script()
        for (index, text) in statements.enumerated() {
            _ = script.note(set(index + 1, "4/\(index + 1)", text))
        }
        return script.note(select(99, "4/99")).role
    }

    @Test(arguments: [
        (["set role alice"], "alice"), (["SET ROLE \"Weird \"\"Role\"\" é\""], "Weird \"Role\" é"),
        (["set role 'r1'"], "r1"), (["set role = R1"], "r1"), (["set role to r1"], "r1"),
        (["set session role r1"], "r1"), (["set role r1", "set role none"], ""),
        (["set role r1", "set role to 'none'"], ""), (["set role r1", "set role to default"], ""),
        (["set role r1", "reset role"], ""), (["set role r1", "reset all"], "r1"),
        (["set role r1", "discard all"], ""), (["set session authorization bob"], "bob"),
        (["set session authorization 'bob'"], "bob"), (["set session session authorization bob"], "bob"),
        (["set session_authorization to bob"], "bob"),
        (["set session authorization r2", "set role r1", "set session authorization r3"], "r3"),
        (["set session authorization r2", "set role r1", "reset role"], "r2"),
        (["set session authorization r2", "reset all"], "r2"),
        (["set role r1", "set session authorization default"], ""),
        (["set session authorization r2", "reset session authorization"], ""),
        (["set session authorization r2", "reset session_authorization"], ""),
        (["set local role r1"], ""), (["set search_path = role"], ""),
        (["set application_name = 'role x'"], ""),
        (["set session characteristics as transaction read only"], ""),
        (["set /* role a; */ role -- y\n b"], "b"),
    ])
    func roleOfTheNextStatement(statements: [String], expected: String) {
        #expect(Self.role(after: statements) == expected)
    }

    @Test func setItselfRunsUnderTheOldRole() {
        var script = Script()
        #expect(script.note(Self.set(1, "4/1", "set role a")).role == "")
        #expect(script.note(Self.set(2, "4/2", "set role b")).role == "a")
    }

    @Test func localEndsWithTheTransaction() {
        var script = Script()
        let found = script.run([
            Self.set(37, "4/36", "begin"), Self.set(38, "4/36", "set role r1"),
            Self.set(39, "4/36", "set local role r2"), Self.select(40, "4/36"),
            Self.set(41, "4/36", "commit"),
            Self.select(42, "4/37"),
        ])
        #expect(found[40]?.role == "r2")
        #expect(found[42]?.role == "r1")
    }

    @Test func setAfterLocalStays() {
        var script = Script()
        let found = script.run([
            Self.set(43, "4/38", "begin"), Self.set(44, "4/38", "set local role r2"),
            Self.set(45, "4/38", "set role r3"), Self.select(46, "4/38"), Self.set(47, "4/38", "commit"),
            Self.select(48, "4/39"),
        ])
        #expect(found[46]?.role == "r3")
        #expect(found[48]?.role == "r3")
    }

    @Test func aSavepointBringsTheRoleBack() {
        var script = Script()
        let found = script.run([
            Self.set(50, "4/41", "begin"), Self.set(51, "4/41", "set role r1"),
            Self.set(52, "4/41", "savepoint a"),
            Self.set(53, "4/41", "set role r2"), Self.set(54, "4/41", "rollback to a"),
            Self.select(55, "4/41"),
            Self.set(56, "4/41", "rollback"), Self.select(57, "4/42"),
        ])
        #expect(found[54]?.role == "r2")
        #expect(found[55]?.role == "r1")
        #expect(found[57] == nil)
    }

    @Test func anErrorBringsTheRoleBack() {
        var script = Script()
        let found = script.run([
            Self.set(1, "4/1", "begin"), Self.set(2, "4/1", "set role r1"),
            .error(3, "4/1", "42501", "select * from mv"), Self.select(4, "4/2"),
        ])
        #expect(found[3]?.role == "r1")
        #expect(found[4] == nil)
    }

    @Test func statementsOfOneStringAreReadByTheirNumber() {
        let text =
            "select 1; set role a; set constraints all deferred; set x = role; set role b; reset role; select 2"
        var script = Script()
        func note(_ line: Int, _ command: String) -> String {
            script.note(.audit(line, "4/\(line / 10)", line, command, text, query: line)).role
        }
        for start in [10, 20] {
            let roles = ["SELECT", "SET", "SET CONSTRAINTS", "SET", "SET", "RESET", "SELECT"].enumerated().map
            {
                note(start + $0.offset, "MISC,\($0.element)")
            }
            #expect(roles == ["", "", "a", "a", "a", "b", ""])
        }
    }
}

/// Where the text is that pgaudit leaves out with `log_statement_once`.
@Suite struct TextReferenceTests {
    @Test func theSubstatementOrElseTheStatementHasTheText() {
        let once = "<previously logged>"
        var script = Script()
        let found = script.run([
            .audit(21, "4/339", 8, "READ,SELECT", "select add_order(1, -5);"),
            .audit(23, "4/339", 8, "WRITE,INSERT", "insert into sales.orders", substatement: 3),
            .audit(24, "4/339", 8, "WRITE,INSERT", once, substatement: 3),
            .audit(25, "4/339", 8, "READ,SELECT", once, substatement: 1),
            .audit(26, "4/339", 8, "READ,SELECT", once, substatement: 9),
            .audit(27, "4/340", 9, "READ,SELECT", once),
        ])
        #expect(found.mapValues(\.reference) == [24: 23, 25: 21, 26: 21])
    }

    @Test func aProcedureThatCommitsKeepsItsTexts() {
        var script = Script()
        let found = script.run([
            .audit(1, "4/1", 8, "FUNCTION,EXECUTE", "call p()"),
            .audit(2, "4/2", 8, "WRITE,INSERT", "<previously logged>"),
        ])
        #expect(found[2]?.reference == 1)
    }
}
