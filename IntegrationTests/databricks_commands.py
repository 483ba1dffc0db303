#!/usr/bin/env python3
"""databricks_commands.py [--seed N] [--binary PATH] [--only WORD]

What the commands say of pipelines of Databricks events, one line a case: `init`, `check`, `run --only`, `status`, metrics, `trace event`, and a `replay` that is refused.
What they have to say is counted from the files that the cases write.

Exit status 1 when a case fails.
"""
import glob, json, os, re, signal, sys, time
import databricks_lake, databricks_test, harness
from databricks_lake import GOLD, PIPELINE, SCHEMA, EventLake
from databricks_test import put, some
from harness import case, demand, good

CONFIGURATION, STATE = 65, 76


def equal(got, want, what):
    demand(got == want, f"{what}: {got!r}, expected {want!r}")


def refused(w, status, *arguments):
    """what a command that has to be refused said, and printed"""
    done = w.run(*arguments)
    demand(done.returncode == status, f"{' '.join(arguments)} ended with {done.returncode}, expected {status}: {done.stderr.strip()}")
    return done.stderr, done.stdout


def status(w):
    (found,) = json.loads(good(w, "status", "--format", "json"))
    return found["gold_behind_batches"], found["gold_behind_rows"]


def deliver(w, name, lines, at=[1_795_000_000]):
    at[0] += 1
    return put(w, name, b"\n".join(lines) + b"\n", at[0])


class Bench(harness.Bench):
    def lake(self, **keys):
        self.number += 1
        return EventLake(self.a.binary, os.path.join(self.folder, str(self.number)), **keys)


@case
def init_writes_what_the_commands_take(b):
    w = b.lake()
    os.remove(os.path.join(w.folder, "auditlake.yaml"))
    deliver(w, "a.json", some("jobs", 0, 1))
    good(w, "init", "--objects", os.path.join(w.events, "**", "*.json"), "--schema", "events")
    good(w, "check")
    demand("2 rows" in good(w, "run", "--once"), "the run does not tell two rows")
    demand(w.has("events.silver") and w.has("events_gold.jobs"), "the tables are not there")
    yield "a configuration for Databricks alone is valid, and a run with it fills the tables"
    logs = os.path.join(w.logs, "*.csv")
    good(w, "init", "--force", "--objects", os.path.join(w.events, "*.json"), "--files", logs)
    names = re.findall(r"^  (\w+):", open(os.path.join(w.folder, "auditlake.yaml")).read(), re.M)
    equal(names, ["postgres_logs", "databricks_audit"], "the pipelines of both kinds")
    yield "one for both kinds has both pipelines"


@case
def check_and_run_refuse_tables_that_cannot_be(b):
    w = b.lake()
    deliver(w, "a.json", some("jobs", 0))
    mixed = "  pg:\n    kind: postgres\n    source: {files: /nowhere/*.csv}\n    role: r\n    table: %s.logs\n"
    for schema in SCHEMA, GOLD:
        w.write_configuration({"kind": "databricks", "source": '{objects: "events/*.json"}', "schema": SCHEMA}, extra=mixed % schema)
        for command in ("check",), ("run", "--once"):
            said, _ = refused(w, CONFIGURATION, *command)
            demand(f"auditlake.yaml:11:12: pipelines.pg.table “{schema}.logs” lies in a schema of" in said, said)
    demand(not os.path.exists(w.lake), "a lake was made")
    yield "a table of PostgreSQL in a schema of a Databricks pipeline"
    w.configure("events/*.json")
    w.drain()
    before = sorted(glob.glob(os.path.join(w.lake, "**"), recursive=True))
    w.write_configuration({"kind": "databricks", "source": '{objects: "events/*.json"}', "schema": "other"})
    said, _ = refused(w, STATE, "run", "--once")
    demand(f"has filled main.{SCHEMA}.silver" in said and "schema:" in said.splitlines()[1], said)
    _, found = refused(w, 1, "check")
    demand(f"error: {PIPELINE}: the pipeline {PIPELINE} has filled main.{SCHEMA}.silver" in found, found)
    after = [p for p in glob.glob(os.path.join(w.lake, "**"), recursive=True) if not p.endswith("status.json")]
    equal(sorted(after), before, "files of the lake")
    yield "another schema than that of the batches, before anything is made"


