import SQLText
import SeededRandom
import Testing

/// The text with its secrets blanked, without the prefilter in between.
func blanked(_ text: String, as context: SecretContext) -> String {
    var scanner = SecretScanner()
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBytes { raw in
        var output: [UInt8] = []
        var copied = 0
        for span in scanner.spans(in: raw, as: context) {
            output += raw[copied..<span.start]
            output += "***".utf8
            copied = span.end
        }
        output += raw[copied...]
        return String(decoding: output, as: UTF8.self)
    }
}

@Suite struct StatementSecretTests {
    @Test(arguments: [
        "alter role bob password '§'",
        "alter role bob with encrypted password '§' valid until '2030-01-01'",
        "ALTER USER bob PASSWORD E'§'",
        "create user u with password $$§$$ createdb",
        "create role u password $t$§$t$",
        "alter role bob passwor '§'",
        "create user bob pasword '§' valid until 'infinity'",
        "alter role bob pw /* x */ '§'",
        "create group g user a, b pass N'§'",
        "select 1; alter role a 'x§'",
        "alter role bob set search_path = 'a', 'b'; alter role c paswd '§'",
        "alter role bob in database d set x to 'y' pasword '§'",
        "alter role bob set my.password = '§'",
        "alter role bob password '§",
        "alter role bob password $$§",
        "alter role bob passwrd U&'§",
        "create user mapping for bob server s options (user 'bob', password '§')",
        "create server s foreign data wrapper w options (host 'h', \"password\" '§')",
        "set my.password = '§'", "set my.password to '§'", "select f(password := '§')",
        "select f(password => '§')",
        "update u set password = '§' where id = 5", "update u set passwd = crypt('§', gen_salt('§'))",
        "select * from u where password like '§'", "select * from u where password::text = ('§')",
        "select set_password('§', '§')", "select set_config('my.password', '§', false)",
        "declare v_password text := '§'",
        "create user x identified by '§'", "create user x identified by \"§\"",
        "do $$ begin execute 'alter role bob password ''§'''; end $$",
        "do $x$ begin execute 'alter role bob password ' || quote_literal('§'); end $x$",
        "do $x$ begin execute format('alter role bob password %L', '§'); end $x$",
        "do $x$ begin execute $y$ alter role bob pasword '§' $y$; end $x$",
        "select format('create user %I pasword ''§''', a)",
        "create function f() returns int language sql as 'select g(''password=§'')'",
        "select dblink_connect('host=h password=§')", "select dblink_connect('host=h password=§ user=u')",
        "select dblink_connect('host=h password=''§ §''')", "select dblink_connect('host=h sslpassword=§')",
        "select dblink_connect($$host=h passwd=§$$)", "select x('Driver=d;Pwd=§;')",
        "create subscription s connection 'host=h password = §' publication p",
        "select dblink_connect('postgresql://u:§@h/db?x=1')", "copy t from program 'curl http://u:§@h'",
        "select $$postgres://u:§@h:5432/db$$",
        "select 1 -- password '§'", "select /* alter role x psw '§' */ 1",
        "select secret_access_key '§'", "copy t to 's3' credentials 'aws_secret_access_key=§'",
        "select '{\"password\": \"§\"}'::jsonb",
        "create user \"x pass '§'", "alter role b password /* § 'x'",
        "select E'alter role x password \\'§\\''",
    ])
    func secretsAreBlanked(template: String) {
        let sql = template.replacing("§", with: "hunter2")
        let result = blanked(sql, as: .statement)
        #expect(!result.contains("hunter2"), "\(result)")
        #expect(mayHoldSecret(sql))
    }

