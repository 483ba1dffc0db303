#!/usr/bin/env python3
"""radosgw_test.py [--seed N] [--binary PATH] [--only WORD]

A lake in a bucket of Debian's radosgw, a service of S3 that shares no code with moto, one line a case: the race of `check`, events and logs in one lake, a thousand
commits with their checkpoints, and two processes at once, on one pipeline and with two pipelines into one table. Tables are read over S3 by delta-rs, by Polars and
by `auditlake query`, and held against the independent readings of the events and logs. Seconds and requests are shown.

Exit status 1 when a case fails.
"""
import collections, glob, os, signal, sys, time, warnings
import harness, s3_lake
from databricks_lake import SCHEMA
from databricks_test import some
from harness import ROLE, TABLE, Workspace, case, demand, expected, good
from kill_test import shortened
from radosgw import RadosGateway
from s3_lake_test import Bench, at_once, events_and_logs_in_one_lake, joined, settle, two_processes_at_once
from s3_service import counted, kind

RACES = 5                                                              # calls of check, 32 writers each
COMMITS, CHECKPOINT_AT = 1000, 100


class Gateway(Bench):
    def service_of(self):
        return RadosGateway()

    def records(self, place=None, kind=Workspace, logs=None, **keys):
        """PostgreSQL's logs, a record a batch; `place`: where in the bucket the lake of another workspace lies"""
        w = s3_lake.in_bucket(kind, self.service, place)(self.a.binary, self.place(), batch_bytes="1B", **keys)
        for n, path in enumerate(logs or self.a.logs):
            os.symlink(path, os.path.join(w.logs, f"{n}.csv"))
        return w


def told(requests, seconds, batches):
    """seconds and requests in words"""
    kinds = ", ".join(f"{name} {n}" for name, n in sorted(counted(requests).items()))
    return f"{batches} batches in {seconds:.1f} s ({1000 * seconds / max(1, batches):.0f} ms a batch), {len(requests)} requests: {kinds}"


def timed(b, *workspaces):
    """runs at once, one in each; seconds and requests"""
    b.service.requests()
    started = time.monotonic()
    at_once(*workspaces)
    return time.monotonic() - started, b.service.requests()


def reckon(w, logs):
    """the table of PostgreSQL's logs is exact, on disk and over S3"""
    problems = harness.reckon(w, logs)
    count, more = s3_lake.differences(w, TABLE, ("session_id",))
    problems += more
    demand(not problems, "; ".join(problems[:10]))
    return f"{count} rows, every record once, alike in {', '.join(s3_lake.READERS)}"


# ---------------------------------------------------------------- the cases

@case
def races_have_one_winner(b):
    w = b.lake()
    w.deliver("a.json", joined(some("jobs", 0)))
    for _ in range(RACES):
        said = good(w, "check")
        demand("32 racing writers gave one winner" in said, said)
    w.numbers("plans")
    demand(w.copy.has == {}, f"check left {list(w.copy.has)}")
    yield f"check: of 32 racing puts one wins, {RACES} times, and nothing is left"


@case
def events_and_logs(b):
    yield from events_and_logs_in_one_lake(b)


@case
def a_thousand_commits(b):
    logs = b.a.logs + sorted(glob.glob(os.path.join(harness.ROOT, "Examples", "logs", "replica", "*.csv")))
    w = b.records(logs=logs)
    seconds, requests = timed(b, w)
    batches = len(w.numbers("receipts"))
    version = harness.Log(w.table).version
    demand(batches >= COMMITS and version >= COMMITS, f"{batches} batches, version {version}")
    yield told(requests, seconds, batches)
    yield reckon(w, logs)
    at = checkpoint(w, TABLE)
    demand(version - at < CHECKPOINT_AT, f"the last checkpoint is of version {at}, the table has {version}")
    seconds, requests = timed(b, w)
    log = [r for r in requests if kind(r) == "GET log" and f"/main/{TABLE.replace('.', '/')}/" in r[1]]
    demand(len(log) <= CHECKPOINT_AT, f"a run that finds nothing reads {len(log)} files of the log: {log[:3]}")
    yield f"a run that finds nothing: {seconds:.2f} s, {len(requests)} requests, {len(log)} of them for the log"
    gone = withdraw_log(w, TABLE, at)
    with open(os.path.join(w.logs, "later.csv"), "wb") as f:
        f.write(first_record(b.a.logs[0]).replace(b"2026-11-21", b"2026-11-22", 1))
    w.drain()
    yield f"without {gone} commits before the checkpoint of version {at}, and a record later: {reckon(w, [*logs, f.name])}"


