#!/usr/bin/env python3
"""warehouse_kill_test.py [--kills 30] [--seed N] [--binary PATH]

Loads into a real PostgreSQL while things die: auditlake by SIGKILL, its backend by pg_terminate_backend, the whole server by an immediate shutdown; each at a
named stage of a transaction (begun, COPY, cursor, COMMIT, committed) or a little later. Between the kills the lake gets more batches and more columns, and now
and then the target is built anew. There are two targets of one table, one that rows are inserted into and one that they are merged into.

After every kill the target has the rows of exactly the batches that its cursor names; after every recovery it has those of the lake. It counts at which stage what
died, and how often a COMMIT whose answer was lost had happened, and had not. Exit status 1 on any deviation, or when a stage was never hit.
"""
import os, random, signal, sys, time, warnings
from collections import Counter
import pyarrow as pa
import harness, warehouse
from harness import Failure, demand
from warehouse_test import ForeignLake

STAGES = {b"b": "begun", b"y": "COPY", b"u": "cursor", b"m": "COMMIT", b"e": "committed"}
WHAT = ("auditlake", "backend", "server")
SHARDS = ("5f3a0cbe-0000-4000-8000-000000000001", "5f3a0cbe-0000-4000-8000-000000000002")


class Target:
    """a workspace over the common lake, with a target of its own"""

    def __init__(self, a, folder, server, lake, name, mode):
        self.w = ForeignLake(a.binary, os.path.join(folder, name), url=server.url(connect_timeout=3), load="{warehouse: dwh, table: k.%s%s}" % (name, mode))
        os.rename(self.w.lake, self.w.lake + ".unused")
        os.symlink(lake.lake, self.w.lake)
        self.name = name


class Lake:
    """the rows of each batch, by shard and batch, in order of their commits"""

    def __init__(self, w, rng):
        self.w, self.rng, self.batches, self.next, self.rows, self.columns = w, rng, [], Counter(), 0, 1

    def commit(self):
        shard = self.rng.choice(SHARDS)
        self.next[shard] += self.rng.choice((1, 1, 1, 3))               # batches without rows leave gaps
        count = self.rng.randint(1, 400)
        ids = [f"{self.rows + i}" for i in range(count)]
        self.rows += count
        if self.rng.random() < 0.03:
            self.columns += 1
        columns = {"id": ids, "text": [f"{i}{'x' * self.rng.randint(0, 200)}" for i in ids]} | {f"c{n}": ids for n in range(self.columns)}
        self.w.commit(pa.table(columns), shard=shard, batch=self.next[shard], schema_mode="merge")
        self.batches.append((shard, self.next[shard], set(ids)))

    def ids(self, cursor):
        return set().union(*(ids for shard, batch, ids in self.batches if batch <= cursor.get(shard, 0)), set())


def standing(server, lake, target):
    """what must hold whenever something died: the rows are those of the batches that the cursor names"""
    with server.connect() as c:
        if c.execute("SELECT to_regclass('k.auditlake_batches')").fetchone()[0] is None:
            return demand(c.execute("SELECT to_regclass(%s)", (f"k.{target.name}",)).fetchone()[0] is None, "a target without a cursor")
        cursor = dict(c.execute("SELECT shard, batch FROM k.auditlake_batches WHERE target = %s", (f"k.{target.name}",)).fetchall())
        found = [r[0] for r in c.execute(f"SELECT id FROM k.{target.name}").fetchall()] if cursor else []
    demand(len(found) == len(set(found)), f"{len(found) - len(set(found))} rows of k.{target.name} are doubled")
    missing, extra = lake.ids(cursor) - set(found), set(found) - lake.ids(cursor)
    demand(not missing and not extra, f"k.{target.name}: {len(missing)} rows missing, {len(extra)} too many, by the cursor {cursor}")


def version(server, target):
    """the version of the lake's table that the target is at; None for none"""
    if server.sql("SELECT to_regclass('k.auditlake_batches') IS NULL") == [(True,)]:
        return None
    return server.sql("SELECT max(lake_version) FROM k.auditlake_batches WHERE target = %s", f"k.{target.name}")[0][0]


