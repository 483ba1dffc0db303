import SQLText
import Testing

/// Secrets that do not stand in single quotes, or not right after the word that names them.
///
/// Failed statements (42601) are logged whole, so what
/// PostgreSQL would not accept counts too.
@Suite struct UnquotedSecretTests {
    static let roles = [
        "ALTER ROLE a PASSWORD \"§\"", "ALTER ROLE a PASSWORD \"§ §\" createdb", "ALTER ROLE a PASSWORD §",
        "ALTER ROLE a PASSWORD §;", "ALTER ROLE a PASSWORD §, x", "ALTER ROLE a WITH (PASSWORD §)",
        "ALTER ROLE a WITH ENCRYPTED PASSWORD § VALID UNTIL '2030-01-01'",
        "create user bob with password § valid until '2030-01-01'", "create group g password §",
        "alter role a password\n\t§", "alter role a password /* x */ §", "alter role a password = §",
        "alter role a password=§", "alter role a password: §", "alter role a password := \"§\"",
        "alter role a password to §", "alter role a passwd §", "alter role a pwd §",
        "ALTER ROLE a PASSWORD ‘§’", "ALTER ROLE a PASSWORD “§ §” createdb", "ALTER ROLE a PASSWORD ‘§,§’",
        "alter role a password S3cr%t!§", "alter role a password 12-§", "alter role a password $§",
        "alter role a password %§", "alter role a password §'§", "alter role a password !§",
        "create user a identified by §", "create user a identified by \"§\"",
        "create user a identified with x by §", "create user a identified by password §",
        "alter role password password §", "alter role a password `§`", "alter role a password #§",
        "alter role \"a\" password §", "alter role \"a b\" with password \"§\"",
    ]

    static let others = [
        "\\password §", "create subscription s connection host=h password=§ publication p",
        "ALTER SUBSCRIPTION s CONNECTION host=h password=§", "select 1 ldapbindpasswd=§",
        "host all all 0/0 ldap ldapbindpasswd=§ x", "set x.password=§",
        "update users set (name,password)=('a','§')", "update users set (password, name) = ('§', 'a')",
        "update users set (name, password) = row ('a', '§') where id = 5",
        "insert into t(name, password) values ('b','§')",
        "insert into t (password, name) values ('§', 'b'), ('§', 'c')",
        "insert into s.t (id, \"password\", name) values (1, E'§', 'b'), (2, '§', 'c') returning id",
        "select 1 from t where password in ('a','§')", "select 1 from t where password::text = '§'",
        "create server s options (\"password\" '§')", "alter table t alter column password set default '§'",
    ]

    @Test(arguments: roles + others)
    func areBlankedInStatements(template: String) {
        let result = blanked(template.replacing("§", with: "hunter2"), as: .statement)
        #expect(!result.contains("hunter2"), "\(result)")
    }

    @Test(
        arguments: roles + others.filter { !$0.contains("options (\"password\"") },
        ["Failed process was running: ", "statement: ", "duration: 1.5 ms  statement: "]
    )
    func areBlankedInProse(template: String, before: String) {
        let result = blanked(before + template.replacing("§", with: "hunter2"), as: .prose)
        #expect(!result.contains("hunter2"), "\(result)")
    }

    @Test(arguments: roles + others)
    func passThePrefilter(template: String) {
        let found = Array(template.utf8).withUnsafeBytes { SecretScanner.mayHoldSecret($0) }
        #expect(found)
    }

    @Test(arguments: [
        "insert into t(name, password) select 'b', '§' from x",
        "merge into t using s on a when not matched then insert (a, passwd) values (1, '§')",
        "update t set password=a || '§'", "update t set password=s.crypt('§ §', 'x')",
        "create subscription s connection host=h password = §",
        "create user mapping for bob server s options (user 'bob', password §)",
        "create server s options (\"password\" §)",
    ])
    func areBlankedInStatementsAlone(template: String) {
        let result = blanked(template.replacing("§", with: "hunter2"), as: .statement)
        #expect(!result.contains("hunter2"), "\(result)")
    }

    @Test(arguments: [
        "password/**/a/", "password=a/", "password a", "(password)=('a',", "(password) values (",
        "password '",
        "insert into t(password) values ('a'),", "password O'", "password ‘", "\\password/**/a/",
    ])
    func takeLinearTime(piece: String) {
        for end in ["", "f('"] {
            let text = "alter role a " + String(repeating: piece, count: 100_000) + end
            let time = ContinuousClock().measure {
                _ = blanked(text, as: .statement)
                _ = blanked(text, as: .prose)
            }
            #expect(time < .seconds(3))
        }
    }

    @Test(arguments: [
        "password authentication failed for user \"x\"", "alter role a password null",
        "ALTER ROLE a PASSWORD NULL;", "select password from t where id = 5", "password_encryption = 'scram'",
        "set password_encryption = 'scram'", "alter role a password $1", "alter role a password <REDACTED>",
        "ALTER ROLE a WITH PASSWORD <REDACTED> VALID UNTIL '2030-01-01'",
        "alter role password_admin createdb", "create user secret_agent login",
        "alter subscription s set (password_required=false)",
        "insert into t(name, address) values ('b', 'c')", "update t set (a, b) = ('x', 'y')",
        "select name, password from t where name in ('a', 'b')", "alter role a rename to b",
        "alter role a password %L", "create table t (id int, password text, name text default 'x')",
        "select (password, name) from t where x = 'y'",
    ])
    func staysInBothReadings(text: String) {
        #expect(blanked(text, as: .statement) == text)
        #expect(blanked(text, as: .prose) == text)
    }

    @Test(arguments: [
        (
            "alter role a password S3cr%t!x valid until '2030-01-01'",
            "alter role a password *** valid until '2030-01-01'"
        ),
        ("alter role a password \"x y\" createdb", "alter role a password \"***\" createdb"),
        ("alter role a password x; select 1", "alter role a password ***; select 1"),
        ("alter role a password ‘x y’ login", "alter role a password *** login"),
        ("create user a identified by x login", "create user a identified by *** login"),
        (
            "insert into t(name, password) values ('b', 'x'); select 'y'",
            "insert into t(name, password) values ('***', '***'); select 'y'"
        ),
        (
            "insert into t(password) values ('x') returning 'y'",
            "insert into t(password) values ('***') returning 'y'"
        ),
    ])
    func nothingElseIsBlanked(text: String, expected: String) {
        #expect(blanked(text, as: .statement) == expected)
        #expect(blanked(text, as: .prose) == expected)
    }
}
