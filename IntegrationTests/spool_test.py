#!/usr/bin/env python3
"""spool_test.py [--seed N] [--binary PATH]

`run --follow` with its lake in a bucket that stops answering, while log files are renamed, truncated, replaced and removed, and the process is killed
and begun again: what was written meanwhile is in the table once, when the bucket answers again. Then the same with a spool that has room for little:
what was lost is named with file and bytes, and all else is there once. Then a host that keeps silent, and a lake in a folder that is moved away while nobody runs. Then what
`auditlake check` and a run say of spools.

The bucket is moto's, behind a gate that is closed: nobody listens there. What is expected is read from the journal of what was written
(Examples/expected.py), the table by delta-rs.
"""
import glob, json, os, signal, stat, subprocess, sys, time
import engines, harness, s3_lake
from gate import Gate
from harness import Failure, Workspace, demand, environment
from s3_service import Service

PATIENCE = 60


def wait(what, truth, process=None):
    """until it is true; a process that ends meanwhile is a failure"""
    end = time.monotonic() + PATIENCE
    while not (value := truth()):
        if process and process.poll() is not None:
            raise Failure(f"the run ended with {process.returncode} while it was waited for: {what}")
        if time.monotonic() > end:
            raise Failure(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)
    return value


class Outage:
    """a workspace whose bucket lies behind a gate, or whose lake is a folder when there is no service, the process that follows, and what was written"""

    def __init__(self, a, service, folder, name, max_bytes="1GB", store=None, **keys):
        self.gate = service and Gate(service.port)
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.extra = f"spool: {{folder: ./spool, max_bytes: {max_bytes}, disk_floor: 1MB}}\n"
        kind = s3_lake.in_bucket(Workspace, service, endpoint=f"http://localhost:{self.gate.port}", **store or {}) if service else Workspace
        self.w = kind(a.binary, self.folder, "logs/*.csv*", extra=self.extra, **keys)
        self.journal, self.process, self.written = os.path.join(self.folder, "journal.csv"), None, 0
        self.said, self.metrics = os.path.join(self.folder, "follow.log"), os.path.join(self.folder, "metrics.prom")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.gate:
            self.gate.close()

    # the process

    def start(self, *arguments):
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen([self.w.binary, "run", "--follow", "--log-format", "json", "--log-level", "debug", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=said, stderr=said, env=environment())

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        wait("the end of the run", lambda: self.process.poll() is not None)
        if self.process.returncode != 0:
            raise Failure(f"run --follow ended with {self.process.returncode}: {self.words()[-1000:]}")

    def words(self):
        with open(self.said, errors="replace") as f:
            return f.read()

    def events(self, name):
        lines = [json.loads(line) for line in self.words().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    # the logs

    def path(self, name):
        return os.path.join(self.w.logs, name)

    def write(self, records, name="server.csv", is_kept=True):
        """appends records, which are in the table at the end unless they are not kept"""
        data = b"".join(records)
        with open(self.path(name), "ab") as f:
            f.write(data)
        if is_kept:
            with open(self.journal, "ab") as f:
                f.write(data)
            self.written += len(records)
        return os.path.getsize(self.path(name))

    # what is there

    def rows(self):
        return sum(self.w.read("receipts", n)["tables"][-1]["rows"] for n in self.w.numbers("receipts"))

    def arrive(self):
        wait(f"{self.written} rows in the table", lambda: self.rows() >= self.written, self.process)

    @property
    def spool(self):
        """the pipeline's folder in the spool; its name ends with a hash of the lake's place"""
        return next(iter(glob.glob(os.path.join(glob.escape(self.folder), "spool", f"{self.w.pipeline}-*"))), self.folder)

    def manifest(self):
        try:
            with open(os.path.join(self.spool, "spool.json")) as f:
                return json.load(f)
        except FileNotFoundError:
            return {"files": []}

    def spooled(self, size, name="server.csv", is_refused=False):
        """waits until the spool has seen so many bytes of a file, and has them unless they are refused"""
        def has():
            return any(f["path"] == self.path(name) and (f["end"] >= size or is_refused and f.get("refused", {}).get("file", {}).get("offset") == size)
                       for f in self.manifest()["files"])
        wait(f"{size} bytes of {name} in the spool", has, self.process)

    def emptied(self):
        """waits until nothing is in the spool any more"""
        wait("an empty spool", lambda: not os.path.exists(os.path.join(self.spool, "spool.json")), self.process)
        left = [n for n in os.listdir(self.spool) if n.startswith("copy")]
        demand(not left, f"{left} are left in the spool")

    def gaps(self):
        return [g for n in self.w.numbers("receipts") for g in self.w.read("receipts", n)["gaps"]]

    def reckon(self):
        problems = harness.reckon(self.w, [self.journal], quarantined=0)
        demand(not problems, "; ".join(problems))


def private(folder):
    for place, folders, files in os.walk(folder):
        demand(stat.S_IMODE(os.stat(place).st_mode) == 0o700 or place == folder, f"others may look into {place}")
        for name in files:
            demand(stat.S_IMODE(os.stat(os.path.join(place, name)).st_mode) == 0o600, f"others may read {name}")


def told(o):
    """what the spool holds is in metrics and status, also without the lake"""
    held = sum(f["byteCount"] for f in o.manifest()["files"])

    def metrics():
        with open(o.metrics) as f:
            return f.read()
    wait("the spool in the metrics", lambda: f'auditlake_spool_bytes{{pipeline="{o.w.pipeline}"}} {held}\n' in metrics(), o.process)
    demand(f'auditlake_spooling{{pipeline="{o.w.pipeline}"}} 1\n' in metrics(), "the metrics do not say that the lake is down")
    done = o.w.run("status", "--format", "json")
    demand(done.returncode == 66, f"status ended with {done.returncode}")
    status = json.loads(done.stdout)
    demand((status["is_open"], status["bytes"]) == (True, held) and "s3://" in status["reason"], f"status says {status}")


def rotations(o, pieces):
    """every way in which logs go away, the process killed twice in between"""
    o.write(pieces[0])
    o.start("--metrics-file", o.metrics)
    o.arrive()
    o.gate.close()
    # Renamed and removed.
    size = o.write(pieces[1])
    o.spooled(size)
    os.rename(o.path("server.csv"), o.path("server.csv.1"))
    o.write(pieces[2])
    size = o.write(pieces[3], "server.csv.1")
    o.spooled(size, "server.csv.1")
    os.remove(o.path("server.csv.1"))
    private(os.path.join(o.folder, "spool"))
    told(o)
    # Killed; the next process begins without its lake.
    o.kill()
    o.start()
    size = o.write(pieces[4])
    o.spooled(size)
    # Truncated in place.
    os.truncate(o.path("server.csv"), 0)
    o.spooled(o.write(pieces[5]))
    # Copied and truncated, the copy compressed, all removed.
    subprocess.run(["cp", o.path("server.csv"), o.path("server.csv.2")], check=True)
    os.truncate(o.path("server.csv"), 0)
    subprocess.run(["gzip", o.path("server.csv.2")], check=True)
    o.spooled(o.write(pieces[6]))
    # Stopped while a request gets no answer.
    o.gate.silence()
    wait("a request", o.gate.asked.is_set, o.process)
    o.stop()
    o.gate.close()
    os.remove(o.path("server.csv.2.gz"))
    o.start()
    # Replaced, and one that comes and goes.
    o.spooled(o.write(pieces[7], "other.csv"), "other.csv")
    os.remove(o.path("other.csv"))
    size = o.write(pieces[8])
    o.spooled(size)
    o.gate.open()
    o.write(pieces[9])
    o.arrive()
    o.emptied()
    o.write(pieces[10])
    o.arrive()
    o.stop()
    demand(len(o.events("spool_began")) == 3 and len(o.events("spool_ended")) == 1, f"began {len(o.events('spool_began'))}, ended {len(o.events('spool_ended'))}")
    demand(not o.gaps(), f"gaps: {o.gaps()}")
    o.reckon()
    again = o.w.drain()
    demand(again["batches"] == 0, f"a further run found {again}")
    return f"{o.written} records through three outages of one process each, every record once"


def full(o, pieces):
    """a spool with room for little: what is lost is named, all else is there"""
    o.write(pieces[0])
    o.start()
    o.arrive()
    read = os.path.getsize(o.path("server.csv"))
    o.gate.close()
    lost = o.write(pieces[1], is_kept=False)
    o.spooled(lost, is_refused=True)
    entry = o.manifest()["files"][0]
    demand(read < entry["end"] < lost, f"the spool took {entry['end'] - read} of {lost - read} bytes")
    wait("the word that the spool is full", lambda: o.events("spool_full"), o.process)
    with open(o.path("server.csv"), "rb") as f:
        data = f.read(entry["end"])[read:]
    kept = [record for record in pieces[1] if record in data]
    demand(b"".join(kept) == data, "the spool was not cut at the end of a record")
    with open(o.journal, "ab") as f:
        f.write(data)
    o.written += len(kept)
    # A run that goes on has the file open, and what it has read of it.
    o.kill()
    os.remove(o.path("server.csv"))
    # One that nobody can ever read holds no loss back.
    with open(o.path("server.csv.9.gz"), "wb") as f:
        f.write(b"no gzip")
    o.start()
    # Seen and not kept, but still there when the lake is back.
    size = o.write(pieces[2], "late.csv")
    o.spooled(size, "late.csv", is_refused=True)
    o.gate.open()
    wait("the end of the run", lambda: o.process.poll() is not None)
    demand(o.process.returncode == 66, f"the run ended with {o.process.returncode}")
    place = f"{o.path('server.csv')}: bytes {entry['end']} to {lost}"
    demand(place in o.words(), f"the run did not say that {place} are lost")
    demand(o.rows() == o.written and not o.gaps(), f"{o.rows()} rows, gaps {o.gaps()}")
    o.w.configure("logs/*.csv*", extra=o.extra, on_data_loss="continue")
    report = o.w.drain()
    demand(report["lost_bytes"] == lost - entry["end"], f"the run said {report}")
    again = o.w.drain()
    demand(again["batches"] == 0, f"a further run found {again}")
    demand(o.gaps() == [{"path": o.path("server.csv"), "from": entry["end"], "to": lost}], f"gaps: {o.gaps()}")
    rows = engines.read("deltalake", o.w.place("_auditlake.expectations"), ["name", "failed", "sample"]).to_pylist()
    demand([r for r in rows if r["name"] == "source_gap"] == [{"name": "source_gap", "failed": 1, "sample": place}], f"expectations: {rows}")
    o.emptied()
    problems = [p for p in harness.reckon(o.w, [o.journal], quarantined=0) if "from" not in p or "but the batch before" not in p]
    demand(not problems, "; ".join(problems))
    return f"{lost - entry['end']} bytes lost and named, {o.written} records there once"


def silent(o, pieces):
    """a host that takes requests and does not answer, long before a request runs out of time"""
    o.write(pieces[0])
    o.start()
    o.arrive()
    # In the middle of a run.
    o.gate.silence()
    o.spooled(o.write(pieces[1]))
    os.truncate(o.path("server.csv"), 0)
    o.spooled(o.write(pieces[2]))
    o.stop()
    demand(all("no answer yet" in e["error"] for e in o.events("spool_began")) and o.events("spool_began"), f"the spool began with {o.events('spool_began')}")
    # At a start, before the first answer.
    os.truncate(o.path("server.csv"), 0)
    o.start()
    o.spooled(o.write(pieces[3], "other.csv"), "other.csv")
    os.remove(o.path("other.csv"))
    o.stop()
    # Stopped before anything was missed.
    o.gate.asked.clear()
    o.start()
    wait("a request", o.gate.asked.is_set, o.process)
    o.stop()
    o.gate.close()
    o.gate.open()
    o.start()
    o.arrive()
    o.emptied()
    o.stop()
    demand(not o.gaps(), f"gaps: {o.gaps()}")
    o.reckon()
    return f"{o.written} records beside a host that keeps silent, every record once"


def moved(o, pieces):
    """a lake in a folder that is moved away while nobody runs: nothing is begun in its place"""
    o.write(pieces[0])
    o.start()
    o.arrive()
    wait("the note of what is read", lambda: glob.glob(os.path.join(glob.escape(o.folder), "spool", "*", "positions.json")) and os.path.getsize(os.path.join(o.spool, "positions.json")) > 2, o.process)
    o.kill()
    away = o.w.lake + "-away"
    os.rename(o.w.lake, away)
    size = o.write(pieces[1])
    o.start()
    o.spooled(size)
    os.remove(o.path("server.csv"))
    size = o.write(pieces[2], "next.csv")
    o.spooled(size, "next.csv")
    positions = os.path.join(o.spool, "positions.json")
    done = o.w.run()
    demand(done.returncode == 66 and f"remove {positions}" in done.stderr, f"run --once ended with {done.returncode} and said {done.stderr}")
    done = o.w.run("check", "--format", "json")
    demand(done.returncode == 1 and f"remove {positions}" in done.stdout, f"check ended with {done.returncode} and said {done.stdout}")
    # A pipeline of delivered objects, which keeps no notes.
    events = "  events:\n    kind: databricks\n    source: {objects: ./none/*.json}\n    schema: events\n"
    o.w.configure("logs/*.csv*", extra=events + o.extra)
    done = o.w.run("run", "--once", "events")
    demand(done.returncode == 66 and f"remove {positions}" in done.stderr, f"run --once events ended with {done.returncode} and said {done.stderr}")
    demand(not os.path.exists(o.w.lake), "a lake was begun in the place of the other")
    os.rename(away, o.w.lake)
    o.arrive()
    o.emptied()
    o.stop()
    demand(not o.gaps(), f"gaps: {o.gaps()}")
    o.reckon()
    return f"{o.written} records beside a lake that was moved away and back, every record once"


def fnv(text):
    """FNV-1a of 32 bits, by which a lake's spools are named"""
    value = 0x811c9dc5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xffffffff
    return f"{value:08x}"


def checks(binary, folder):
    """what check and run say of spools"""
    w = Workspace(binary, folder)

    def found(spool, status=0):
        w.configure(extra=f"spool: {spool}\n")
        done = w.run("check", "--format", "json")
        demand(done.returncode == status, f"check with spool: {spool} ended with {done.returncode}: {done.stdout} {done.stderr}")
        return [(f["level"], f["message"]) for f in json.loads(done.stdout) if f["subject"] in (w.pipeline, "spool") and ("spool" in f["message"] or "lake is down" in f["message"])]

    def expect(spool, *wanted, status=0):
        said = found(spool, status)
        demand(len(said) == len(wanted) and all(level == a and words in b for (level, words), (a, b) in zip(wanted, said)), f"with spool: {spool} check says {said}")

    def keep(name):
        """a spool of five bytes, by its name in the folder"""
        os.makedirs(os.path.join(folder, "spool", name))
        file = {"id": "spool-0", "path": "/gone/a.csv", "inode": 1, "modified": 1, "copy": "copy-0", "from": 0, "end": 5, "byteCount": 5}
        with open(os.path.join(folder, "spool", name, "spool.json"), "w") as f:
            json.dump({"format": 1, "since": 1, "reason": "gone", "isOpen": True, "next": 1, "files": [file]}, f)

    shared = "ok", "lies on the lake's disk"
    small = "{max_bytes: 1MB, disk_floor: 1MB}"
    expect(small, ("ok", "may take 1000000 bytes"), shared)
    expect("{max_bytes: 1000TB, disk_floor: 1MB}", ("warning", "has room for"), shared)
    expect("{max_bytes: 1MB, disk_floor: 1000TB}", ("warning", "has room for 0 bytes"), shared)
    expect("off", ("warning", "nothing is kept while the lake is down"))
    elsewhere = next((place for place in ("/dev/shm", "/tmp") if os.stat(place).st_dev != os.stat(folder).st_dev), None)
    if elsewhere:
        expect(f"{{folder: {elsewhere}/{os.path.basename(folder)}, max_bytes: 1MB, disk_floor: 1MB}}", ("ok", "may take"))
    with open(os.path.join(folder, "file"), "w"):
        pass
    expect("{folder: ./file}", ("error", "the spool: cannot look at"), status=1)
    own = f"{w.pipeline}-{fnv(w.lake)}"
    keep(own)
    expect(small, ("ok", "may take"), shared, ("warning", "holds 5 bytes that no batch has yet"))
    # Kept under another name, and before it was switched off.
    keep(f"old-{fnv(w.lake)}")
    left = "warning", f"old-{fnv(w.lake)} holds 5 bytes of logs"
    expect(small, ("ok", "may take"), shared, ("warning", "no batch has yet"), left)
    expect("off", ("warning", "nothing is kept"), ("warning", f"{own} holds 5 bytes of logs") if own < "old" else left, left if own < "old" else ("warning", f"{own} holds 5 bytes of logs"))
    done = w.run("run", "--once", "--log-format", "json")
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    folders = sorted(os.path.basename(e["folder"]) for e in told if e["event"] == "spool_abandoned")
    demand(done.returncode == 0 and folders == sorted([own, f"old-{fnv(w.lake)}"]), f"run ended with {done.returncode} and said {done.stderr}")
    done = w.run("status", "--format", "json")
    demand(done.returncode == 0 and all(f"{name} holds 5 bytes of logs" in done.stderr for name in (own, f"old-{fnv(w.lake)}")), f"status ended with {done.returncode} and said {done.stderr}")
    json.loads(done.stdout)
    return "check, run and status say what they have to"


def pieces(paths, count):
    """single-line records of the logs, in so many pieces"""
    records = []
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        ends = [offset for offset, record in harness.expected.records(data) if record is not None] + [len(data)]
        found = [data[a:b] for a, b in zip(ends, ends[1:])]
        records += [r for r in found if r.count(b"\n") == 1]
    each = len(records) // count
    return [records[n * each:(n + 1) * each] for n in range(count)]


def main():
    p = harness.arguments(__doc__)
    a = p.parse_args()
    folder, started, failed = harness.prepare(a), time.monotonic(), False
    with Service(folder) as service:
        for body, place, options, count in (rotations, service, {}, 11), (full, service, {"max_bytes": "20kB"}, 3), (silent, service, {"store": {"timeout": "300s"}}, 4), \
                (moved, None, {}, 3):
            with Outage(a, place, folder, body.__name__, **options) as o:
                try:
                    print(f"{body.__name__}: {body(o, pieces(a.logs, count))}", flush=True)
                except Failure as e:
                    print(f"{body.__name__}: FAILED: {e}", flush=True)
                    failed = True
    try:
        os.mkdir(place := os.path.join(folder, "checks"))
        print(f"checks: {checks(a.binary, place)}", flush=True)
    except Failure as e:
        print(f"checks: FAILED: {e}", flush=True)
        failed = True
    return harness.conclude(a, folder, failed, started)


if __name__ == "__main__":
    sys.exit(main())
