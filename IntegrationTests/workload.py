"""A seeded random workload on a real PostgreSQL, with a journal of its own: of every statement what the server said of it, the transaction it belonged
to and how that ended, and the role in force. Nothing of the journal comes from a log.

The journal knows a record's statement by the time: of one session no two statements share a millisecond.
"""
import random, threading, time
from cluster import Connection

SCHEMA = """
create extension pgaudit; create role alice login; create role bob login; create role carol nologin; grant carol to alice; grant alice to bob;
create table t(id int primary key, v text not null, n int check (n >= 0)); create table ro(id int primary key, v text); create table acc(id int primary key, n int);
insert into t values (1, 'one', 1), (2, 'two', 2); insert into ro select g, 'r' || g from generate_series(1, 5) g; insert into acc values (1, 10), (2, 10);
grant all on t, acc to alice; grant select on ro to alice, bob, carol; grant select on t to carol;
create function f(i int) returns int language plpgsql as $$ begin insert into t values (i, 'f', 1); return i; end $$;
create function guarded(i int) returns int language plpgsql as $$ begin begin insert into t values (i, 'g', 1); exception when others then return -1; end; return i; end $$;
create function two(i int) returns int language plpgsql as $$ begin perform count(*) from ro; insert into t values (i, 'x', 1); insert into t values (1, 'y', 1); return i; end $$;
alter role alice set pgaudit.log_rows = off; alter role bob set pgaudit.log_rows = on
"""


class Statement:
    """one statement as the client saw it; a string of several is one with several parts"""

    def __init__(self, session, text, parts, kind, role, status):
        self.session, self.text, self.parts, self.kind, self.role, self.before = session, text, parts, kind, role, status
        self.start = self.end = 0                                      # milliseconds
        self.error, self.done, self.fate, self.block, self.audited, self.is_unknowable, self.is_late = None, 0, None, False, None, False, False


class Session:
    """a connection and its journal"""

    def __init__(self, cluster, rng, node, user, rows, once=False, name="proof"):
        options = "" if rows is None else f"-c pgaudit.log_rows={rows}" + (" -c pgaudit.log_statement_once=on" if once else "")
        self.connection = cluster.connect(node, user=user, application=name, options=options)
        self.rng, self.user, self.rows, self.journal, self.block, self.savepoints = rng, user, {"alice": "off", "bob": "on"}.get(user, rows or "on"), [], [], []
        self.role, self.is_chained = user, False
        self.id = self.connection.value("select to_hex(trunc(extract(epoch from backend_start))::bigint) || '.' || to_hex(pid) from pg_stat_get_activity(pg_backend_pid())")
        self.pass_a_millisecond(time.time())

    def pass_a_millisecond(self, since):
        while int(time.time() * 1000) <= int(since * 1000):
            time.sleep(0.0003)

    # --- running

    def run(self, text, kind, parts=1, copy=None, parameters=None, audited=None, cancel_after=None, changes_role=False):
        """one statement; audited says whether pgaudit has a record of it when it fails (log_rows off)"""
        c = self.connection
        s = Statement(self, text, parts, kind, self.role, c.status)
        s.start = int(time.time() * 1000)
        if cancel_after is not None:
            timer = threading.Timer(cancel_after, c.cancel)
            timer.start()
        r = c.execute(text, parameters) if parameters is not None else c.query(text, copy)
        ended = time.time()
        if cancel_after is not None:
            timer.join()
        s.end, s.error, s.done, s.audited = int(ended * 1000), r.error, len(r.tags), audited
        s.is_late = parameters is not None and self.rows == "on" and c.status != "I"
        self.journal.append(s)
        self.follow(s, r, text.lower().strip(" ;"))
        self.pass_a_millisecond(ended)
        if changes_role and c.status in "IT":
            self.ask_role()
        elif changes_role:
            self.role = None
        return r

    def ask_role(self):
        """what the server says that the role is"""
        answer = self.run("select current_user", "role")
        self.role = answer.rows[0][0]
        self.journal[-1].role = self.role

    # --- the transaction's fate, by the server's own status and tags

    def follow(self, s, r, text):
        after, tag = self.connection.status, r.tags[-1] if r.tags else None
        is_end = text.startswith(("commit", "end", "rollback", "abort")) and " to " not in text and text != "rollback to"
        if s.before == "I" and after == "I":
            s.fate = "ROLLED_BACK" if s.error and s.parts > 1 else None
            return
        s.block = True
        if text.startswith("savepoint ") and not s.error:
            self.block.append(s)
            self.savepoints.append((text.split()[-1], len(self.block)))
            return
        if text.startswith("release ") and not s.error:
            index = self.index(text)
            self.savepoints = self.savepoints[:index]
        if text.startswith("rollback to ") and not s.error:
            index = self.index(text)
            undone = self.block[self.savepoints[index][1]:]
            for x in undone:
                x.fate = "ROLLED_BACK"
                # An aborted transaction says nothing of ROLLBACK TO: which savepoint was meant, only the innermost can be supposed.
                if s.before == "E" and index < len(self.savepoints) - 1 and self.block.index(x) < self.savepoints[-1][1]:
                    x.is_unknowable = True
            del self.block[self.savepoints[index][1]:]
            del self.savepoints[index + 1:]
            self.block.append(s)
            return
        self.block.append(s)
        if is_end and (after == "I" or "chain" in text) or after == "I":
            fate = "COMMITTED" if tag == "COMMIT" and not s.error else "ROLLED_BACK"
            for x in self.block:
                x.fate = x.fate or fate
            self.block, self.savepoints = [], []

    def index(self, text):
        return max(i for i, (name, _) in enumerate(self.savepoints) if name == text.split()[-1])

    def close(self):
        for x in self.block:
            x.fate = x.fate or "ROLLED_BACK"
        self.block = []
        self.connection.close()


