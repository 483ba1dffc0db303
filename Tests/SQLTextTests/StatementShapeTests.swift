import Foundation
import SQLText
import Testing

private func shape(_ sql: String, in shapes: inout StatementShapes) -> StatementShape? {
    Array(sql.utf8).withUnsafeBytes { shapes.shape(of: $0, fingerprint: Normalized(sql).fingerprint) }
}

private func shape(_ sql: String) -> StatementShape? {
    var shapes = StatementShapes()
    return shape(sql, in: &shapes)
}

private func line(_ shape: StatementShape?) -> String {
    guard let shape else { return "nil" }
    return [shape.command, shape.auditClass.rawValue, shape.objectType ?? "-", shape.objectName ?? "-"]
        .joined(separator: "|")
}

@Suite struct StatementShapesTests {
    @Test(arguments: [
        ("select 1", "SELECT|READ|-|-"),
        ("select * from sales.orders o join b on true", "SELECT|READ|TABLE|sales.orders"),
        ("select a from (select 1 from x) s union select 2 from y", "SELECT|READ|TABLE|x"),
        ("with w as (select 1) insert into t select * from w", "INSERT|WRITE|TABLE|t"),
        ("(values (1))", "SELECT|READ|-|-"),
        ("delete from only s.t", "DELETE|WRITE|TABLE|s.t"),
        ("merge into o using v on true when matched then delete", "MERGE|WRITE|TABLE|o"),
        ("copy t from stdin", "COPY|WRITE|TABLE|t"),
        ("copy (select 1 from u) to stdout", "COPY|READ|TABLE|u"),
        ("truncate a, b", "TRUNCATE TABLE|WRITE|TABLE|a"),
        ("create temp table t(a int)", "CREATE TABLE|DDL|TABLE|t"),
        ("create table s.t as select 1", "CREATE TABLE AS|DDL|TABLE|s.t"),
        ("select 1 into n from m", "SELECT INTO|DDL|TABLE|n"),
        ("create unique index concurrently i on s.t(a)", "CREATE INDEX|DDL|INDEX|i"),
        ("create or replace view s.v as select 1 from t", "CREATE VIEW|DDL|VIEW|s.v"),
        ("create materialized view mv as select 1", "CREATE MATERIALIZED VIEW|DDL|MATERIALIZED VIEW|mv"),
        (
            "create or replace function s.f() returns int language sql as 'select 1'",
            "CREATE FUNCTION|DDL|FUNCTION|s.f"
        ),
        ("create schema s", "CREATE SCHEMA|DDL|SCHEMA|s"),
        ("drop table if exists s.a, b", "DROP TABLE|DDL|TABLE|s.a"),
        ("drop schema a, b", "DROP SCHEMA|DDL|SCHEMA|a"),
        ("alter table s.t add c int", "ALTER TABLE|DDL|TABLE|s.t"),
        ("alter sequence q restart", "ALTER SEQUENCE|DDL|SEQUENCE|q"),
        ("create user u password 'x'", "CREATE ROLE|ROLE|ROLE|u"),
        ("alter user u set x = 1", "ALTER ROLE|ROLE|ROLE|u"),
        ("drop group g", "DROP ROLE|ROLE|ROLE|g"),
        ("create user mapping for u server s", "CREATE USER MAPPING|DDL|USER MAPPING|s"),
        ("grant select on s.t to u", "GRANT|ROLE|-|s.t"),
        ("revoke r from u", "REVOKE ROLE|ROLE|-|r"),
        ("alter default privileges grant select on tables to u", "ALTER DEFAULT PRIVILEGES|ROLE|-|-"),
        ("do $$ begin end $$", "DO|FUNCTION|-|-"),
        ("prepare p as insert into t values (1)", "PREPARE|WRITE|TABLE|t"),
        ("explain analyze select * from t", "EXPLAIN|MISC|TABLE|t"),
        ("comment on table s.t is 'x'", "COMMENT|DDL|TABLE|s.t"),
        ("rollback to a", "ROLLBACK|MISC|-|-"),
        ("set constraints all deferred", "SET CONSTRAINTS|MISC|-|-"),
        ("; select 1 from a; drop table b", "SELECT|READ|TABLE|a"),
        ("selec 1", "nil"), ("", "nil"), ("'x'", "nil"), ("create nonsense x", "nil"),
        ("alter role alice passwor 'x'", "ALTER ROLE|ROLE|ROLE|-"),
        ("select from where", "SELECT|READ|-|-"),
        ("create user x password 12345", "CREATE ROLE|ROLE|ROLE|-"),
        ("copy t (a) from 'f' with (nonsense", "COPY|WRITE|-|-"),
        ("grant nosuch (", "GRANT ROLE|ROLE|-|-"),
    ])
    func shapesOfStatements(sql: String, expected: String) {
        #expect(line(shape(sql)) == expected)
    }

    @Test func commandsAndClassesAreThoseOfPgaudit() {
        var compared = 0
        for statement in CorpusStatement.all {
            // pgaudit logs a failed COPY of a query by that query alone.
            guard let audits = statement.audits, !statement.sql.hasPrefix("copy (select 'program')") else {
                continue
            }
            compared += 1
            let found = shape(statement.sql)
            let said = "\(found?.auditClass.rawValue ?? "-") \(found?.command ?? "-")"
            #expect(audits.contains(said), "\(statement.sql): \(said), not \(audits)")
        }
        #expect(compared > 150)
    }

    @Test func aFingerprintIsParsedOnce() {
        var shapes = StatementShapes()
        for id in 0..<10 {
            #expect(shape("select a from t where id = \(id)", in: &shapes)?.objectName == "t")
        }
        #expect(shapes.parseCount == 1)
        #expect(shape("selec 1", in: &shapes) == nil)
        #expect(shape("select from where", in: &shapes) == shape("select from where", in: &shapes))
        #expect(shapes.parseCount == 2)
    }

    @Test func aFullCacheStartsAnew() {
        var shapes = StatementShapes(capacity: 2)
        for name in ["a", "b", "c", "a"] {
            _ = shape("select 1 from \(name)", in: &shapes)
        }
        #expect(shapes.parseCount == 4)
    }

    @Test func longStatementsAreNotParsed() {
        var shapes = StatementShapes()
        let deep = "select 1" + String(repeating: "+1", count: 100_000) + " from t"
        #expect(line(shape(deep, in: &shapes)) == "SELECT|READ|-|-")
        #expect(shapes.parseCount == 0)
    }

    @Test func aBigStackParsesALongDeepStatement() {
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            var shapes = StatementShapes(stackBytes: 64 << 20)
            let deep = "select 1" + String(repeating: "+1", count: 70_000) + " from t"
            #expect(shape(deep, in: &shapes)?.command == "SELECT")
            #expect(shapes.parseCount == 1)
            done.signal()
        }
        thread.stackSize = 64 << 20
        thread.start()
        done.wait()
    }

    @Test func aDeepStatementBelowTheLimitDoesNotOverflow() {
        let thread = DispatchSemaphore(value: 0)
        let runner = Thread {
            var shapes = StatementShapes()
            let deep = "select 1" + String(repeating: "+1", count: 8_000) + " from t"
            #expect(shape(deep, in: &shapes)?.command == "SELECT")
            thread.signal()
        }
        runner.stackSize = 8 << 20
        runner.start()
        thread.wait()
    }
}
