#!/usr/bin/env python3
"""operations.py [--seed N] [--binary PATH] [--logs FILE...] [--only WORD]

What an operator looks at, one line a case: log lines, metrics in a file and over HTTP, `status` before, during and after a run, `trace` from rows to
bytes and back. The truth is an independent reading of the logs (Examples/expected.py); metrics are read by Prometheus' own Python client.

Exit status 1 when a case fails.
"""
import csv, json, os, re, shutil, socket, sys, time, urllib.error, urllib.request, warnings
from prometheus_client.parser import text_string_to_metric_families
import harness
from harness import NODE, PIPELINE, Bench, case, demand, expected

STATE, STOPPED = 76, 75
SECRET = "operations-secret-4711"


def equal(got, want, what):
    demand(got == want, f"{what}: {got!r}, expected {want!r}")


def good(w, *arguments):
    """what a command that has to end well printed"""
    done = w.run(*arguments)
    demand(done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done


def status(w):
    (found,) = json.loads(good(w, "status", "--format", "json").stdout)
    return found


def trace_record(w, path, byte):
    (found,) = json.loads(good(w, "trace", "record", "--file", path, "--byte", str(byte), "--format", "json").stdout)
    return found


def trace_row(w, session, line):
    return json.loads(good(w, "trace", "row", "--session", session, "--line", str(line), "--node", NODE, "--format", "json").stdout)


def logs(w):
    return sorted(os.path.join(w.logs, n) for n in os.listdir(w.logs))


def size(paths):
    return sum(map(os.path.getsize, paths))


def records(path):
    """(offset, length with the line end, session, line) of every whole record"""
    with open(path, "rb") as f:
        data = f.read()
    for offset, record in expected.records(data):
        if record is not None:
            fields = next(csv.reader([record.decode("latin-1")]))
            yield offset, len(record) + 1, fields[5], int(fields[6])


def files(folder):
    """every file below a folder with what changes when it is written"""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            s = os.stat(path)
            found[path] = s.st_ino, s.st_size, s.st_mtime_ns
    return found


# ---------------------------------------------------------------- logs and metrics

@case
def log_lines(b):
    """JSON, one object a line, typed, and their sums are the run's"""
    w = b.workspace(batch_bytes="100kB")
    done = good(w, "run", "--once", "--format", "json", "--log-format", "json", "--log-level", "info")
    report, lines = json.loads(done.stdout), [json.loads(line) for line in done.stderr.splitlines()]
    for line in lines:
        demand(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), f"no UTC time with milliseconds: {line}")
        demand(line["level"] and line["message"] and line["pipeline"] == PIPELINE, f"level, message or pipeline is missing: {line}")
    batches = [line for line in lines if line["event"] == "batch_committed"]
    equal([line["event"] for line in lines], ["pipeline_started"] + ["batch_committed"] * report["batches"], "events")
    for key in ("rows", "bytes", "quarantined"):
        equal(sum(line[key] for line in batches), report[key], f"sum of {key}")
    equal([line["batch"] for line in batches], w.numbers("receipts"), "batches")
    yield f"{len(batches)} batches told as JSON"
    w = b.workspace()
    done = good(w, "run", "--once", "--log-format", "text", "--log-level", "info")
    demand(re.fullmatch(r"(\S+Z info pg: .*\n)+", done.stderr), f"not as text: {done.stderr!r}")
    demand(good(w, "run", "--once").stderr == "", "a quiet run says something")
    yield "the same as text; nothing by default"


def metrics(text):
    """(name, labels) to value, as Prometheus' own client reads it"""
    found, kinds = {}, {}
    for family in text_string_to_metric_families(text):
        kinds[family.name] = family.type
        for sample in family.samples:
            key = sample.name, *sorted(sample.labels.items())
            demand(key not in found, f"{key} is there twice")
            found[key] = sample.value
    demand("unknown" not in kinds.values(), f"a metric has no type: {kinds}")
    demand(text.count("# TYPE") == len(kinds) == text.count("# HELP"), "a metric has more or less than one TYPE and one HELP")
    return found


