#!/usr/bin/env python3
"""warehouse_test.py [--binary PATH] [--only WORD]

Tables of the lake in a real PostgreSQL: every type, odd names, columns that come later, merges, builds anew, several loaders at once, a stop, and all that can
go wrong with a server, from a wrong password to a full disk. What the target has is read by psycopg and held against what delta-rs reads from the lake.

The lakes are of three kinds: logs and events that auditlake itself brought in, and tables that delta-rs has written, which have types that no pipeline makes.
Exit status 1 on any deviation.
"""
import datetime, json, os, shutil, signal, subprocess, sys, time, warnings
import deltalake, pyarrow as pa
import databricks_test, warehouse
from cluster import free_port
from databricks_lake import SCHEMA, EventLake
from harness import Bench, Workspace, case, demand, run_cases
from warehouse import Server, compare, load, warehouses

SERVER = None
UTC = datetime.timezone.utc


class ForeignLake(Workspace):
    """a lake whose table delta-rs writes; `commit` adds rows as a batch of a shard would"""

    def __init__(self, binary, folder, url=None, **keys):
        super().__init__(binary, folder, load="{warehouse: dwh, table: t.logs}" if "load" not in keys else keys.pop("load"), extra=warehouses(url or SERVER.url()), **keys)
        os.makedirs(os.path.join(self.lake, "_auditlake"), exist_ok=True)
        with open(os.path.join(self.lake, "_auditlake", "format.json"), "w") as f:
            f.write('{"format":1}')
        self.batch = 0

    def commit(self, table, shard="5f3a0cbe-0000-4000-8000-000000000001", partition=None, batch=None, **more):
        self.batch += 1
        properties = deltalake.CommitProperties(app_transactions=[deltalake.Transaction(shard, batch or self.batch)]) if shard else None
        deltalake.write_deltalake(self.table, table, mode="append", partition_by=partition, commit_properties=properties, **more)


def foreign(b, name, target, mode="", **keys):
    return ForeignLake(b.a.binary, os.path.join(b.folder, name), load="{warehouse: dwh, table: '%s'%s}" % (target, mode), **keys)


def times(*texts):
    return pa.array([datetime.datetime.fromisoformat(t).replace(tzinfo=UTC) if t else None for t in texts], pa.timestamp("us", "UTC"))