def checkpoint(w, name):
    """the version of the table's last checkpoint that is in the bucket"""
    folder = os.path.join(w.place(name), "_delta_log")
    found = [int(n[:20]) for n in os.listdir(folder) if n.endswith(".checkpoint.parquet")]
    demand(found and os.path.exists(os.path.join(folder, "_last_checkpoint")), f"{name} has the checkpoints {found}")
    return max(found)


def withdraw_log(w, name, version):
    """takes away the commits before a version: whoever still reads the table does so by its checkpoint; how many"""
    folder = os.path.join(w.place(name), "_delta_log")
    old = [n for n in os.listdir(folder) if n.endswith(".json") and n[:20].isdigit() and int(n[:20]) < version]
    for n in old:
        w.copy.client.delete_object(Bucket=s3_lake.BUCKET, Key=w.copy.key(os.path.join(folder, n)))
    w.copy.update()
    return len(old)


def first_record(path):
    with open(path, "rb") as f:
        data = f.read()
    return data[:next(offset for offset, record in expected.records(data) if record is not None and offset)]


@case
def checkpoints_of_events(b):
    w = b.lake(batch_bytes="1B")
    for n in range(CHECKPOINT_AT + 20):
        w.deliver(f"{n:04}.json", joined(some("jobs", n)))
    seconds, requests = timed(b, w)
    yield told(requests, seconds, len(w.numbers("receipts")))
    for name in f"{SCHEMA}.bronze", f"{SCHEMA}.silver", f"{SCHEMA}_gold.jobs":
        withdraw_log(w, name, checkpoint(w, name))
    yield f"without the commits before the checkpoints: {settle(w)}"


@case
def two_processes_on_one_pipeline_of_events(b):
    yield from two_processes_at_once(b)


@case
def two_processes_on_one_pipeline_of_logs(b):
    logs = [shortened(b.a.logs[0], b.folder)]
    w = b.records(logs=logs)
    seconds, requests = timed(b, w, w)
    demand(any(r[2] in ("409", "412") for r in requests), "the processes never met")
    yield f"two processes on one pipeline: {told(requests, seconds, len(w.numbers('receipts')))}"
    yield reckon(w, logs)


class Other(Workspace):
    pipeline = "pg_other"


@case
def two_writers_of_one_table(b):
    logs = [shortened(b.a.logs[0], b.folder)]
    first = b.records(logs=logs)
    second = b.records(first.prefix, Other, logs, node="pg2")
    seconds, requests = timed(b, first, second)
    refused = sum(kind(r) == "PUT log" and r[2] in ("409", "412") for r in requests)
    demand(refused, "the writers never met")
    batches = sum(len(w.numbers("receipts")) for w in (first, second))
    yield f"two pipelines into one table, {refused} commits refused and made again: {told(requests, seconds, batches)}"
    wanted = collections.Counter(identity(r["event_time"], r["session_id"], r["extra"] | {"node": node}) for node in (harness.NODE, "pg2") for r in expected.read(logs, ROLE, node)[0])
    for w in first, second:
        w.drain()
        problems = harness.standing(w)
        demand(not problems, "; ".join(problems))
    for reader in s3_lake.READERS:
        table = s3_lake.read(reader, first, TABLE, ["event_time", "session_id", "extra"])
        times = table.column("event_time").cast("int64").to_pylist()
        found = collections.Counter(identity(t, s, {e["key"]: e["value"] for e in x}) for t, s, x in zip(times, table.column("session_id").to_pylist(), table.column("extra").to_pylist()))
        demand(found == wanted, f"{reader}: missing {list((wanted - found).items())[:3]}, too many {list((found - wanted).items())[:3]}")
    yield f"{sum(wanted.values())} rows, every record of both once in {', '.join(s3_lake.READERS)}"


def identity(event_time, session, extra):
    return extra.get("node"), session, extra.get("session_line_num"), event_time


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))             # the gateway ends with the test, however that ends
    status = harness.run_cases(__doc__, Gateway)
    sys.stdout.flush()
    sys.exit(status)