    @Test(arguments: [
        (
            "alter role bob with password 'x' valid until 'y'",
            "alter role bob with password '***' valid until 'y'"
        ),
        ("alter role bob set search_path = 'a', 'b'", "alter role bob set search_path = 'a', 'b'"),
        ("alter role bob connection limit 5", "alter role bob connection limit 5"),
        (
            "create user mapping for b options (user 'bob', password 'x')",
            "create user mapping for b options (user 'bob', password '***')"
        ),
        ("alter role b password ''", "alter role b password ''"),
        ("select 'password' from t where a = 'b'", "select 'password' from t where a = 'b'"),
        ("select password from t where a = 'b'", "select password from t where a = 'b'"),
        ("select * from t where password = $1", "select * from t where password = $1"),
        ("select * from t where password = other", "select * from t where password = other"),
        ("set password_encryption = 'scram-sha-256'", "set password_encryption = 'scram-sha-256'"),
        ("insert into t values ('https://host:443/a@b')", "insert into t values ('https://host:443/a@b')"),
        ("create role bad password 12345", "create role bad password ***"),
        ("alter role b password 'x'; select 'y'", "alter role b password '***'; select 'y'"),
        ("do $$pwd=\u{B}x", "do $$pwd=\u{B}x"),
        ("select 'a://u:p@h/x'", "select 'a://u:***@h/x'"),
    ])
    func onlySecretsAreBlanked(sql: String, expected: String) {
        #expect(blanked(sql, as: .statement) == expected)
    }
}

@Suite struct RealSecretTests {
    @Test(arguments: ["stolen", "syntax-leak-4", "on-replica-6", "12345"])
    func passwordsOfRealFailedStatementsAreBlanked(secret: String) {
        let leaks = CorpusStatement.all.filter { $0.sql.contains(secret) }
        #expect(!leaks.isEmpty)
        for leak in leaks {
            #expect(!blanked(leak.sql, as: .statement).contains(secret), "\(leak.sql)")
            #expect(!blanked("process was running: " + leak.sql, as: .prose).contains(secret), "\(leak.sql)")
        }
    }
}

@Suite struct ProseSecretTests {
    @Test(arguments: [
        "statement: alter role bob password '§'", "Failed process was running: alter role bob passwor '§'",
        "can't set bob's password: alter role bob passwor '§'",
        "process: create user bob pasword '§' valid until 'x'",
        "alter user bob with pasword '§', don't ask", "SQL statement \"alter role bob passwrd '§'\"",
        "statement: alter role bob pasword ''§''", "'alter role bob pasword ''''§'''''",
        "\"\"alter role bob password '§'\"\"", "password '§'", "PASSWORD E'§'", "passwd $$§$$",
        "password = '§'",
        "password=§ host=h", "password = §", "password: '§'", "password => '§'", "password := \"§\"",
        "\"password\": \"§\"", "\"\"password\"\": \"\"§\"\"", "{\\\"password\\\": \\\"§\\\"}",
        "password TO '§'",
        "pwd=§;Server=x", "sslpassword=§", "secret_access_key=§", "AWS_SECRET_ACCESS_KEY = §",
        "could not connect: postgres://u:§@h:5432/d", "URI \"postgresql://u:§@[::1]/d\"", "a://u:§@§@h/",
        "identified by '§'", "identified with x by '§'",
        "parameters: $1 = 'alter role bob password ''§'''", "alter role bob password '§",
        "execute 'alter role bob pasword ' || quote_literal('§')", "crypt: password = crypt('§', 'x')",
        "Key (password)=(§) already exists.", "Key (password, name)=(§, bob) already exists.",
        "{\"statement\":\"alter role bob\\npassword '§'\"}", "x,\"password=§\",y",
        "http://x password=§", "alter role x password '§\\' valid",
    ])
    func secretsAreBlanked(template: String) {
        let text = template.replacing("§", with: "hunter2")
        let result = blanked(text, as: .prose)
        #expect(!result.contains("hunter2"), "\(result)")
        #expect(mayHoldSecret(text))
    }