@case
def gold_apart_is_told(b):
    w = b.lake()
    deliver(w, "a.json", some("jobs", 0, 1, 2) + some("clusters", 0))
    good(w, "run", "--once", "--only", "bronze,silver")
    equal(status(w), (1, 4), "batches and rows that gold lacks")
    deliver(w, "b.json", some("jobs", 3))
    good(w, "run", "--once", "--only", "bronze,silver", "--metrics-file", "m.prom")
    demand("gold is 2 batches behind, 5 rows" in good(w, "status"), "status does not tell it")
    metrics = open(os.path.join(w.folder, "m.prom")).read()
    demand(f'auditlake_gold_behind_batches{{pipeline="{PIPELINE}"}} 2\n' in metrics and f'auditlake_gold_behind_rows{{pipeline="{PIPELINE}"}} 5\n' in metrics, metrics)
    yield "status and metrics say how far gold is behind"
    report = json.loads(good(w, "run", "--once", "--only", "gold", "--format", "json"))
    equal(report["table"], f"main.{GOLD}", "the target")
    equal((report["rows"], report["late_batches"]), (5, 2), "rows and batches")
    equal(report["late_rows"], {f"main.{GOLD}.jobs": 4, f"main.{GOLD}.clusters": 1}, "rows by table")
    equal(status(w), (0, 0), "what gold lacks now")
    yield "run --only gold tells the rows of each gold table"
    deliver(w, "c.json", some("jobs", 4))
    good(w, "run", "--once", "--only", "bronze,silver")
    said = good(w, "run", "--once", "--only", "gold")
    demand(said.startswith(f"{PIPELINE}: 1 rows of 1 batch(es) for 1 gold tables in ") and f"-> main.{GOLD}\n  main.{GOLD}.jobs: 1 rows" in said, said)
    deliver(w, "d.json", some("jobs", 5))
    good(w, "run", "--once", "--only", "bronze,silver")
    deliver(w, "e.json", some("jobs", 6, 7))
    said = good(w, "run", "--once")
    demand(said.startswith(f"{PIPELINE}: 2 rows, ") and "brought in what was left for gold: 1 rows of 1 batch(es)" in said, said)
    problems, _ = databricks_lake.reckon_apart(w)
    demand(not problems, "; ".join(problems))
    yield "a full run tells both apart; every table is exact"


@case
def gold_follows(b):
    w = b.lake(commit_every="100ms", poll_every="100ms")
    deliver(w, "a.json", some("jobs", 0, 1))
    runs = [w.start_following("--only", layers) for layers in ("bronze,silver", "gold")]
    try:
        for n in range(3):
            deliver(w, f"{n}.json", some("clusters", n))
        end = time.monotonic() + harness.PATIENCE
        while len(w.numbers("receipts")) == 0 or status(w) != (0, 0) or json.loads(good(w, "status", "--format", "json"))[0]["files"]:
            demand(time.monotonic() < end and all(run.poll() is None for run in runs), "gold does not come")
    finally:
        for run in runs:
            run.send_signal(signal.SIGTERM)
    equal([run.wait(harness.PATIENCE) for run in runs], [0, 0], "exit statuses")
    deliver(w, "last.json", some("jobs", 9))
    w.drain()
    problems, _ = databricks_lake.reckon_apart(w)
    demand(not problems, "; ".join(problems))
    yield "run --follow --only bronze,silver and run --follow --only gold beside each other: every table is exact"


