#!/usr/bin/env python3
"""redshift_test.py [--binary PATH] [--only WORD]

Loads into Redshift as far as that can be shown without one: auditlake stages files in a bucket (moto) and says all it would say to a stand-in (redshift_stand_in.py), which has
PostgreSQL carry out what both dialects mean alike and itself does COPY from the manifest. Every statement that came, and every one of the golden file, is parsed by sqlglot as
Redshift's. What has never been carried out by the real service is listed in Documentation/Warehouse.md. Exit status 1 on any deviation.
"""
import datetime, hashlib, json, os, signal, subprocess, sys, tempfile, warnings
import deltalake, pyarrow as pa, sqlglot
import harness, warehouse
from harness import ROOT, Bench, case, demand, run_cases
from redshift_stand_in import SETUP, StandIn
from s3_service import BUCKET, Service
from warehouse import load
from warehouse_test import ForeignLake, UTC

SERVER = SERVICE = STAND_IN = None
ROLE = "arn:aws:iam::111122223333:role/copy"
# Of these sqlglot knows that they are commands, and no more.
COMMANDS = ("LOCK",)


def settings(access=f'iam_role: "{ROLE}"'):
    url = f"postgresql://postgres:${{DWH_PASSWORD}}@127.0.0.1:{STAND_IN.port}/postgres?sslmode=disable&gssencmode=disable"
    return f'warehouses:\n  dwh: {{kind: redshift, url: "{url}", staging: "s3://{BUCKET}/staging", {access}}}\nobject_stores:\n  {BUCKET}: {json.dumps({"endpoint": SERVICE.endpoint, "path_style": True})}\n'


def foreign(b, name, target, mode="", **more):
    w = ForeignLake(b.a.binary, os.path.join(b.folder, name), url="postgresql://unused")
    w.configure(load="{warehouse: dwh, table: %s%s}" % (target, mode), extra=settings(**more))
    return w


def rows(target, columns, order):
    return SERVER.sql(f"SELECT {columns} FROM {target} ORDER BY {order}")


def swept(b):
    demand(not SERVICE.objects("staging/"), f"left in the staging place: {list(SERVICE.objects('staging/'))}")


@case
def every_type(b):
    w = foreign(b, "types", "rs.types")
    at = datetime.datetime(2026, 11, 22, 5, 6, 7, 8, UTC)
    long = "x" + "é" * 40_000
    values = {
        "Id": pa.array([1, 2, 3], pa.int64()), "small": pa.array([-1, None, 2**31 - 1], pa.int32()), "real": pa.array([0.1, float("inf"), None], pa.float64()),
        "flag": pa.array([True, False, None]), "at": pa.array([at, None, at], pa.timestamp("us", "UTC")), "day": pa.array([datetime.date(2000, 2, 29), None, None], pa.date32()),
        "text": ["tab\t nl\n \\N é🙂", "a\0b", long], "pairs": pa.array([[("k", "v"), ("n", None)], [], [("big", "y" * 70_000)]], pa.map_(pa.string(), pa.string())),
        "parts": pa.array([{"statusCode": 200, "t": "é\"\\"}, {"statusCode": None, "t": None}, None], pa.struct([("statusCode", pa.int64()), ("t", pa.string())])),
        "date": pa.array([datetime.date(2026, 11, 22), datetime.date(2026, 11, 21), None], pa.date32()),
    }
    w.commit(pa.table(values), partition=["date"])
    report = load(w)
    demand((report["rows"], report["batches"], report["replaced_nuls"], report["cut_texts"]) == (3, 1, 1, 2), f"{report}")
    found = rows("rs.types", "id, small, real, flag, at, day, text, pairs, parts, date, auditlake_cut", "id")
    demand(found[0] == (1, -1, 0.1, True, at, datetime.date(2000, 2, 29), values["text"][0], {"k": "v", "n": None}, {"statusCode": 200, "t": "é\"\\"}, datetime.date(2026, 11, 22), None), f"{found[0]}")
    demand(found[1] == (2, None, float("inf"), False, None, None, "a\ufffdb", {}, {}, datetime.date(2026, 11, 21), None), f"{found[1]}")
    third = found[2]
    demand(third[:6] == (3, 2**31 - 1, None, None, at, None) and third[6] == long[:32_768] and third[8] is None and third[9] is None, f"{str(third)[:300]}")
    whole = '{"big":"' + "y" * 70_000 + '"}'
    demand(list(third[7]) == ["auditlake_cut"] and whole.startswith(third[7]["auditlake_cut"]) and len(third[7]["auditlake_cut"]) > 65_000, f"{str(third[7])[:100]}")
    digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
    demand(json.loads(third[10]) == {"text": digest(long), "pairs": digest(whole)}, third[10])
    swept(b)
    yield "every type, names in lower case, texts that are cut with the SHA-256 of the whole, a manifest with sizes; nothing is left in the staging place"


