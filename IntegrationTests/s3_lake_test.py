#!/usr/bin/env python3
"""s3_lake_test.py [--seed N] [--binary PATH] [--only WORD]

A lake in a bucket of moto, which checks each signature and each right, one line a case: events delivered into the bucket and logs of PostgreSQL in one lake,
several processes, the commands, and what is said when keys, bucket, rights or network are wrong. Tables are read over S3 by delta-rs, by Polars and by
`auditlake query`, and held against the independent readings of the events and logs.

Exit status 1 when a case fails.
"""
import atexit, gzip, json, os, socket, subprocess, sys, warnings
import databricks_lake, databricks_test, harness, s3_lake
from databricks_lake import GOLD, SCHEMA
from databricks_test import event, some
from harness import PATIENCE, TABLE, Workspace, case, demand, good
from s3_service import BUCKET, Service, counted

CHECK, INPUT, STORAGE = 1, 66, 73
# Requests of a run that finds nothing: those of each table, and all others.
IDLE_PER_TABLE, IDLE_BESIDES = 4, 25


class Bench(harness.Bench):
    def __init__(self, a, folder):
        super().__init__(a, folder)
        self.service = self.service_of().__enter__()
        atexit.register(self.service.stop)

    def service_of(self):
        return Service(self.folder)

    def place(self):
        self.number += 1
        return os.path.join(self.folder, str(self.number))

    def lake(self, **keys):
        return s3_lake.delivered(self.service)(self.a.binary, self.place(), **keys)

    def logs(self, lake):
        """a workspace with PostgreSQL's logs and the lake of another one"""
        w = s3_lake.in_bucket(Workspace, self.service, lake.prefix)(self.a.binary, self.place())
        for path in self.a.logs:
            os.symlink(path, os.path.join(w.logs, os.path.basename(path)))
        return w


def joined(lines):
    return b"".join(line + b"\n" for line in lines)


def packed(name, data):
    if name.endswith(".gz"):
        return gzip.compress(data)
    return subprocess.run(["zstd", "-cq"], input=data, stdout=subprocess.PIPE, check=True).stdout


def reckon(w, **settings):
    problems, tables = databricks_lake.reckon(w, s3_lake.READERS, **settings)
    demand(not problems, "; ".join(problems[:20]))
    return f"{tables.lines} lines, {len(tables.silver)} events in {len(tables.services)} services, every column alike in {', '.join(s3_lake.READERS)}"


def settle(w):
    w.drain()
    again = w.drain()
    demand(not again["batches"] and not again["rows"], f"a further run found {again['batches']} batches with {again['rows']} rows")
    return reckon(w)