@case
def metrics_file(b):
    """what a run has done stands in the file at its end"""
    w = b.workspace(batch_bytes="100kB", keep="audit")
    path = os.path.join(w.folder, "auditlake.prom")
    report = json.loads(good(w, "run", "--once", "--format", "json", "--metrics-file", path).stdout)
    with open(path) as f:
        found = metrics(f.read())
    label = ("pipeline", PIPELINE)
    wanted = {"rows_total": "rows", "read_bytes_total": "bytes", "quarantined_rows_total": "quarantined", "batches_total": "batches",
              "redone_batches_total": "redone_batches", "batch_duration_seconds_count": "batches"}
    for name, key in wanted.items():
        equal(found[f"auditlake_{name}", label], report[key], name)
    for name in ("lag_bytes", "lag_seconds", "pending_bytes", "errors_total", "failing"):
        equal(found[f"auditlake_{name}", label], 0, name)
    demand(abs(found["auditlake_last_commit_timestamp_seconds", label] - time.time()) < 3_600, "the last commit is not of today")
    demand(found["process_resident_memory_bytes",] > 1 << 20 and found["process_open_fds",] > 0, "the process uses nothing")
    demand(os.listdir(w.folder).count("auditlake.prom") == 1 and not any(n.endswith(".tmp") for n in os.listdir(w.folder)), "files are left beside the metrics")
    yield f"{len(found)} values in the file, equal to the run's report"
    done = good(w, "run", "--once", "--metrics-file", "/nowhere/at/all.prom")
    demand("metrics_file_failed" in done.stderr, f"a metrics file that cannot be written is not told: {done.stderr!r}")
    yield "a metrics file that cannot be written is a warning"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(port, path):
    end = time.monotonic() + harness.PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=harness.PATIENCE) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, None, ""
        except urllib.error.URLError:
            demand(time.monotonic() < end, "nothing listens at the port")


@case
def metrics_port(b):
    """a run that is held in the middle answers; its status tells of it too"""
    w, port = b.workspace(batch_bytes="50kB"), free_port()
    run = w.start("--metrics-port", str(port))
    run.hold_before(18)
    code, kind, text = get(port, "/metrics")
    equal((code, kind), (200, "text/plain; version=0.0.4; charset=utf-8"), "answer")
    done, label = len(w.numbers("receipts")), ("pipeline", PIPELINE)
    found = metrics(text)
    demand(0 < found["auditlake_batches_total", label] <= done, f"{found['auditlake_batches_total', label]} batches, {done} receipts")
    equal(found["auditlake_rows_total", label], sum(w.read("receipts", n)["tables"][-1]["rows"] for n in range(1, int(found["auditlake_batches_total", label]) + 1)), "rows")
    equal(get(port, "/healthz")[0::2], (200, "ok\n"), "health")
    equal(get(port, "/else")[0], 404, "another path")
    now = status(w)
    equal(now["last_batch"], done, "last batch")
    equal(now["lag_bytes"], size(logs(w)) - sum(w.read("receipts", n)["bytes"] for n in range(1, done + 1)), "lag")
    demand(now["lag_seconds"] > 0 and now["rows_per_second"] > 0, "no age or no rate")
    equal(run.finish(), 0, "exit status")
    equal(status(w)["lag_bytes"], 0, "lag at the end")
    yield "/metrics, /healthz and `status` of a run that is held in the middle"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = w.run("run", "--once", "--metrics-port", str(s.getsockname()[1]))
    demand(done.returncode == 1 and "--metrics-port" in done.stderr, f"a port that is taken: {done.returncode}, {done.stderr!r}")
    yield "a port that is taken is told"


# ---------------------------------------------------------------- status

@case
def status_of_everything(b):
    w = b.workspace()
    before, paths = files(w.folder), logs(w)
    now = status(w)
    equal((now["last_batch"], now["lag_bytes"], [f["path"] for f in sorted(now["files"], key=lambda f: f["path"])]), (0, size(paths), paths), "without a lake")
    good(w, "status")
    equal(files(w.folder), before, "files after status")
    w.drain()
    before = files(w.folder)
    equal(status(w)["lag_bytes"], 0, "lag when drained")
    last = max(records(paths[-1]))
    with open(paths[-1], "rb") as f:
        data = f.read()
    record = data[last[0]:last[0] + last[1]]
    with open(paths[-1], "ab") as f:
        f.write(record + record[:40])
    now = status(w)
    equal((now["lag_bytes"], now["pending_bytes"]), (len(record), 40), "lag and pending bytes")
    stamp = expected.microseconds(next(csv.reader([record.decode()]))[0]) / 1e6
    demand(abs(time.time() - stamp - now["lag_seconds"]) < 60, f"the oldest record is {time.time() - stamp} s old, status says {now['lag_seconds']}")
    del before[paths[-1]]
    equal({k: v for k, v in files(w.folder).items() if k != paths[-1]}, before, "files after status")
    yield "without a lake, drained, with lag and pending bytes; nothing is written"

    shutil.move(w.table, w.table + ".away")
    done = w.run("run", "--once")
    demand(done.returncode == STATE, f"exit status {done.returncode}")
    error = status(w)["last_error"]
    demand(error["message"] in done.stderr.replace("\n    ", "; "), f"{error} is not what was said: {done.stderr}")
    demand("last error at" in good(w, "status").stdout, "the table does not tell the error")
    shutil.rmtree(w.table, ignore_errors=True)
    shutil.move(w.table + ".away", w.table)
    good(w, "run", "--once")
    demand("last_error" not in status(w), "the error stays after a run that went well")
    yield "the last error, until a run goes well"