def run(server, target, rng, what, stage, occurrence, arguments, counts):
    """one load, during which something dies; whether it came to that"""
    before = version(server, target)
    process = harness.Run(target.w, *arguments, command=("load",))
    seen = 0
    while byte := process.next():
        seen += byte == stage
        if seen == occurrence:
            break
    else:
        process.finish()
        demand(process.process.returncode == 0, f"load ended with {process.process.returncode}: {process.words()}")
        return False
    time.sleep(rng.choice([0, 0, rng.uniform(0, 0.002), rng.uniform(0, 0.01)]))   # the instant of the kill, nothing waits for it
    if what == "auditlake":
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
        while process.next():
            pass
        os.close(process.reader)
        # The server may still be at work on what it was sent; a COMMIT may come through yet.
        while server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'auditlake'") != [(0,)]:
            pass
        if stage == b"m":
            counts["COMMIT had happened" if version(server, target) != before else "COMMIT had not happened"] += 1
    else:
        if what == "backend":
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'auditlake'")
        else:
            server.stop("immediate")
            server.start()
        while process.next():
            pass
        process.process.wait()
        os.close(process.reader)
        demand(process.process.returncode == 0, f"load ended with {process.process.returncode} after its {what} died: {process.words()}")
    counts[what, stage] += 1
    return True


def main(server):
    p = harness.arguments(__doc__, logs=False)
    p.add_argument("--kills", type=int, default=30)
    a = p.parse_args()
    folder = harness.prepare(a)
    os.environ["DWH_PASSWORD"] = warehouse.QUOTED
    print(f"seed {a.seed}")
    rng, counts, started, failed = random.Random(a.seed), Counter(), time.monotonic(), 0
    w = ForeignLake(a.binary, os.path.join(folder, "lake"), url=server.url())
    lake = Lake(w, rng)
    targets = [Target(a, folder, server, w, "inserted", ""), Target(a, folder, server, w, "merged", ", mode: merge, key: [id]")]
    rebuilds = recoveries = 0
    try:
        for _ in range(150):                                           # more than a transaction takes
            lake.commit()
        plan = [(what, stage) for stage in STAGES for what in WHAT]
        kills = 0
        while kills < a.kills:
            what, stage = plan[kills % len(plan)] if kills < len(plan) else (rng.choice(WHAT), rng.choice(list(STAGES)))
            target = rng.choice(targets)
            for _ in range(rng.randint(1, 6)):
                lake.commit()
            arguments = []
            if rng.random() < 0.15:
                arguments, rebuilds = ["--full"], rebuilds + 1
            occurrence = rng.randint(1, 3) if stage == b"y" else 1
            if not run(server, target, rng, what, stage, occurrence, arguments, counts):
                continue
            kills += 1
            standing(server, lake, target)
            if rng.random() < 0.7:
                for t in targets:
                    warehouse.load(t.w)
                    recoveries += 1
                    demand((problem := warehouse.compare(t.w, server, f"k.{t.name}", w.table)) is None, f"after a recovery: {problem}")
        for t in targets:
            warehouse.load(t.w)
            demand((problem := warehouse.compare(t.w, server, f"k.{t.name}", w.table)) is None, f"at the end: {problem}")
        missed = [f"{what} at {STAGES[stage]}" for what in WHAT for stage in STAGES if a.kills >= len(plan) and not counts[what, stage]]
        demand(not missed, f"nothing died as {', '.join(missed)}")
    except Failure as e:
        failed = 1
        print(f"FAILED: {str(e)[:2000]}")
    for what in WHAT:
        print(f"{what}: " + ", ".join(f"{STAGES[s]} {counts[what, s]}" for s in STAGES))
    print(f"{lake.rows} rows in {len(lake.batches)} batches of {len(SHARDS)} shards; {recoveries} recoveries compared, {rebuilds} built anew; of COMMITs that auditlake died in "
          f"{counts['COMMIT had happened']} had happened, {counts['COMMIT had not happened']} had not")
    return harness.conclude(a, folder, failed, started)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    sys.exit(warehouse.with_server(main))