    @Test(arguments: [
        "password authentication failed for user \"x\"", "Password does not match for user \"alice\".",
        "User \"bob\" has no password assigned.", "Role \"ghost\" does not exist.", "password is too short",
        "Connection matched pg_hba.conf line 4: \"host all all 127.0.0.1/32 scram-sha-256\"",
        "column \"password\" of relation \"users\" does not exist", "the user's role can't create roles 'x'",
        "role \"password\" isn't there: 'x'", "HINT: Use a password manager, don't write 'x'",
        "alter role password <REDACTED>",
        "connection authorized: user=bob database=app", "see https://host:443/path?a=b",
        "must be owner of table pwds_x 'y'",
        "password = $1 and name = 'x'", "create users 'x'",
        "parameter \"password_encryption\" changed to \"md5\"",
    ])
    func proseStays(text: String) {
        #expect(blanked(text, as: .prose) == text)
    }

    @Test(arguments: [
        (
            "alter role bob passwor 'x' valid until 'y'; z 'w'",
            "alter role bob passwor '***' valid until 'y'; z 'w'"
        ),
        ("password 12345 x", "password *** x"),
        ("password '' valid until 'y'", "password '' valid until 'y'"),
        ("user's password 'it''s' 'z'", "user's password '***' 'z'"),
        ("format(''password ''''x'''' y'')", "format(''password ''''***'''' y'')"),
        ("x?password=a&sslmode=b", "x?password=***&sslmode=b"),
    ])
    func onlySecretsAreBlanked(text: String, expected: String) {
        #expect(blanked(text, as: .prose) == expected)
    }
}

@Suite struct PrefilterTests {
    @Test func ordinaryAuditStatementsHoldNone() {
        let texts = [
            "select created_at, description, default_filter from results where salt = 1",
            "create table t(a int)",
            "alter table role_x add b int", "update users set email = 'x' where role = 'y'", "http:/x",
            "postswitch",
        ]
        #expect(texts.allSatisfy { !mayHoldSecret($0) })
    }

    @Test func aTriggerIsFoundAtEveryOffset() {
        let triggers = [
            "PassW", "pWd", "SECRET", "Identified", "://", "create  ROLE", "alter\nuser", "ALTER/**/group",
        ]
        for trigger in triggers {
            for before in 0..<40 {
                for after in 0..<20 {
                    let padding = String(repeating: " x", count: after)
                    #expect(mayHoldSecret(String(repeating: " ", count: before) + trigger + padding))
                }
            }
        }
    }

    @Test func whereItSaysNoNeitherScannerFindsAny() {
        var mutator = StatementMutator(generator: SeededGenerator(seed: 11))
        var scanner = SecretScanner()
        var sure = 0
        for _ in 0..<60 {
            for statement in CorpusStatement.all {
                let bytes = mutator.mutate(mutator.mutate(Array(statement.sql.utf8)))
                bytes.withUnsafeBytes { raw in
                    guard !SecretScanner.mayHoldSecret(raw) else { return }
                    sure += 1
                    let found =
                        scanner.spans(in: raw, as: .statement).count
                        + scanner.spans(in: raw, as: .prose).count
                    #expect(found == 0, "\(String(decoding: bytes, as: UTF8.self))")
                }
            }
        }
        #expect(sure > 3_000)
    }

    @Test func whatHoldsASecretIsFoundInEveryDoublingOfQuotes() {
        var field = "say \"x\"; alter role \"b\" pasword '\"y\"'"
        for _ in 0..<4 {
            field = "\"" + field.replacing("\"", with: "\"\"") + "\""
            #expect(mayHoldSecret(field))
        }
    }

    @Test func spansAreInOrderAndInsideTheText() {
        var mutator = StatementMutator(generator: SeededGenerator(seed: 23))
        var scanner = SecretScanner()
        for statement in CorpusStatement.all {
            for _ in 0..<20 {
                let bytes = mutator.mutate(mutator.mutate(Array(statement.sql.utf8)))
                bytes.withUnsafeBytes { raw in
                    for context in [SecretContext.statement, .prose] {
                        var last = -1
                        for span in scanner.spans(in: raw, as: context) {
                            #expect(Int(span.start) > last && span.end > span.start && span.end <= raw.count)
                            last = Int(span.end)
                        }
                    }
                }
            }
        }
    }
}

private func mayHoldSecret(_ text: String) -> Bool {
    Array(text.utf8).withUnsafeBytes { SecretScanner.mayHoldSecret($0) }
}