def at_once(*workspaces):
    """a run in each, all at the same time; each has to end well"""
    runs = [subprocess.Popen([w.binary, "run", "--once"], cwd=w.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for w in workspaces]
    for run in runs:
        said = run.communicate(timeout=10 * PATIENCE)[1]
        demand(run.returncode == 0 and not said, f"a process ended with {run.returncode} and said: {said.decode()}")


# ---------------------------------------------------------------- exactly once

@case
def events_and_logs_in_one_lake(b):
    w = b.lake()
    files = list(databricks_test.sample_files())
    plain = [name for name, _ in files if name.endswith(".json")]
    data = dict(files)
    more = [joined(some(f"packed {n}", *range(4)) + [b"{broken", b"caf\xe9"]) for n in range(4)]
    for name in plain[1:]:
        w.deliver(name, data[name])
    w.deliver(plain[0], b"".join(data[plain[0]].splitlines(keepends=True)[:20]))
    w.deliver("odd names/ä+b c%20&=~.json", more[0])
    w.deliver("packed/a.json.gz", packed(".gz", more[1]))
    w.deliver("packed/b.json.zst", packed(".zst", more[2]))
    w.deliver("_hidden/a.json", more[0], is_read=False)
    demand(w.drain()["remarks"] == [], "the first run remarks something")
    # Delivered again with more lines, with other lines, and taken away after they were read.
    w.deliver(plain[0], data[plain[0]])
    w.deliver(plain[1], b"x" + data[plain[1]], is_read=False)
    w.withdraw(plain[2])
    w.deliver("packed/c.json.gz", packed(".gz", more[3]))
    remarks = w.drain()["remarks"]
    demand(len(remarks) == 1 and plain[1] in remarks[0] and "chang" in remarks[0], f"the second run remarked {remarks}")
    yield f"events that lie in the bucket: {settle(w)}"
    pg = b.logs(w)
    pg.drain()
    problems = harness.reckon(pg, b.a.logs)
    demand(not problems, "; ".join(problems[:10]))
    count, problems = s3_lake.differences(pg, TABLE, ("session_id",))
    demand(not problems, "; ".join(problems[:10]))
    yield f"local logs of PostgreSQL beside them: {count} rows, every record once, alike in {', '.join(s3_lake.READERS)}"


@case
def two_processes_at_once(b):
    w = b.lake(batch_bytes="400B")
    for number in range(3):
        for part in range(3):
            w.deliver(f"{number}/{part}.json", joined(some(f"s{part}", *range(6))))
        at_once(w, w)
    yield f"two processes at once, three times, {len(w.numbers('receipts'))} batches: {settle(w)}"


@case
def a_run_that_finds_nothing_asks_little(b):
    w = b.lake()
    for n in range(8):
        w.deliver("a.json", joined(line for s in range(10) for line in some(f"s{s}", *range(n + 1))))
        w.drain()
    b.service.requests()
    w.drain()
    requests = b.service.requests()
    w.numbers("plans")
    tables = len(w.tables) + 2                                         # expectations, services
    demand(len(requests) <= IDLE_PER_TABLE * tables + IDLE_BESIDES, f"{len(requests)} requests for {tables} tables: {dict(counted(requests))}")
    yield f"a run that finds nothing: {len(requests)} requests for {tables} tables"


# ---------------------------------------------------------------- the commands

@case
def commands_work(b):
    w = b.lake()
    w.deliver("a.json", joined(some("jobs", 0, 1, 2) + some("clusters", 0)))
    found = good(w, "check")
    demand("will be made" in found and "32 racing writers gave one winner" in found, found)
    w.numbers("plans")
    demand(w.copy.has == {}, f"check left {list(w.copy.has)}")
    w.drain()
    w.deliver("b.json", joined(some("jobs", 3, 4)))
    (told,) = json.loads(good(w, "status", "--format", "json"))
    key = f"s3://{BUCKET}/{w.source}/"
    demand([f["path"] for f in told["files"]] == [key + "b.json"] and told["last_batch_rows"] == 4, f"status says {told}")
    w.drain()
    demand("is there and writable" in good(w, "check"), "check of a lake that is there")
    tables = good(w, "tables")
    demand(f"{SCHEMA}.silver" in tables and f"{GOLD}.jobs" in tables, f"tables says {tables}")
    demand("requestParams" in good(w, "describe", f"{GOLD}.jobs"), "describe")
    history = json.loads(good(w, "history", f"{SCHEMA}.silver", "--format", "json"))
    demand([h["version"] for h in history] == [2, 1, 0], f"history says {history}")
    (place,) = json.loads(good(w, "trace", "event", "--id", "jobs-4", "--format", "json"))
    length = len(some("jobs", 3)[0])
    demand((place["source"], place["offset"], place["batch"]) == (key + "b.json", length + 1, 2), f"trace says {place}")
    (place,) = json.loads(good(w, "trace", "event", "--file", key + "b.json", "--byte", "5", "--format", "json"))
    demand(place["events"][0]["event_id"] == "jobs-3", f"trace says {place}")
    yield "check, status, tables, describe, history, trace"
    w.configure(None, strip="[]")
    w.deliver("c.json", event("jobs", '{"n":null,"m":""}', event_id='"bare"').encode() + b"\n")
    w.drain()
    w.configure(None)
    for layer in "silver", "gold":
        said = good(w, "replay", layer, "--apply")
        demand("swapped" in said, said)
    w.numbers("plans")
    (row,) = [r for r in s3_lake.read("deltalake", w, f"{SCHEMA}.silver").to_pylist() if r["event_id"] == "bare"]
    demand(not row["requestParams"], f"after the replay {row}")
    yield "replay silver and gold"


# ---------------------------------------------------------------- what is wrong

def demand_words(b, said, *words):
    demand(all(word in said for word in words), f"it said {said!r}, without one of {words}")
    demand(b.service.secret not in said and "wrong-secret" not in said, "a secret is shown")


@case
def what_is_wrong_is_said(b):
    w = b.lake()
    w.deliver("a.json", joined(some("jobs", 0)))
    place = f"{w.url}/"

    def fails(what, status, environment, *words, command=("run", "--once")):
        done = w.run(*command, env=harness.environment(**environment))
        demand(done.returncode == status, f"{what}: {command[0]} ended with {done.returncode}, expected {status}: {done.stderr.strip()}{done.stdout.strip()}")
        demand_words(b, done.stderr + done.stdout, *words)
        return f"{what}: {(done.stderr or done.stdout).strip().splitlines()[-1].strip()}"

    yield fails("a wrong secret", INPUT, {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, place, "SignatureDoesNotMatch", "check the access key and its secret")
    yield fails("an unknown key", INPUT, {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN", "AWS_SECRET_ACCESS_KEY": "wrong-secret"}, place, "InvalidAccessKeyId", "check the access key")
    yield fails("no keys", STORAGE, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": b.folder}, "AWS_ACCESS_KEY_ID", "AWS_PROFILE")
    yield fails("check with a wrong secret", CHECK, {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, w.url, "check the access key", command=("check",))
    bucket = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"}
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    id, secret = b.service.user("reader", bucket, read)
    reader = {"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret}
    yield fails("no right to write", STORAGE, reader, "cannot put", place, "give these credentials the right to put")
    id, secret = b.service.user("writer", bucket)
    yield fails("no right to read", INPUT, {"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret}, "cannot read", place, "give these credentials the right to read")
    w.drain()
    demand("jobs-0" in w.run("query", f"select event_id from {SCHEMA}.silver", env=harness.environment(**reader)).stdout, "who may read cannot query")
    yield "who may only read can query"
    done = w.run("query", f"select event_id from {SCHEMA}.silver", env=harness.environment(AWS_SECRET_ACCESS_KEY="wrong-secret"))
    demand(done.returncode != 0, "a query with a wrong secret")
    demand_words(b, done.stderr + done.stdout, "check the access key")

    path = os.path.join(w.folder, "auditlake.yaml")
    with open(path) as f:
        configuration = f.read()

    def configured(old, new):
        demand(old in configuration, f"{old} is not in the configuration")
        with open(path, "w") as f:
            f.write(configuration.replace(old, new))

    configured(f"lake: s3://{BUCKET}/", "lake: s3://nowhere/")
    os.environ["AWS_ENDPOINT_URL"] = b.service.endpoint
    yield fails("no such bucket", INPUT, {}, "s3://nowhere/", "NoSuchBucket", "check the bucket")
    with socket.socket() as s:                                         # nobody listens, and nobody else gets the port meanwhile
        s.bind(("127.0.0.1", 0))
        configured(b.service.endpoint, f"http://localhost:{s.getsockname()[1]}")
        yield fails("a dead endpoint", INPUT, {}, place, "check the endpoint and the network")
    del os.environ["AWS_ENDPOINT_URL"]
    with open(path, "w") as f:
        f.write(configuration)
    w.drain()
    demand(databricks_lake.reckon(w)[0] == [], "the lake has suffered")
    yield "the lake is exact after all that"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    status = harness.run_cases(__doc__, Bench)
    sys.stdout.flush()
    sys.exit(status)