class Worker:
    """runs random scenes on a session; `other` is a second one for what takes two"""

    keys = iter(range(1000, 1 << 30))                                  # shared by all: next() on it is atomic

    def __init__(self, main, other, rng, node):
        self.a, self.b, self.rng, self.node, self.counts = main, other, rng, node, {}
        self.scenes = [getattr(self, n) for n in dir(self) if n.startswith("scene_" if node == "primary" else "both_") or n.startswith("both_")]

    def key(self):
        return next(Worker.keys)

    def until(self, end):
        while time.monotonic() < end:
            scene = self.rng.choice(self.scenes)
            scene()
            self.counts[scene.__name__.partition("_")[2]] = self.counts.get(scene.__name__.partition("_")[2], 0) + 1
            if self.a.connection.status != "I":
                raise RuntimeError(f"{scene.__name__} left the session in state {self.a.connection.status}")

    # --- single statements: (text, kind, audited when it fails with log_rows off, more)

    def good(self, s):
        k = self.key()
        reads = ["select id, v from ro where id < 4", "select count(*) from ro", "select 'a, \"b\"' as x, 1"]
        writes = [f"insert into t values ({k}, 'a', 1)", f"update t set n = n + 1 where id = {k - 5}", f"delete from t where id = {k - 9}", "update t set v = 'two' where id = 2",
                  f"select f({k})", f"select guarded({k})", "select guarded(1)", f"do $$ begin insert into t values ({k}, 'd', 1); perform count(*) from ro; end $$",
                  "explain select * from t", "set work_mem = '4MB'", "reset work_mem"]
        s.run(self.rng.choice(reads if self.node == "replica" or s.role not in ("postgres", "alice") else reads + writes), "good")

    def bad(self, s):
        k = self.key()
        both = [("selec 1", "syntax", False), ("select * from nowhere", "unknown relation", False), ("select nocol from ro", "unknown column", False), ("select 'x'::int", "bad literal", False),
                ("select 1/0", "folded division", False), ("select 10/(id-1) from ro", "division", True), ("execute nothing", "unknown prepared", False),
                ("select pg_sleep(5) /* cancelled */", "cancel", True), ("select * from ro where id = any('{x}'::int[])", "bad literal", False)]
        if self.node == "replica":
            both += [("insert into t values (1, 'x', 1)", "read only", None), ("create table x(i int)", "read only", False)]
        elif s.role in ("postgres", "alice"):
            both += [("insert into t values (1, 'dup', 1)", "unique", True), (f"insert into t values ({k}, null, 1)", "null", True), (f"insert into t values ({k}, 'a', -1)", "check", True),
                     ("update t set n = -1 where id = 1", "check", True), (f"select f(1)", "function", True), (f"select two({k})", "function", True), ("create table t(i int)", "DDL", False),
                     ("do $$ begin perform 1/0; end $$", "DO", True), (f"do $$ begin insert into t values ({k}, 'd', 1); insert into t values (1, 'q', 1); end $$", "DO", True),
                     ("do $$ begin raise exception 'of our own' using errcode = 'P0042'; end $$", "DO", True), ("explain analyze select 10/(id-1) from ro", "explain", True),
                     ("create table w as select 10/(id-1) from ro", "DDL", True), ("grant nosuch to alice", "DDL", False), ("drop table nowhere", "DDL", False), ("alter role nobody login", "DDL", False)]
        if s.role in ("bob", "carol"):
            both += [("delete from t", "permission", False), ("select * from acc", "permission", False), ("create role evil", "permission", False)]
        text, kind, audited = self.rng.choice(both)
        s.run(text, kind, audited=audited, cancel_after=0.02 if kind == "cancel" else None)

    # --- scenes

    def both_good(self):
        self.good(self.a)

    def both_bad(self):
        self.bad(self.a)

    def both_timeout(self):
        self.a.run("set statement_timeout = '15ms'", "good")
        self.a.run("select pg_sleep(3)", "timeout", audited=True)
        self.a.run("reset statement_timeout", "good")

    def both_parameters(self):
        self.a.run("select v from ro where id = $1", "good", parameters=[self.rng.randint(1, 5)])
        self.a.run("select $1::int", "good", parameters=["7"])
        self.a.run("select $1::int", "bad parameter", parameters=["seven"], audited=False)
        self.a.run("select 10 / ($1::int - id) from ro where id = 1", "division", parameters=["1"], audited=True)

    def both_parameters_in_block(self):
        """the same text twice, and the second never gets to run"""
        self.a.run("begin", "begin")
        self.a.run("select $1::int", "good", parameters=["7"])
        self.a.run("select $1::int", "bad parameter", parameters=["seven"], audited=False)
        self.a.run("rollback", "end", changes_role=False)

    def both_several(self):
        a = self.a
        a.run("select 1; select 2; select 'three'", "several", parts=3)
        a.run("select 1; select 10/(id-1) from ro; select 3", "several", parts=3, audited=True)
        a.run("select 1; select 2/0; select 3", "several", parts=3)
        a.run("select 1; select * from nowhere", "several", parts=2)

    def both_prepared(self):
        a, name = self.a, f"p{self.key()}"
        a.run(f"prepare {name}(int) as select 10/(id-$1) from ro where id < 3", "good")
        a.run(f"execute {name}(7)", "good")
        a.run(f"execute {name}(1)", "division", audited=True)
        a.run(f"prepare {name} as select 1", "DDL", audited=False)
        a.run(f"deallocate {name}", "good")

    def both_cursor(self):
        a = self.a
        a.run("begin", "begin")
        a.run("declare c cursor for select 10/(id-3) from ro order by id", "good")
        a.run("fetch 1 from c", "good")
        if self.rng.random() < 0.5:
            a.run("fetch 5 from c", "division", audited=False)
            a.run("rollback", "end")
        else:
            a.run("close c", "good")
            a.run("commit", "end")

    def both_block(self):
        """a transaction of anything"""
        a, rng = self.a, self.rng
        names = []
        a.run(rng.choice(("begin", "begin isolation level repeatable read", "start transaction")), "begin")
        for _ in range(rng.randint(0, 9)):
            u, aborted = rng.random(), a.connection.status == "E"
            if u < 0.45:
                if aborted:
                    a.run("select count(*) from ro", "in an aborted transaction", audited=False)
                else:
                    self.good(a)
            elif u < 0.6 and not aborted:
                self.bad(a)
            elif u < 0.75 and not aborted:
                names.append(rng.choice("pqr") + str(len(names)))
                a.run(f"savepoint {names[-1]}", "savepoint")
            elif u < 0.9 and names:
                index = len(names) - 1 if rng.random() < 0.7 else rng.randrange(len(names))
                a.run(f"rollback to {rng.choice(('', 'savepoint '))}{names[index]}", "rollback to", changes_role=self.touches_role)
                del names[index + 1:]
            elif names and not aborted:
                index = rng.randrange(len(names))
                a.run(f"release {names[index]}", "release")
                del names[index:]
            elif self.touches_role and not aborted:
                self.change_role(a)
        chain = rng.random() < 0.1
        a.run(rng.choice(("commit", "commit", "end", "rollback", "abort")) + (" and chain" if chain else ""), "end", changes_role=self.touches_role)
        if a.connection.status != "I":                                 # a chained one has begun
            self.good(a)
            a.run(rng.choice(("commit", "rollback")), "end", changes_role=self.touches_role)

    def both_savepoints(self):
        """an error under two savepoints, and back to one of them"""
        a = self.a
        a.run("begin", "begin")
        self.good(a)
        for name in ("outer_one", '"Inner"'):
            a.run(f"savepoint {name}", "savepoint")
            self.good(a)
        self.bad(a)
        name = self.rng.choice(("outer_one", '"Inner"', '"Inner"'))
        a.run(f"rollback to {name}", "rollback to")
        if self.rng.random() < 0.3:
            self.bad(a)
            a.run(f"rollback to {name}", "rollback to")
        self.good(a)
        a.run(self.rng.choice(("commit", "rollback")), "end")

    touches_role = False

    def change_role(self, s):
        if s.user != "postgres":
            s.run("set role none" if s.role != s.user else self.rng.choice(("set role carol", "set local role carol")) if s.user == "alice" else "set role alice", "role", changes_role=True)
            return
        text = self.rng.choice(("set role alice", "set role bob", "set role to 'carol'", "set local role alice", "set session role carol", "set role none", "reset role", "set role nobody_at_all",
                                "set session authorization alice", "reset session authorization", "set session authorization default"))
        s.run(text, "role", changes_role=True, audited=False)

    def both_roles(self):
        self.touches_role = True
        for _ in range(self.rng.randint(1, 4)):
            self.rng.choice((lambda: self.change_role(self.a), self.both_block, self.both_good, self.both_bad))()
        self.a.run("reset session authorization", "role", changes_role=True)
        self.a.run("reset role", "role", changes_role=True)
        self.touches_role = False

    def scene_same_text_denied(self):
        """what succeeded for one role is denied to the next, in one transaction"""
        if self.a.user != "postgres":
            return
        a = self.a
        a.run("begin", "begin")
        a.run("select id from acc", "good")
        a.run("set local role carol", "role", changes_role=True)
        a.run("select id from acc", "permission", audited=False)
        a.run("rollback", "end", changes_role=True)

    def scene_copy(self):
        a, k = self.a, self.key()
        if a.role not in ("postgres", "alice"):
            return
        a.run("copy t from stdin csv", "good", copy=f"{k},'x',1\n")
        a.run("copy t from stdin csv", "copy", copy="1,'dup',1\n", audited=True)
        a.run("copy t from stdin csv", "copy", copy="notanumber,'dup',1\n", audited=True)
        a.run("copy (select id from ro) to stdout", "good")

    def scene_writes_together(self):
        a, k = self.a, self.key()
        if a.role not in ("postgres", "alice"):
            return
        a.run(f"insert into t values ({k}, 'm', 1); insert into t values (1, 'dup', 1); select 1", "several", parts=3, audited=True)
        a.run(f"insert into t values ({k}, 'm', 1); select f(1)", "several", parts=2, audited=True)
        a.run(f"insert into t values ({k}, 'm', 1); do $$ begin perform 1/0; end $$", "several", parts=2, audited=True)

    def scene_prepared_writes(self):
        a, k, name = self.a, self.key(), f"w{self.key()}"
        if a.role not in ("postgres", "alice"):
            return
        a.run(f"prepare {name}(int) as insert into t values ($1, 'p', 1)", "good")
        a.run("begin", "begin")
        a.run(f"execute {name}({k})", "good")
        a.run(f"execute {name}(1)", "unique", audited=True)
        a.run("commit", "end")
        a.run("insert into t values ($1, $2, 1)", "good", parameters=[k, "x"])
        a.run("insert into t values ($1, $2, 1)", "unique", parameters=[k, "x"], audited=True)

    def scene_ddl(self):
        a, k = self.a, self.key()
        if a.user != "postgres" or a.role != "postgres":
            return
        a.run(f"create table d{k}(i int primary key, r int references ro)", "good")
        a.run(f"create table d{k}(i int)", "DDL", audited=False)
        a.run(f"alter table d{k} add column x text", "good")
        a.run(f"begin", "begin")
        a.run(f"create index on d{k}(x)", "good")
        a.run(f"truncate d{k}", "good")
        a.run(f"vacuum d{k}", "DDL", audited=False)
        a.run("commit", "end")
        a.run(f"vacuum d{k}", "good")
        a.run(f"drop table d{k}", "good")
        a.run(f"create role r{k}; drop role r{k}", "good", parts=2)

    def scene_write_skew(self):
        """serialization failures, one at COMMIT or before"""
        a, b = self.a, self.b
        if a.role not in ("postgres", "alice"):
            return
        for s in (a, b):
            s.run("begin isolation level serializable", "begin")
            s.run("select sum(n) from acc", "good")
        a.run("update acc set n = n + 1 where id = 1", "good")
        b.run("set lock_timeout = '300ms'", "good")
        b.run("update acc set n = n + 1 where id = 2", "serialization", audited=True)
        a.run("commit", "end", audited=False)
        b.run("commit", "end", audited=False)
        if b.connection.status != "I":
            b.run("rollback", "end")
        b.run("reset lock_timeout", "good")

    def scene_lost_update(self):
        a, b = self.a, self.b
        if a.role not in ("postgres", "alice"):
            return
        k = self.key()
        a.run(f"insert into acc values ({k}, 1)", "good")
        for s in (a, b):
            s.run("begin isolation level repeatable read", "begin")
            s.run("select count(*) from acc", "good")
        a.run(f"update acc set n = 7 where id = {k}", "good")
        a.run("commit", "end")
        b.run(f"update acc set n = 8 where id = {k}", "serialization", audited=True)
        b.run("select 1", "in an aborted transaction", audited=False)
        b.run("commit", "end")

    def scene_lock(self):
        a, b = self.a, self.b
        if a.role not in ("postgres", "alice"):
            return
        k = self.key()
        a.run(f"insert into acc values ({k}, 1)", "good")
        a.run("begin", "begin")
        a.run(f"update acc set n = 7 where id = {k}", "good")
        b.run("set lock_timeout = '15ms'", "good")
        b.run(f"update acc set n = 8 where id = {k}", "lock", audited=True)
        b.run("reset lock_timeout", "good")
        a.run(self.rng.choice(("commit", "rollback")), "end")