@case
def every_type(b):
    w = foreign(b, "types", "t.types")
    names = ["id", "small", "real", "flag", "at", "day", "text", "pairs", "parts", "list", 'odd "name"; --', "UPPER and lower", "ctid", "x" * 70, "x" * 69 + "y", "date"]
    fields = pa.struct([("statusCode", pa.int64()), ("errorMessage", pa.string()), ("ok", pa.bool_())])
    rows = 3000
    every = lambda values, kind: pa.array([values[i % len(values)] for i in range(rows)], kind)
    columns = [
        pa.array(range(rows), pa.int64()), every([0, -1, 2**31 - 1, -2**31, None], pa.int32()), every([0.0, -1.5, 1e300, 5e-324, float("inf"), None], pa.float64()),
        every([True, False, None], pa.bool_()),
        every([datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), datetime.datetime(2026, 11, 22, 5, 6, 7, 8, UTC), datetime.datetime(9999, 12, 31, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        every([datetime.date(1, 1, 1), datetime.date(2000, 2, 29), datetime.date(9999, 12, 31), None], pa.date32()),
        every(["", "plain", "tab\tnew\nline\\N \\. \"", "é漢🙂", "a\0b\0", "x" * 40_000, None], pa.string()),
        every([[], [("k", "v")], [("ключ \"q\"", "a\\b\n\x01\x1f\0"), ("null", None)], None], pa.map_(pa.string(), pa.string())),
        every([{"statusCode": 200, "errorMessage": None, "ok": True}, {"statusCode": None, "errorMessage": "é\t", "ok": None}, None], fields),
        every([["a", None, "b"], [], None], pa.list_(pa.string())),
        every(["q", None], pa.string()), every(["u"], pa.string()), every([7], pa.int64()), every([1, None], pa.int64()), every([2], pa.int64()),
        every([datetime.date(2026, 11, 21), datetime.date(2026, 11, 22), None], pa.date32()),
    ]
    w.commit(pa.table(columns, names=names), partition=["date"])
    report = load(w)
    demand(report["rows"] == rows and report["batches"] == 1, f"{report}")
    demand(report["replaced_nuls"] == sum(2 for i in range(rows) if i % 7 == 4) + sum(1 for i in range(rows) if i % 4 == 2), f"{report['replaced_nuls']} NULs replaced")
    there = {n: t for n, t in SERVER.sql("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't.types'::regclass AND attnum > 0")}
    long = sorted(n for n in there if n.startswith("xxxx"))
    demand(len(long) == 2 and all(len(n) == 63 for n in long), f"long names became {long}")
    types = {"id": "bigint", "small": "integer", "real": "double precision", "flag": "boolean", "at": "timestamp with time zone", "day": "date", "text": "text",
             "pairs": "jsonb", "parts": "jsonb", "list": "jsonb", 'odd "name"; --': "text", "UPPER and lower": "text", "ctid_": "bigint", "date": "date"}
    demand(all(there.get(n) == t for n, t in types.items()), f"types {there}")
    table = deltalake.DeltaTable(w.table).to_pyarrow_dataset().to_table().sort_by("id")
    lake = table.to_pylist()
    quoted = ", ".join('"' + n.replace('"', '""') + '"' for n in [*types, *long])
    found = SERVER.sql(f"SELECT {quoted} FROM t.types ORDER BY id")
    for row, mine in zip(lake, found):
        got = dict(zip([*types, *long], mine))
        for n in types:
            name = n.removesuffix("_") if n == "ctid_" else n
            want = warehouse.plain(warehouse.loaded(row[name], table.schema.field(name).type))
            demand(warehouse.plain(got[n]) == want, f"row {row['id']} {n}: lake {want!r:.100}, warehouse {got[n]!r:.100}")
        demand(sorted((got[n] for n in long), key=str) == sorted((row["x" * 70], row["x" * 69 + "y"]), key=str), f"long names: {row['id']}")
    demand(len(lake) == len(found), f"{len(found)} rows of {len(lake)}")
    yield f"{rows} rows with every type, NUL characters, names that PostgreSQL keeps for itself or cuts, and a partition that is missing"


@case
def columns_that_come_later(b):
    w = foreign(b, "later", "t.later")
    w.commit(pa.table({"a": ["1"]}))
    load(w)
    SERVER.sql("ALTER TABLE t.later ADD COLUMN mine int DEFAULT 5")
    w.commit(pa.table({"a": ["2"], "New Column": pa.array([7], pa.int64())}), schema_mode="merge")
    w.commit(pa.table({"a": ["3"]}), schema_mode="merge")
    report = load(w)
    demand((report["batches"], report["rows"]) == (2, 2), f"{report}")
    demand(SERVER.sql('SELECT a, "New Column", mine FROM t.later ORDER BY a') == [("1", None, 5), ("2", 7, 5), ("3", None, 5)], "rows")
    yield "a column that the lake got later, beside one that only the target has"


@case
def logs_batch_by_batch(b):
    w = b.workspace(load="{warehouse: dwh, table: audit.logs}", batch_bytes="100kB", extra=warehouses(SERVER.url()))
    w.run("run", "--once", env=warehouse.environment())
    plans = len(w.numbers("receipts"))
    report = load(w)
    demand(report["batches"] == plans and plans > 3, f"{report}, but {plans} batches")
    demand((problem := compare(w, SERVER, "audit.logs")) is None, problem)
    cursor = SERVER.sql("SELECT shard, batch, lake_version FROM audit.auditlake_batches WHERE target = 'audit.logs'")
    demand(cursor == [(w.read("plans", 1)["appID"], plans, plans)], f"the cursor is {cursor}")
    demand(load(w)["batches"] == 0, "a second load loaded something")
    text = w.run("load", env=warehouse.environment()).stdout
    demand("nothing new" in text, text)
    yield f"{report['rows']} log records of {plans} batches, equal in every column; a second load finds nothing"


@case
def events(b):
    w = EventLake(b.a.binary, os.path.join(b.folder, "events"))
    for n, (name, data) in enumerate(databricks_test.sample_files()):
        if name.endswith(".json"):
            databricks_test.put(w, name, data, 1_700_000_000 + n)
    databricks_test.put(w, "nasty/1.json", b"\n".join(databricks_test.nasty_lines()), 1_700_000_100)
    with open(os.path.join(w.folder, "auditlake.yaml")) as f:
        text = f.read()
    with open(os.path.join(w.folder, "auditlake.yaml"), "w") as f:
        f.write(text.replace("    kind: databricks\n", "    kind: databricks\n    load: {warehouse: dwh, table: events.silver}\n") + warehouses(SERVER.url()))
    done = w.run("run", "--once", env=warehouse.environment())
    demand(done.returncode == 0, done.stderr)
    report = load(w)
    demand((problem := compare(w, SERVER, "events.silver", w.place(f"{SCHEMA}.silver"))) is None, problem)
    yield f"{report['rows']} events of silver, with maps and a structure, {report['replaced_nuls']} NUL characters in them"


@case
def merges(b):
    w = foreign(b, "merge", "t.merged", ", mode: merge, key: [id, part]")
    shape = lambda rows: pa.table({"id": [r[0] for r in rows], "part": pa.array([r[1] for r in rows], pa.int64()), "text": [r[2] for r in rows], "ingest_ts": times(*(r[3] for r in rows))})
    w.commit(shape([("a", 1, "old", "2026-01-01"), ("a", 2, "stays", "2026-01-01"), ("b", 1, "first", "2026-01-01"), ("b", 1, "second", "2026-01-01"), ("n", None, "null 1", "2026-01-01")]))
    load(w)
    want = {("a", 1, "old"), ("a", 2, "stays"), ("b", 1, "second"), ("n", None, "null 1")}
    found = SERVER.sql("SELECT id, part, text FROM t.merged")
    demand(set(found) == want and len(found) == 4, f"{found}")
    w.commit(shape([("a", 1, "new", "2026-01-02"), ("c", 1, "c", "2026-01-02")]))
    w.commit(shape([("a", 1, "newest", "2026-01-03"), ("n", None, "null 2", "2026-01-03")]))
    demand(load(w)["batches"] == 2, "batches")
    want = {("a", 1, "newest"), ("a", 2, "stays"), ("b", 1, "second"), ("c", 1, "c"), ("n", None, "null 1"), ("n", None, "null 2")}
    found = SERVER.sql("SELECT id, part, text FROM t.merged")
    demand(set(found) == want and len(found) == 6, f"{found}")
    deltalake.DeltaTable(w.table).optimize.compact()
    load(w, "--full")
    found = SERVER.sql("SELECT id, part, text FROM t.merged")
    demand(set(found) == want and len(found) == 6, f"after --full: {found}")
    w.configure(load="{warehouse: dwh, table: t.other, mode: merge, key: [nope]}", extra=warehouses(SERVER.url()))
    words = load(w, status=65)
    demand("nope" in words and "ingest_ts" in words, words)
    yield "merge: the last row of a key stays, within a batch, across batches and when built anew; rows without a key are kept"


@case
def built_anew(b):
    w = foreign(b, "full", "t.full")
    for n in range(3):
        w.commit(pa.table({"a": [str(n)], "n": pa.array([n], pa.int64())}))
    load(w)
    SERVER.sql("CREATE ROLE reader LOGIN PASSWORD 'r'; CREATE ROLE writer; GRANT SELECT ON t.full TO reader WITH GRANT OPTION; GRANT INSERT ON t.full TO writer; "
               "CREATE INDEX my_index ON t.full (a); ALTER TABLE t.full ADD PRIMARY KEY (n); COMMENT ON TABLE t.full IS 'it''s mine'; ALTER TABLE t.full ADD COLUMN mine text DEFAULT 'd'")
    deltalake.DeltaTable(w.table).delete("n = 1")
    words = load(w, status=76)
    demand("changed rows that were there before" in words and "auditlake load pg --full" in words, words)
    demand(len(SERVER.sql("SELECT a FROM t.full")) == 3, "rows were touched")
    SERVER.sql("CREATE VIEW t.over AS SELECT a FROM t.full")
    words = load(w, "--full", status=69)
    demand("2BP01" in words and "drop what depends" in words and len(SERVER.sql("SELECT a FROM t.full")) == 3, words)
    SERVER.sql("DROP VIEW t.over; ALTER TABLE t.full ENABLE ROW LEVEL SECURITY")
    demand("row security" in load(w, "--full", status=69), "row security would be lost")
    SERVER.sql("ALTER TABLE t.full DISABLE ROW LEVEL SECURITY")
    report = load(w, "--full")
    demand(report["rows"] == 2 and SERVER.sql("SELECT a, mine FROM t.full ORDER BY a") == [("0", "d"), ("2", "d")], f"{report}")
    grants = SERVER.sql("SELECT grantee::regrole::text, privilege_type, is_grantable FROM pg_class, aclexplode(relacl) WHERE oid = 't.full'::regclass AND grantee <> relowner ORDER BY 1")
    demand(grants == [("reader", "SELECT", True), ("writer", "INSERT", False)], f"grants {grants}")
    kept = SERVER.sql("SELECT indexname, obj_description('t.full'::regclass) FROM pg_indexes WHERE tablename = 'full' ORDER BY 1")
    demand(kept == [("full_pkey", "it's mine"), ("my_index", "it's mine")], f"indexes and comment {kept}")
    demand(SERVER.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'auditlake_new%'") == [(0,)], "a table was left behind")
    w.commit(pa.table({"a": ["9"], "n": pa.array([9], pa.int64())}))
    demand(load(w)["rows"] == 1, "the load after a build anew")
    deltalake.DeltaTable(w.table).optimize.compact()
    w.commit(pa.table({"a": ["10"], "n": pa.array([10], pa.int64())}))
    demand(load(w)["rows"] == 1, "files that were merged are no new rows")
    w.commit(pa.table({"a": ["11"], "n": pa.array([11], pa.int64())}))
    deltalake.DeltaTable(w.table).optimize.compact()
    deltalake.DeltaTable(w.table).vacuum(0, enforce_retention_duration=False, dry_run=False)
    words = load(w, status=76)
    demand("is gone" in words and "--full" in words, words)
    load(w, "--full")
    demand((problem := compare(w, SERVER, "t.full")) is None, problem)
    shutil.rmtree(w.table)
    w.commit(pa.table({"a": ["1"], "n": pa.array([1], pa.int64())}))
    demand("another table" in load(w, status=76), "a table that was made anew")
    yield "--full after a replay and a vacuum: rows, index, grants and comment; what it cannot keep it refuses"


@case
def conflicts(b):
    w = foreign(b, "conflict", "c.logs")
    w.commit(pa.table({"at": times("2026-01-01"), "text": ["secret value"]}))
    SERVER.sql('CREATE SCHEMA c; CREATE TABLE c.logs (at text, text varchar(5))')
    words = load(w, status=69)
    demand("column at of c.logs has the type text; the lake's at is timestamp" in words and "ALTER TABLE" in words, words)
    SERVER.sql("ALTER TABLE c.logs ALTER COLUMN at TYPE timestamptz USING at::timestamptz")
    words = load(w, status=69)
    demand("22001" in words and "character varying(5)" in words and "secret value" not in words, words)
    demand(SERVER.sql("SELECT count(*) FROM c.logs") == [(0,)] and not SERVER.sql("SELECT 1 FROM pg_class WHERE relname = 'auditlake_batches' AND relnamespace = 'c'::regnamespace"), "half loaded")
    SERVER.sql("ALTER TABLE c.logs ALTER COLUMN text TYPE text; ALTER TABLE c.logs ADD COLUMN must int NOT NULL")
    demand("the column must of c.logs must have a value" in load(w, status=69), "a column that must be filled")
    SERVER.sql("ALTER TABLE c.logs ALTER COLUMN must SET DEFAULT 1")
    demand(load(w)["rows"] == 1, "rows")
    yield "a type, a length and a column that do not fit: named, nothing half loaded, and well once mended"


@case
def refusals(b):
    w = foreign(b, "refusal", "r.logs")
    w.commit(pa.table({"a": ["1"]}))
    SERVER.sql(f"CREATE ROLE lowly LOGIN PASSWORD '{warehouse.PASSWORD}'; CREATE SCHEMA r")
    w.configure(load="{warehouse: dwh, table: r.logs}", extra=warehouses(SERVER.url(user="lowly")))
    words = load(w, status=69)
    demand("42501" in words and "grant the role" in words, words)
    wrong = "wr0ng-passw0rd"
    w.configure(load="{warehouse: dwh, table: r.logs}", extra=warehouses(SERVER.url(password=wrong)))
    started = time.monotonic()
    words = load(w, status=69)
    demand("authentication failed" in words and wrong not in words and time.monotonic() - started < 5, words)
    for url in f"postgresql://u:{wrong}@[::1/x", f"postgresql://u:{wrong}%zz@h/x", f"nonsense {wrong}", f"host=h password={wrong} nosuch=1":
        w.configure(load="{warehouse: dwh, table: r.logs}", extra=warehouses(url))
        words = load(w, status=65)
        demand("not a connection string" in words and wrong not in words, words)
    w.configure(load="{warehouse: dwh, table: r.logs}", extra=warehouses(SERVER.url().replace(str(SERVER.port), str(free_port()))))
    words = load(w, "--retries", "1", status=69)
    demand("trying again" in words and "cannot be reached" in words, words)
    SERVER.sql("ALTER ROLE postgres SET default_transaction_read_only = on")
    try:
        w.configure(load="{warehouse: dwh, table: r.logs}", extra=warehouses(SERVER.url()))
        demand(load(w)["rows"] == 1, "a role that reads only by default")
    finally:
        with SERVER.connect() as c:
            c.execute("SET default_transaction_read_only = off")
            c.execute("ALTER ROLE postgres RESET default_transaction_read_only")
    yield "no right, a wrong password, urls that are none, a server that is not there: each in words, without a secret"


@case
def full_disk(b):
    place = os.path.join(SERVER.folder, "small")
    os.makedirs(place)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", place], capture_output=True).returncode:
        yield "not shown, for lack of the right to mount: a full disk"
        return
    try:
        os.makedirs(f"{place}/space", mode=0o700)
        if SERVER.user:
            shutil.chown(f"{place}/space", SERVER.user, SERVER.user)
        SERVER.sql(f"CREATE TABLESPACE small LOCATION '{place}/space'")
        w = foreign(b, "disk", "d.logs")
        w.commit(pa.table({"a": ["first"]}))
        SERVER.sql("CREATE SCHEMA d; CREATE TABLE d.logs (a text) TABLESPACE small; ALTER TABLE d.logs ALTER COLUMN a SET STORAGE EXTERNAL")
        load(w)
        w.commit(pa.table({"a": [os.urandom(500_000).hex() for _ in range(10)]}))
        words = load(w, status=69)
        demand("53100" in words and "make room" in words and SERVER.sql("SELECT a FROM d.logs") == [("first",)], words)
        SERVER.sql("ALTER TABLE d.logs SET TABLESPACE pg_default")
        demand(load(w)["rows"] == 10, "the load after room was made")
        demand((problem := compare(w, SERVER, "d.logs")) is None, problem)
        SERVER.sql("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", place])
    yield "a full disk: said, nothing half loaded, exact once there is room"


@case
def several_at_once(b):
    w = foreign(b, "several", "s.logs")
    def together(wait):
        """what four loaders come to that are all there before one goes on"""
        for n in range(15):
            w.commit(pa.table({"a": [f"{w.batch}-{i}" for i in range(200)]}))
        start = lambda: subprocess.Popen([w.binary, "load", "--format", "json"], cwd=w.folder, env=warehouse.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with SERVER.connect() as c, c.transaction():
            if wait:
                c.execute("LOCK TABLE s.logs IN ACCESS EXCLUSIVE MODE")
            loaders = [start() for _ in range(4)]
            while wait and SERVER.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'auditlake' AND wait_event_type = 'Lock'") != [(4,)]:
                demand(all(p.poll() is None for p in loaders), "a loader ended before the lock was given up")
        outcomes = [p.communicate(timeout=120) for p in loaders]
        demand(all(p.returncode == 0 for p in loaders), f"{outcomes}")
        demand(sum(json.loads(out)[0]["batches"] for out, _ in outcomes) == 15, f"{outcomes}")
        demand((problem := compare(w, SERVER, "s.logs")) is None, problem)

    together(wait=False)
    together(wait=True)
    yield "four loaders of one target at once, one that does not exist yet and one that is locked: each batch once"


@case
def stopped(b):
    w = foreign(b, "stop", "t.stop")
    w.commit(pa.table({"a": ["1"]}))
    load(w)
    w.commit(pa.table({"a": ["2"]}))
    with SERVER.connect() as c, c.transaction():
        c.execute("LOCK TABLE t.stop IN ACCESS EXCLUSIVE MODE")
        p = subprocess.Popen([w.binary, "load"], cwd=w.folder, env=warehouse.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'auditlake' AND wait_event_type = 'Lock'"
        with SERVER.connect() as watch:
            while watch.execute(waiting).fetchone() != (1,):
                demand(p.poll() is None, "the load ended before it was stopped")
            p.send_signal(signal.SIGTERM)
            out, said = p.communicate(timeout=30)
            demand(p.returncode == 75 and "stopped" in said, f"{p.returncode} {said}")
            while watch.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'auditlake'").fetchone() != (0,):
                pass
    demand(load(w)["rows"] == 1, "the load after the stop")
    yield "a stop while the server has it wait: heeded, the server told, the next load goes on"


@case
def checked(b):
    w = foreign(b, "checked", "k.logs")
    w.commit(pa.table({"at": times("2026-01-01")}))
    def check(status, **more):
        done = w.run("check", "--format", "json", env=warehouse.environment())
        found = [f for f in json.loads(done.stdout) if "dwh" in f["subject"]]
        demand(len(found) == 1 and found[0]["level"] == status, f"{found or done.stdout}")
        return found[0]["message"] + found[0].get("mend", "")
    said = check("ok")
    demand("PostgreSQL 15" in said and "k.logs" in said, said)
    demand(SERVER.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'k'") == [(0,)], "check made something")
    SERVER.sql("CREATE SCHEMA k; CREATE TABLE k.logs (at int)")
    demand("has the type integer" in check("error"), "a conflict")
    SERVER.sql(f"DROP TABLE k.logs; CREATE ROLE guest LOGIN PASSWORD '{warehouse.PASSWORD}'")
    w.configure(load="{warehouse: dwh, table: k.logs}", extra=warehouses(SERVER.url(user="guest")))
    demand("permission denied for schema k" in check("error"), "a schema that may not be used")
    SERVER.sql("GRANT USAGE ON SCHEMA k TO guest")
    demand("may not make tables in the schema k" in check("error"), "a schema that nothing may be made in")
    yield "check: version, rights and conflicts, nothing made"


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    sys.exit(warehouse.with_server(lambda server: (globals().update(SERVER=server), run_cases(__doc__, Bench))[1]))