@case
def trace_event_finds_batch_and_rows(b):
    w = b.lake(expectations="{valid_workspace_id: drop}")
    first, dropped = some("jobs", 0)[0], some("jobs", 1, workspaceId='"x"')[0]
    records = b'{"records":[%s,%s]}' % (some("a-b", 2)[0], some("jobs", 3)[0])
    latin1 = some("jobs", 4)[0].replace(b'"act"', b'"\xe4\xe4\xe4"')
    path = deliver(w, "a.json", [first, dropped, records, latin1])
    good(w, "run", "--once")
    starts = [0, len(first) + 1, len(first) + len(dropped) + 2, len(first) + len(dropped) + len(records) + 3]

    def trace(*arguments):
        return json.loads(good(w, "trace", "event", *arguments, "--format", "json"))

    (found,) = trace("--id", "jobs-0")
    equal((found["batch"], found["source"], found["offset"], found["length"]), (1, path, 0, len(first)), "the place of an event")
    equal([e["tables"] for e in found["events"]], [[f"main.{SCHEMA}.silver", f"main.{GOLD}.jobs"]], "its tables")
    for byte in starts[1], starts[1] + len(dropped) - 1:
        (found,) = trace("--file", path, "--byte", str(byte))
        equal((found["events"], [f["reason"] for f in found["faults"]]), ([], ["rule_valid_workspace_id"]), "a dropped event")
    (found,) = trace("--id", "jobs-3")
    equal([(e["event_id"], e["tables"][1]) for e in found["events"]], [("a-b-2", f"main.{GOLD}.a_b"), ("jobs-3", f"main.{GOLD}.jobs")], "events of a records array")
    (found,) = trace("--file", path, "--byte", str(starts[3] + len(latin1) - 1))
    equal((found["offset"], found["length"], found["events"][0]["event_id"]), (starts[3], len(latin1), "jobs-4"), "a line of Latin-1")
    deliver(w, "b.json", some("jobs", 7))
    good(w, "run", "--once", "--only", "bronze,silver")
    said = good(w, "trace", "event", "--id", "jobs-7")
    demand("batch 2 of " in said and "in no gold table yet" in said, said)
    yield "from an event_id or a byte to batch, silver, gold and quarantine"
    for arguments in ("--id", "nobody"), ("--file", path, "--byte", str(starts[1] - 1)):
        said, _ = refused(w, 1, "trace", "event", *arguments)
        demand("auditlake status" in said, said)
    refused(w, 64, "trace", "event", "--file", path)
    yield "what is nowhere is said"


@case
def a_replay_that_is_refused_says_what_is(b):
    w = b.lake()
    deliver(w, "a.json", some("jobs", 0, 1) + some("jobs", 2, workspaceId='"x"'))
    good(w, "run", "--once")
    w.configure("events/**/*.json*", strip="[]", expectations="{valid_workspace_id: drop}")
    deliver(w, "b.json", some("jobs", 3))
    tables = [f"{SCHEMA}.silver", f"_auditlake.quarantine_{PIPELINE}"]
    said = good(w, "replay", "silver")
    demand("With --apply, 2 of 2 tables are swapped." in said, said)
    # While silver is swapped, something takes the name of the quarantine's next version.
    obstacle = os.path.join(w.place(tables[1]), "_delta_log", f"{1:020}.json")
    run = harness.Run(w, "silver", "--apply", command=("replay",))
    while run.next() != b"c":
        pass
    run.hold()
    os.mkdir(obstacle)
    result = run.finish()
    said = run.words()
    demand(result not in (0, 64), f"the replay ended with {result}: {said}")
    demand("1 of the 2 tables that differ were swapped before the failure; the others are as they were." in said, said)
    demand("as today's parser makes them" not in said, said)
    yield "how many tables were swapped before a failure"
    os.rmdir(obstacle)
    demand("1 of 2 tables swapped; the others are as today's parser makes them" in good(w, "replay", "silver", "--apply"), "the second replay does not mend it")
    equal((harness.engines.read("deltalake", w.place(tables[0])).num_rows, harness.engines.read("deltalake", w.place(tables[1])).num_rows), (2, 1), "rows of silver and quarantine")
    yield "the next replay swaps the rest"


if __name__ == "__main__":
    sys.exit(harness.run_cases(__doc__, Bench))