@case
def batches(b):
    w = foreign(b, "batches", "rs.batches", access="access_key_id: AKIDX, secret_access_key: s3cr3t-k3y, session_token: t0k3n")
    for n in range(3):
        w.commit(pa.table({"a": [f"{n}"]}))
    demand(load(w)["batches"] == 3 and load(w)["batches"] == 0, "batches")
    w.commit(pa.table({"a": ["3"], "Later": pa.array([3], pa.int64())}), schema_mode="merge")
    load(w)
    demand(rows("rs.batches", "a, later", "a") == [("0", None), ("1", None), ("2", None), ("3", 3)], "rows")
    deltalake.DeltaTable(w.table).delete("a = '1'")
    demand("--full" in load(w, status=76), "a rewrite")
    demand(load(w, "--full")["rows"] == 3 and rows("rs.batches", "a", "a") == [("0",), ("2",), ("3",)], "--full")
    demand(SERVER.sql("SELECT batch FROM rs.auditlake_batches WHERE target = 'rs.batches'") == [(4,)], "cursor")
    for n in range(4, 24):
        w.commit(pa.table({"a": [str(n)], "Later": pa.array([n], pa.int64())}))
    loaders = [subprocess.Popen([w.binary, "load", "--format", "json"], cwd=w.folder, env=warehouse.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    outcomes = [p.communicate(timeout=120) for p in loaders]
    demand(all(p.returncode == 0 for p in loaders) and sum(json.loads(out)[0]["batches"] for out, _ in outcomes) == 20, f"{outcomes}")
    demand(len(rows("rs.batches", "a", "a")) == 23, "rows after three loaders")
    swept(b)
    yield "batches once, keys instead of a role, a column that comes later, a build anew, three loaders at once"


@case
def merges(b):
    w = foreign(b, "merge", "rs.merged", ", mode: merge, key: [id, at]")
    at = [datetime.datetime(2026, 1, 1, tzinfo=UTC)]
    shape = lambda pairs: pa.table({"id": [p[0] for p in pairs], "at": pa.array(at * len(pairs), pa.timestamp("us", "UTC")), "text": [p[1] for p in pairs]})
    w.commit(shape([("a", "old"), ("b", "first"), ("b", "second"), (None, "null 1")]))
    load(w)
    w.commit(shape([("a", "new"), (None, "null 2")]))
    w.commit(shape([("a", "newest")]))
    load(w)
    want = [("a", "newest"), ("b", "second"), (None, "null 1"), (None, "null 2")]
    demand(rows("rs.merged", "id, text", "id, text") == want, f"{rows('rs.merged', 'id, text', 'id, text')}")
    load(w, "--full")
    demand(rows("rs.merged", "id, text", "id, text") == want, "--full")
    yield "merge: delete and insert in one transaction; the last row of a key stays"


@case
def failures(b):
    w = foreign(b, "failures", "rs.failures")
    w.commit(pa.table({"a": ["1"]}))
    STAND_IN.fail("INSERT INTO \"rs\".\"failures\"", "XX000", "1023 DETAIL: Serializable isolation violation on table", times=2)
    report = load(w)
    demand(report["retries"] == 2 and report["batches"] == 1 and rows("rs.failures", "a", "a") == [("1",)], f"{report}")
    w.commit(pa.table({"a": ["2"]}))
    STAND_IN.fail("COPY ", "XX000", "Load into table 'auditlake_stage' failed.  Check 'sys_load_error_detail' system table for details.")
    words = load(w, status=69)
    demand("manifest.json, line 7, column statement: String length exceeds DDL length" in words, words)
    w.configure(load="{warehouse: dwh, table: rs.failures}", extra=settings(access="access_key_id: AKIDX, secret_access_key: s3cr3t-k3y"))
    STAND_IN.fail("COPY ", "28000", "the key AKIDX with s3cr3t-k3y may not")
    words = load(w, status=69)
    demand("s3cr3t-k3y" not in words and "AKIDX" not in words, words)
    demand(load(w)["rows"] == 1 and rows("rs.failures", "a", "a") == [("1",), ("2",)], "the load after the failures")
    swept(b)
    yield "error 1023 is tried again; a COPY that fails names file, line and column; no key is shown"


@case
def kills(b):
    w = foreign(b, "kills", "rs.kills")
    died, n = 0, 0
    for stage in (b"y", b"b", b"u", b"m", b"e") * 2:
        for _ in range(2):
            w.commit(pa.table({"a": [str(n + i) for i in range(50)]}))
            n += 50
        run = harness.Run(w, command=("load",))
        while byte := run.next():
            if byte == stage:
                run.process.send_signal(signal.SIGKILL)
                died += 1
                break
        run.process.wait()
        while run.next():
            pass
        os.close(run.reader)
        load(w)
        found = [a for a, in rows("rs.kills", "a", "a")]
        demand(len(found) == len(set(found)) == n, f"after a kill at {stage}: {len(found)} rows, {len(set(found))} different, of {n}")
    demand(died == 10, f"{died} kills")
    yield "killed at each stage, twice: every row once after the next load"


@case
def dialect(b):
    with open(os.path.join(ROOT, "Tests", "WarehouseTests", "Golden", "redshift.sql")) as f:
        golden = [s for s in f.read().split(";\n") if s]
    told = set(STAND_IN.statements)
    demand(b.a.only or len(told) > 20, f"{len(told)} statements were told")
    for sql in [*golden, *sorted(told)]:
        parsed = sqlglot.parse_one(sql, dialect="redshift")
        demand(not isinstance(parsed, sqlglot.exp.Command) or sql.startswith(COMMANDS), f"sqlglot does not understand {sql}")
    yield f"{len(golden)} statements of the golden file and {len(told)} that were told are Redshift's to sqlglot"


def main(server):
    global SERVER, STAND_IN, SERVICE
    SERVER = server
    server.sql(SETUP)
    os.environ["DWH_PASSWORD"] = warehouse.QUOTED
    with tempfile.TemporaryDirectory(prefix="auditlake-moto-") as folder, Service(folder) as SERVICE:
        STAND_IN = StandIn(server, SERVICE.client())
        return run_cases(__doc__, Bench)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    sys.exit(warehouse.with_server(main))