def sessions_of(cluster, node, seed):
    """workers of both settings of log_rows"""
    plan = [("postgres", "off", False), ("postgres", "on", False), ("alice", None, False)] if node == "primary" else [("postgres", "off", False), ("postgres", "on", False)]
    plan += [("postgres", "off", True)] if node == "primary" else []
    for number, (user, rows, once) in enumerate(plan):
        rng = random.Random(f"{seed} {node} {number}")
        yield Worker(Session(cluster, rng, node, user, rows, once), Session(cluster, rng, node, "postgres" if node == "primary" else user, "off" if rows == "off" else "on"), rng, node)


def run(cluster, seconds, seed, progress=lambda: None):
    """runs the workload on both nodes; the workers with their journals"""
    cluster.create_app(SCHEMA)
    end = time.monotonic() + 30
    while True:                                                        # until the replica has it all
        try:
            if cluster.connect("replica").query("select two from pg_proc p, lateral (select 1) x(two) where proname = 'two'").rows:
                break
        except (ConnectionError, EOFError, OSError):
            pass
        if time.monotonic() > end:
            raise RuntimeError("the replica does not follow")
        time.sleep(0.1)
    workers = [w for node in ("primary", "replica") for w in sessions_of(cluster, node, seed)]
    until, faults = time.monotonic() + seconds, []

    def body(worker):
        try:
            worker.until(until)
        except Exception as e:
            faults.append((worker, e))

    threads = [threading.Thread(target=body, args=(w,)) for w in workers]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        progress()
        time.sleep(0.2)
    if faults:
        raise faults[0][1]
    for w in workers:
        w.a.close()
        w.b.close()
    return workers