# ---------------------------------------------------------------- trace

@case
def trace_both_ways(b):
    """random records, from row to bytes and from bytes to row"""
    w = b.workspace(batch_bytes="20kB")
    w.drain()
    picked = b.rng.sample([(path, *record) for path in logs(w) for record in records(path)], 30)
    for path, offset, length, session, line in picked:
        found = [place | {"path": t["row"]} for t in trace_row(w, session, line) for place in t["places"]]
        demand([(p["current_path"], p["offset"], p["length"]) for p in found] == [(path, offset, length)], f"{session} {line}: {found}, expected {path} {offset} {length}")
        found = trace_record(w, path, offset + b.rng.randrange(length))
        equal((found["outcome"], found["session"], found["line"], found["place"]["offset"], found["place"]["length"], len(found["rows"])),
              ("row", session, line, offset, length, 1), f"byte of {path} {offset}")
        demand(w.read("plans", found["place"]["batch"])["plannedAt"] == found["rows"][0]["ingested_at"], "another batch")
    yield f"{len(picked)} records in {len(w.numbers('plans'))} batches, both ways"

    path, offset, length, session, line = picked[0]
    os.rename(path, path[:-4] + "-old.csv")
    (found,) = trace_row(w, session, line)
    equal((found["places"][0]["path"], found["places"][0]["current_path"]), (path, path[:-4] + "-old.csv"), "renamed")
    for name in (path, path[:-4] + "-old.csv"):
        equal(trace_record(w, name, offset)["session"], session, f"renamed, asked for {name}")
    os.rename(path[:-4] + "-old.csv", os.path.join(w.folder, "away"))
    (found,) = trace_row(w, session, line)
    demand("current_path" not in found["places"][0] and "offset" not in found["places"][0] and found["places"][0]["path"] == path, f"gone: {found}")
    equal(trace_record(w, path, offset)["outcome"], "file_gone", "gone")
    demand("gone" in good(w, "trace", "row", "--session", session, "--line", str(line)).stdout, "the words do not tell that the file is gone")
    yield "after a rename, and when the file is gone"


@case
def trace_of_bytes_without_row(b):
    """quarantined, left out, unread, pending, not there, foreign"""
    w = b.workspace(keep="audit")
    path = os.path.join(w.logs, "z.csv")
    line = '2026-11-21 06:22:00.545 UTC,"u","d",1,"h:1",6b.9,%d,"SELECT",2026-11-21 06:22:00 UTC,4/4,0,LOG,00000,"%s",,,,,,,,,"p","client backend",,0\n'
    plain, audit = line % (1, "checkpoint starting"), line % (2, "AUDIT: SESSION,1,1,READ,SELECT,,,select 1,<none>")
    damage = f"damaged: alter role x password '{SECRET}'\n"
    with open(path, "w") as f:
        f.write(plain + damage + audit)
    w.drain()
    with open(path, "a") as f:
        f.write(line % (3, "unread") + "2026-11-21 06:2")
    wanted = {0: "left_out", len(plain) + 3: "quarantined", len(plain + damage): "row", len(plain + damage + audit): "unread",
              os.path.getsize(path) - 1: "pending", os.path.getsize(path): "beyond_end"}
    for byte, outcome in wanted.items():
        equal(trace_record(w, path, byte)["outcome"], outcome, f"byte {byte}")
        demand(SECRET not in good(w, "trace", "record", "--file", path, "--byte", str(byte)).stdout, "a secret is printed")
    fault = trace_record(w, path, len(plain) + 3)["faults"]
    equal([(f["offset"], f["length"]) for f in fault], [(len(plain), len(damage))], "fault")
    yield ", ".join(wanted.values())
    for arguments, word in ((("record", "--file", "/etc/hostname", "--byte", "0"), "/etc/hostname"), (("row", "--session", "no'such", "--line", "1"), "no'such")):
        done = w.run("trace", *arguments)
        demand(done.returncode == 1 and word in done.stderr and "\n    " in done.stderr, f"{arguments}: {done.returncode} {done.stderr!r}")
    yield "what is not there is told with a way on"


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=UserWarning)
    sys.exit(harness.run_cases(__doc__, Bench))
